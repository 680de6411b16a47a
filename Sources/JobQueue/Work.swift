/// What a worker says of itself when it registers.
public struct WorkerDescription: Sendable, Hashable {
    public var host: String
    public var pid: Int
    /// The device it computes on, for example "cpu" or "cuda:0".
    public var device: String
    /// What kind of device that is, for example "cpu" or "cuda"; jobs may ask for one.
    public var deviceKind: String
    /// What jobs may ask for, for example "cuda" or "h100".
    public var labels: [String]
    public var gpuMegabytes: Int
    /// The engine and its build.
    public var engine: String
    /// The sha256 of every model that is loaded already.
    public var warmModels: [String]
    /// What its engine is, as far as no model decides it; nil where it does not say.
    public var identity: String?

    public init(
        host: String, pid: Int, device: String, deviceKind: String = "cpu", labels: [String] = [],
        gpuMegabytes: Int = 0, engine: String,
        warmModels: [String] = [], identity: String? = nil
    ) {
        self.host = host
        self.pid = pid
        self.device = device
        self.deviceKind = deviceKind
        self.labels = labels
        self.gpuMegabytes = gpuMegabytes
        self.engine = engine
        self.warmModels = warmModels
        self.identity = identity
    }
}

extension WorkerDescription {
    public func validate(ttl: Duration) throws(QueueError) {
        try QueueError.check(host, "the worker's host", 1...255)
        try QueueError.check(device, "the worker's device", 1...200)
        try QueueError.check(deviceKind: deviceKind, "the worker's kind of device")
        try QueueError.check(engine, "the worker's engine", 1...200)
        if let identity { try QueueError.check(identity, "the identity of the worker's engine", 1...20_000) }
        try QueueError.check(pid, "the worker's process id", storableCount)
        try QueueError.check(gpuMegabytes, "the worker's GPU memory", storableCount)
        for label in labels {
            try QueueError.check(label, "a label of the worker", 1...200)
        }
        for model in warmModels {
            try QueueError.check(sha256: model, "the sha256 of a model that the worker has loaded")
        }
        guard ttl > .zero, ttl <= .seconds(86_400) else {
            throw QueueError(.invalid, "the lease is to last \(ttl): it must last more than nothing, and a day at most")
        }
    }
}

extension QueueError {
    /// Checks how many shards a claim may ask for.
    public static func check(claimLimit: Int) throws(QueueError) {
        try QueueError.check(claimLimit, "the number of shards to claim", 1...10_000)
    }
}

extension Duration {
    public var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}

/// A worker's right to its shards, for `ttl` from each heartbeat on.
public struct WorkerLease: Sendable, Hashable {
    public let worker: WorkerID
    public let incarnation: Incarnation
    /// How long the lease lasts unless it is renewed.
    public let ttl: Duration

    public init(worker: WorkerID, incarnation: Incarnation, ttl: Duration) {
        self.worker = worker
        self.incarnation = incarnation
        self.ttl = ttl
    }

    public static let defaultTTL: Duration = .seconds(60)

    /// How often to renew: a sixth of the lease, so that five renewals may fail in a row.
    public var heartbeatInterval: Duration { ttl / 6 }

    /// How long a renewal may take: two can time out one after the other before the lease is in danger.
    public static func heartbeatTimeout(ttl: Duration) -> Duration { ttl / 4 }

    /// How long a renewal may take.
    public var heartbeatTimeout: Duration { Self.heartbeatTimeout(ttl: ttl) }

    /// How long after the last successful heartbeat was sent, by the worker's own monotonic clock, it must stop.
    public var safeDuration: Duration { ttl - ttl / 6 }
}

/// A shard that a worker holds, and how far it is.
public struct ShardProgress: Sendable, Hashable {
    public var key: ShardKey
    public var epoch: Epoch
    public var samples: Int
    /// Tokens read and generated so far.
    public var tokens: Int

    public init(key: ShardKey, epoch: Epoch, samples: Int = 0, tokens: Int = 0) {
        self.key = key
        self.epoch = epoch
        self.samples = samples
        self.tokens = tokens
    }
}

/// What a worker learns from a heartbeat.
public struct HeartbeatReply: Sendable, Hashable {
    /// The lease lasts this long, counted from before the heartbeat was sent.
    public var ttl: Duration
    /// Held by the worker, but no longer its own: stop, throw away.
    public var lost: [ShardKey]
    /// Of a cancelled run: stop and release.
    public var cancelled: [ShardKey]
    /// Claimed for this worker, but unknown to it (the answer to its claim got lost); given back by the heartbeat.
    public var orphaned: [ShardKey]
    /// Claim nothing more, finish what is held, deregister, exit.
    public var isDrainRequested: Bool

    public init(
        ttl: Duration, lost: [ShardKey] = [], cancelled: [ShardKey] = [], orphaned: [ShardKey] = [],
        isDrainRequested: Bool = false
    ) {
        self.ttl = ttl
        self.lost = lost
        self.cancelled = cancelled
        self.orphaned = orphaned
        self.isDrainRequested = isDrainRequested
    }
}

/// What a worker asks for.
public struct ClaimRequest: Sendable, Hashable {
    /// So many shards at most, all of one job.
    public var limit: Int
    /// Only shards of this run; nil for any.
    public var run: RunID?
    /// Only shards of a higher tier than this; nil for any.
    public var above: Priority?
    /// The shards are fetched ahead of their computation; ``WorkQueue/begin(_:)`` says when that begins.
    public var isPrefetch: Bool
    /// No shards of these jobs, which the worker can't work on for now.
    public var excluding: [JobID]
    /// No shards that need one of these models.
    public var without: [MissingModel]

    public init(
        limit: Int = 1, run: RunID? = nil, above: Priority? = nil, isPrefetch: Bool = false, excluding: [JobID] = [],
        without: [MissingModel] = []
    ) {
        self.limit = limit
        self.run = run
        self.above = above
        self.isPrefetch = isPrefetch
        self.excluding = excluding
        self.without = without
    }

    public func excludes(_ job: JobID, model: String, sha256: String) -> Bool {
        excluding.contains(job) || without.contains(.inRun(job.run, model)) || without.contains(.anywhere(sha256))
    }
}

/// A model that a worker's node does not have.
public enum MissingModel: Sendable, Hashable {
    /// Wherever runs look for it, by its SHA-256.
    case anywhere(String)
    /// Where a run looks for it, by its name in that run: others may have it registered in another place.
    case inRun(RunID, String)

    /// As claim_shards() reads it.
    public var text: String {
        switch self {
        case .anywhere(let sha256): sha256
        case .inRun(let run, let name): "\(run.text):\(name)"
        }
    }
}

/// A shard that a worker may compute now, with all that it needs for it.
public struct ClaimedShard: Sendable, Hashable {
    public let key: ShardKey
    public let worker: WorkerID
    public let epoch: Epoch
    public let incarnation: Incarnation
    public let range: ShardRange
    /// This try's number among those that count against `maxAttempts`, from 1.
    public let attempt: Int
    public let maxAttempts: Int
    /// The tier that it was claimed in.
    public let priority: Priority
    public let task: String
    public let model: String
    public let modelSHA256: String
    /// The job's specification as submitted, JSON.
    public let specification: String
    /// Device time that this model took for a sample of this task lately; nil when nobody has measured it.
    public let secondsPerSample: Double?

    public var job: JobID { key.job }
    public var run: RunID { key.job.run }
    public var jobName: String { key.job.name }
    public var index: Int { key.index }
    public var rowStart: Int { range.rowStart }
    public var rowCount: Int { range.rowCount }

    public init(
        key: ShardKey, worker: WorkerID, epoch: Epoch, incarnation: Incarnation, range: ShardRange, attempt: Int,
        maxAttempts: Int, priority: Priority = .normal, task: String, model: String, modelSHA256: String,
        specification: String, secondsPerSample: Double? = nil
    ) {
        self.key = key
        self.worker = worker
        self.epoch = epoch
        self.incarnation = incarnation
        self.range = range
        self.attempt = attempt
        self.maxAttempts = maxAttempts
        self.priority = priority
        self.task = task
        self.model = model
        self.modelSHA256 = modelSHA256
        self.specification = specification
        self.secondsPerSample = secondsPerSample
    }

    /// What the next heartbeat says of this shard.
    public func progress(samples: Int = 0, tokens: Int = 0) -> ShardProgress {
        ShardProgress(key: key, epoch: epoch, samples: samples, tokens: tokens)
    }
}

/// A claim by what a result file's path says of it; the queue may never have heard of it.
public struct ClaimReference: Sendable, Hashable {
    public var run: RunID
    /// The job's place in its run.
    public var ordinal: Int
    /// The shard's place in its job.
    public var shard: Int
    public var epoch: Epoch
    public var incarnation: Incarnation

    public init(run: RunID, ordinal: Int, shard: Int, epoch: Epoch, incarnation: Incarnation) {
        self.run = run
        self.ordinal = ordinal
        self.shard = shard
        self.epoch = epoch
        self.incarnation = incarnation
    }

    /// A claim of the job of this name; `nil` if no job of a queue can have the name, or the numbers.
    public init?(jobName: String, shard: Int, epoch: Int, incarnation: Incarnation) {
        guard let name = try? JobName(jobName), let run = try? RunID(name.run), storableCount.contains(shard),
            storableCount.contains(epoch), "\(run).\(name.ordinal)" == jobName
        else { return nil }
        self.init(run: run, ordinal: name.ordinal, shard: shard, epoch: Epoch(epoch), incarnation: incarnation)
    }
}

/// A published result file, as the commit makes it visible.
public struct ShardPublication: Sendable, Hashable {
    /// Relative to the store, with forward slashes.
    public var path: String
    public var bytes: Int64
    /// Of the file: 64 lower-case hexadecimal digits.
    public var sha256: String
    /// The logical digest of the content.
    public var digest: String
    public var samples: Int
    /// Tokens read and generated.
    public var tokens: Int
    /// Device time spent on this attempt.
    public var seconds: Double

    public init(
        path: String, bytes: Int64, sha256: String, digest: String, samples: Int, tokens: Int, seconds: Double
    ) {
        self.path = path
        self.bytes = bytes
        self.sha256 = sha256
        self.digest = digest
        self.samples = samples
        self.tokens = tokens
        self.seconds = seconds
    }
}

/// A claim and what came of it, to be committed.
public struct ShardCommit: Sendable, Hashable {
    public var claimed: ClaimedShard
    public var publication: ShardPublication

    public init(_ claimed: ClaimedShard, _ publication: ShardPublication) {
        self.claimed = claimed
        self.publication = publication
    }
}

/// What a commit came to.
public enum CommitOutcome: String, Sendable, Hashable {
    /// The result is visible now.
    case committed
    /// This very result was committed before; its acknowledgement must have got lost.
    case already
    /// The shard belongs to somebody else by now: the result is not visible and never will be.
    case fenced
    /// Other results of the job come from another engine: the result is not visible, and the shard is still the worker's.
    case unlike
}

extension ShardPublication {
    /// Checks that this can be the result of `claimed`.
    ///
    /// - Throws: `invalid`, above all when the number of samples is not the shard's number of rows.
    public func validate(for claimed: ClaimedShard) throws(QueueError) {
        guard samples == claimed.rowCount else {
            throw QueueError(
                .invalid,
                """
                the result of shard \(claimed.key) has \(samples) samples, the shard has \(claimed.rowCount): a result \
                must cover all of its shard's rows
                """)
        }
        try QueueError.check(path, "the result's path of shard \(claimed.key)", 1...1024)
        let folders = path.split(separator: "/", omittingEmptySubsequences: false)
        guard folders.allSatisfy({ $0 != "" && $0 != "." && $0 != ".." }), !path.contains("\\") else {
            throw QueueError(
                .invalid, "'\(path)' is no path for a result: it must be relative to the store and stay inside it")
        }
        guard bytes > 0 else {
            throw QueueError(.invalid, "\(path) has \(bytes) bytes: a result file is never empty")
        }
        try QueueError.check(sha256: sha256, "the sha256 of \(path)")
        try QueueError.check(digest, "the digest of \(path)", 1...200)
        try QueueError.check(tokens, "the number of tokens of \(path)", 0...Int.max)
        try QueueError.check(seconds: seconds, "the time for \(path)")
    }
}

/// A result of another job that is what a shard's would be: of the same work, on the same engine.
public struct EqualResult: Sendable, Hashable {
    public var job: JobID
    /// Relative to the store.
    public var path: String
    public var bytes: Int64
    /// Of the file: 64 lower-case hexadecimal digits.
    public var sha256: String
    /// The logical digest of the content.
    public var digest: String
    /// The rows that it has.
    public var range: ShardRange

    public init(job: JobID, path: String, bytes: Int64, sha256: String, digest: String, range: ShardRange) {
        self.job = job
        self.path = path
        self.bytes = bytes
        self.sha256 = sha256
        self.digest = digest
        self.range = range
    }

    /// So many are answered at most, and so many jobs are looked at.
    public static let limit = 1000
}

/// Why an attempt failed.
public struct ShardFailure: Sendable, Hashable {
    public var message: String
    /// True when another try can't succeed (a bad row, an unsupported request).
    public var isPermanent: Bool
    /// Device time spent on this attempt.
    public var seconds: Double

    public init(message: String, isPermanent: Bool, seconds: Double) {
        self.message = message
        self.isPermanent = isPermanent
        self.seconds = seconds
    }
}

/// What becomes of a shard whose attempt failed.
public enum FailureOutcome: Sendable, Hashable {
    /// Another worker may try it after this time.
    case retry(after: Duration)
    /// Given up: a permanent error, or no attempts left.
    case failed
    /// Its run was cancelled meanwhile.
    case cancelled
    /// The shard was not this worker's any more; nothing was recorded.
    case fenced
    /// Somebody keeps the job locked; nothing was recorded, and the shard is still this worker's.
    case jobIsLocked
}

/// What a reaper's round came to.
public struct ReapReport: Sendable, Hashable {
    /// Workers declared dead.
    public var workers: Int
    /// Shards that went back to be claimed again.
    public var requeued: Int
    /// Shards held as suspected poison.
    public var held: Int
    /// Shards whose backoff is over.
    public var promoted: Int

    public init(workers: Int = 0, requeued: Int = 0, held: Int = 0, promoted: Int = 0) {
        self.workers = workers
        self.requeued = requeued
        self.held = held
        self.promoted = promoted
    }
}

extension ShardFailure {
    /// The longest message that is kept, in Unicode scalars.
    static let messageLimit = 8000

    /// A failure that can be stored: whatever went wrong, recording it must not go wrong too.
    public var normalized: ShardFailure {
        var copy = self
        copy.message = message.storable(limit: Self.messageLimit)
        copy.seconds = seconds.isFinite ? max(0, seconds) : 0
        return copy
    }
}

extension String {
    /// What is kept of a note on a worker, or on a shard that it gives back: 1000 Unicode scalars at most.
    public var storableNote: String { storable(limit: 997) }

    /// The text as a reason that can be stored: without NUL characters, and cut off after so many Unicode scalars.
    public func storable(limit: Int) -> String {
        var scalars = String.UnicodeScalarView(unicodeScalars.lazy.filter { $0.value != 0 })
        if scalars.count > limit {
            scalars = String.UnicodeScalarView(scalars.prefix(limit)) + "...".unicodeScalars
        }
        return scalars.isEmpty ? "unknown error" : String(scalars)
    }
}

extension ShardProgress {
    /// Progress that can be stored.
    public var normalized: ShardProgress {
        var copy = self
        copy.samples = min(max(0, samples), storableCount.upperBound)
        copy.tokens = max(0, tokens)
        return copy
    }
}
