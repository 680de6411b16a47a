import Crypto
internal import Files

/// A run as it is handed to the queue: all of its jobs and shards, stored in one transaction or not at all.
public struct RunSubmission: Sendable, Hashable, Codable {
    /// Chosen by the submitter, so that a repeated submission is recognised.
    public var id: RunID
    public var name: String
    /// The project that fair share is counted for; created on first use.
    public var project: String
    public var user: String
    public var priority: Priority
    /// The job file with everything resolved, as JSON.
    public var specification: String
    public var jobs: [JobSubmission]

    public init(
        id: RunID = .random(), name: String, project: String = "default", user: String, priority: Priority = .normal,
        specification: String, jobs: [JobSubmission]
    ) {
        self.id = id
        self.name = name
        self.project = project
        self.user = user
        self.priority = priority
        self.specification = specification
        self.jobs = jobs
    }
}

/// One job of a run: one model, one task, one set of settings.
public struct JobSubmission: Sendable, Hashable, Codable {
    /// The place in the run; the jobs of a run are numbered from 0 without gaps.
    public var ordinal: Int
    public var task: String
    /// The model's name, for people.
    public var model: String
    /// 64 lower-case hexadecimal digits; what a worker compares with the models that it has loaded.
    public var modelSHA256: String
    /// All that a worker needs to know, as JSON; opaque to the queue, stored once per content.
    public var specification: String
    /// The number of samples; the shards cover exactly these rows.
    public var sampleCount: Int
    /// In order, without gaps, from row 0.
    public var shards: [ShardRange]
    /// A worker must carry all of these labels.
    public var needLabels: [String]
    public var needGPUMegabytes: Int
    /// The kind of device that it must run on, for example "cuda"; nil for any.
    public var needDevice: String?
    /// Failures after which a shard is given up; a lost worker does not count as one.
    public var maxAttempts: Int
    /// More given-up shards than this hold the job; nil for no limit.
    public var maxFailures: Int?
    /// What must end before anything of this job is claimed.
    public var after: [JobDependency]
    /// True lets its results come from several engines.
    public var mixed: Bool?
    /// A sha256 over all that its samples depend on but the engine; nil where nobody says.
    public var work: String?

    public init(
        ordinal: Int, task: String, model: String, modelSHA256: String, specification: String, sampleCount: Int,
        shards: [ShardRange], needLabels: [String] = [], needGPUMegabytes: Int = 0, needDevice: String? = nil,
        maxAttempts: Int = 3, maxFailures: Int? = nil, after: [JobDependency] = [], mixed: Bool? = nil,
        work: String? = nil
    ) {
        self.ordinal = ordinal
        self.task = task
        self.model = model
        self.modelSHA256 = modelSHA256
        self.specification = specification
        self.sampleCount = sampleCount
        self.shards = shards
        self.needLabels = needLabels
        self.needGPUMegabytes = needGPUMegabytes
        self.needDevice = needDevice
        self.maxAttempts = maxAttempts
        self.maxFailures = maxFailures
        self.after = after
        self.mixed = mixed
        self.work = work
    }
}

/// A contiguous range of a job's samples.
public struct ShardRange: Sendable, Hashable, Codable {
    public var rowStart: Int
    public var rowCount: Int

    public init(rowStart: Int, rowCount: Int) {
        self.rowStart = rowStart
        self.rowCount = rowCount
    }
}

/// What a job waits for.
public struct JobDependency: Sendable, Hashable, Codable {
    public enum Target: Sendable, Hashable, Codable {
        /// An earlier job of the same run.
        case sibling(Int)
        /// A job of a run that was submitted before.
        case job(RunID, Int)
        /// Every job of a run that was submitted before.
        case run(RunID)
    }

    public enum Condition: String, Sendable, Hashable, CaseIterable, Codable {
        /// It must end with all of its results; if it does not, the job that waits is cancelled.
        case ok
        /// It must end, whichever way.
        case any
    }

    public var target: Target
    public var condition: Condition

    public init(_ target: Target, _ condition: Condition = .ok) {
        self.target = target
        self.condition = condition
    }
}

extension JobDependency: CustomStringConvertible {
    /// Unambiguous within a submission: "ok k3f9x2a0.1".
    public var description: String {
        switch target {
        case .sibling(let ordinal): "\(condition) .\(ordinal)"
        case .job(let run, let ordinal): "\(condition) \(run).\(ordinal)"
        case .run(let run): "\(condition) \(run)"
        }
    }
}

/// The tier a run is claimed in; a higher tier goes first, whatever the fair share says.
public enum Priority: Int, Sendable, Hashable, CaseIterable, Comparable {
    case low = 0
    case normal = 1
    case high = 2
    case urgent = 3

    /// Reads a tier's name.
    ///
    /// - Throws: `invalid` for any other word.
    public init(name: String) throws(QueueError) {
        guard let match = Self.allCases.first(where: { $0.name == name }) else {
            let names = Self.allCases.map(\.name).joined(separator: ", ")
            throw QueueError(.invalid, "priority '\(name)' does not exist: use one of \(names)")
        }
        self = match
    }

    public var name: String {
        switch self {
        case .low: "low"
        case .normal: "normal"
        case .high: "high"
        case .urgent: "urgent"
        }
    }

    public static func < (left: Priority, right: Priority) -> Bool {
        left.rawValue < right.rawValue
    }
}

extension Priority: Codable {
    public init(from decoder: any Decoder) throws {
        try self.init(name: decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }
}

extension RunSubmission {
    /// Checks that the submission holds together: every row of every job in exactly one shard.
    ///
    /// - Throws: `invalid` with the first thing that is wrong.
    public func validate() throws(QueueError) {
        try QueueError.check(name, "the run's name", 1...200)
        try QueueError.check(project, "the project's name", 1...64)
        try QueueError.check(user, "the user's name", 1...200)
        try QueueError.check(specification, "the run's specification", storableText)
        guard !jobs.isEmpty else {
            throw QueueError(.invalid, "run \(id) has no jobs: a run needs at least one")
        }
        for (place, job) in jobs.enumerated() {
            guard job.ordinal == place else {
                throw QueueError(
                    .invalid,
                    "job number \(job.ordinal) stands at place \(place) of run \(id): jobs are numbered in order")
            }
            try job.validate(as: "\(id).\(place)")
            try job.validateDependencies(in: id)
        }
    }
}

extension JobSubmission {
    fileprivate func validate(as job: String) throws(QueueError) {
        try QueueError.check(task, "the task's name of job \(job)", 1...200)
        try QueueError.check(model, "the model's name of job \(job)", 1...200)
        try QueueError.check(sha256: modelSHA256, "the model's sha256 of job \(job)")
        try QueueError.check(specification, "the specification of job \(job)", storableText)
        try QueueError.check(sampleCount, "the number of samples of job \(job)", 1...storableCount.upperBound)
        try QueueError.check(needGPUMegabytes, "the GPU memory of job \(job)", storableCount)
        try QueueError.check(maxAttempts, "the number of attempts of job \(job)", 1...100)
        try QueueError.check(maxFailures ?? 0, "max_failures of job \(job)", storableCount)
        try QueueError.check(deviceKind: needDevice ?? "cpu", "the device that job \(job) needs")
        if let work { try QueueError.check(sha256: work, "the hash of what job \(job) works on") }
        for label in needLabels {
            try QueueError.check(label, "a label of job \(job)", 1...200)
        }
        var next = 0
        for (index, shard) in shards.enumerated() {
            guard shard.rowStart == next, shard.rowCount > 0, shard.rowCount <= sampleCount - next else {
                throw QueueError(
                    .invalid,
                    """
                    shard \(index) of job \(job) has \(shard.rowCount) rows from \(shard.rowStart): the shards must \
                    cover the rows 0 to \(sampleCount - 1) in order, and \(next) comes next
                    """)
            }
            next += shard.rowCount
        }
        guard next == sampleCount else {
            throw QueueError(
                .invalid, "the shards of job \(job) end at row \(next): there are \(sampleCount) rows")
        }
    }
}

extension JobSubmission {
    /// Checks that the job waits for others only, and for earlier ones of its run.
    fileprivate func validateDependencies(in run: RunID) throws(QueueError) {
        for dependency in after {
            switch dependency.target {
            case .sibling(let other), .job(run, let other):
                guard (0..<ordinal).contains(other) else {
                    throw QueueError(
                        .invalid,
                        "job \(run).\(ordinal) is to wait for job \(run).\(other): jobs wait for earlier ones only")
                }
            case .run(run):
                throw QueueError(.invalid, "job \(run).\(ordinal) is to wait for its own run, which would never end")
            case .job, .run: break
            }
        }
    }
}

extension RunSubmission {
    /// The sha256 of all that is submitted, as hexadecimal digits; equal exactly for equal submissions.
    public var digest: String {
        var hash = FieldHash()
        hash.add(id.text, name, project, user, "\(priority.rawValue)", specification, "\(jobs.count)")
        for job in jobs {
            hash.add("\(job.ordinal)", job.task, job.model, job.modelSHA256, job.specification)
            hash.add("\(job.sampleCount)", "\(job.needGPUMegabytes)", "\(job.maxAttempts)", "\(job.needLabels.count)")
            for label in job.needLabels {
                hash.add(label)
            }
            hash.add(job.needDevice ?? "", job.maxFailures.map { "\($0)" } ?? "", "\(job.after.count)")
            for dependency in job.after {
                hash.add("\(dependency)")
            }
            hash.add("\(job.shards.count)")
            for shard in job.shards {
                hash.add("\(shard.rowStart)", "\(shard.rowCount)")
            }
            // Programs that know nothing of these must come to the same for what has none of them.
            if job.mixed == true { hash.add("mixed") }
            if let work = job.work { hash.add("work", work) }
        }
        return hash.finish()
    }
}

extension JobSubmission {
    /// What the specification is stored under.
    var specificationSHA256: String {
        SHA256.text(of: specification.utf8)
    }
}

/// A hash over fields with their lengths, so that no two lists of fields look alike.
private struct FieldHash {
    private var hash = SHA256()

    mutating func add(_ fields: String...) {
        for field in fields {
            hash.update(data: Array("\(field.utf8.count):".utf8))
            hash.update(data: Array(field.utf8))
        }
    }

    func finish() -> String {
        hash.finalize().hexadecimal
    }
}

// What the database would refuse too, said in words that help.

extension QueueError {
    /// Checks that a text can be stored: its length in Unicode scalars, and no NUL character.
    public static func check(_ text: String, _ what: String, _ length: ClosedRange<Int>) throws(QueueError) {
        let count = text.unicodeScalars.count
        guard length.contains(count) else {
            throw QueueError(
                .invalid,
                "\(what) has \(count) characters: it must have \(length.lowerBound) to \(length.upperBound)")
        }
        guard !text.utf8.contains(0) else {
            throw QueueError(.invalid, "\(what) contains a NUL character: remove it")
        }
    }

    public static func check(_ number: Int, _ what: String, _ range: ClosedRange<Int>) throws(QueueError) {
        guard range.contains(number) else {
            throw QueueError(.invalid, "\(what) is \(number): it must be \(range.lowerBound) to \(range.upperBound)")
        }
    }

    public static func check(seconds: Double, _ what: String) throws(QueueError) {
        guard seconds >= 0, seconds.isFinite else {
            throw QueueError(.invalid, "\(what) is \(seconds) seconds: it must be a number that is not negative")
        }
    }

    /// Checks for a short word such as "cpu" or "cuda".
    public static func check(deviceKind: String, _ what: String) throws(QueueError) {
        let isPlain = deviceKind.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) }
        guard (1...20).contains(deviceKind.utf8.count), isPlain else {
            throw QueueError(
                .invalid, "\(what) is '\(deviceKind.prefix(40))': a kind of device is a word such as cpu or cuda")
        }
    }

    /// Checks for 64 lower-case hexadecimal digits.
    public static func check(sha256: String, _ what: String) throws(QueueError) {
        guard SHA256.isText(sha256) else {
            throw QueueError(
                .invalid, "\(what) is '\(sha256.prefix(80))': a sha256 has 64 lower-case hexadecimal digits")
        }
    }
}

/// What a PostgreSQL integer holds.
public let storableCount = 0...Int(Int32.max)

/// The largest text that is stored in one value.
let storableText = 0...(256 << 20)
