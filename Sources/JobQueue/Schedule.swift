public import Calendar
import Crypto
public import FoundationEssentials

/// Makes the run that is submitted now from a schedule's template.
///
/// It gets the models that the template's jobs name, as they are registered now; a name that is missing was removed.
/// What it throws becomes the reason of a failed fire, and the schedule goes on; an ``UnreadableTemplate`` leaves the due
/// time to others.
public typealias ScheduledRunBuilder =
    @Sendable (_ template: RunSubmission, _ models: [String: ModelRecord]) throws -> RunSubmission

/// What a schedule submits was planned by another version of Assay, and this one can't read it.
///
/// That is this program's problem and no reason to give the due time up: another worker may be of the right version.
public struct UnreadableTemplate: Error {
    /// What can't be read, and what to do.
    public var message: String

    public init(_ message: String) { self.message = message }
}

/// Runs that the clock submits.
///
/// There is no leader: the first to call ``fireDueSchedules(_:)`` fires, and of many at once exactly one does.
public protocol ScheduleRegistry: Sendable {
    /// Adds a schedule; the same one again changes nothing.
    ///
    /// - Parameter replacing: Let the name mean this schedule from now on; its history and its pause stay.
    /// - Throws: `conflict` when the name stands for another schedule, `invalid` when it could not fire.
    @discardableResult
    func addSchedule(_ definition: ScheduleDefinition, replacing: Bool) async throws(QueueError) -> ScheduleRecord

    /// All schedules by name.
    func schedules() async throws(QueueError) -> [ScheduleRecord]

    /// The schedule of this name.
    ///
    /// - Throws: `notFound` with the names that exist.
    func schedule(named name: String) async throws(QueueError) -> ScheduleRecord

    /// What the schedule submits.
    func template(ofSchedule name: String) async throws(QueueError) -> RunTemplate

    /// Lets due times pass, recorded as skipped, until the schedule is resumed; a second pause changes nothing.
    @discardableResult
    func pauseSchedule(
        named name: String, user: String, reason: String?
    ) async throws(QueueError) -> ScheduleRecord

    /// Fires from the next due time on; nothing of the pause is caught up.
    @discardableResult
    func resumeSchedule(named name: String) async throws(QueueError) -> ScheduleRecord

    /// Never fires it again; its runs stay, and its name may be used for another one.
    func removeSchedule(named name: String) async throws(QueueError)

    /// The outcomes of due times, the latest first, with one that waits before all others.
    func fires(
        ofSchedule name: String, from: Date, through: Date, limit: Int
    ) async throws(QueueError) -> [ScheduleFire]

    /// Submits all that is due, and answers with the outcomes; cheap when nothing is.
    func fireDueSchedules(_ build: ScheduledRunBuilder) async throws(QueueError) -> ScheduleRound

    /// Asks for a run now, whether or not the schedule is paused.
    ///
    /// - Parameter overlap: What to do about open runs; nil for what the schedule does.
    func triggerSchedule(
        named name: String, overlap: OverlapPolicy?, _ build: ScheduledRunBuilder
    ) async throws(QueueError) -> ScheduleFire

    /// Asks for the run of a past due time, unless it has one: then that fire is answered and nothing changes.
    ///
    /// - Throws: `invalid` when this is no due time, or not a past one.
    func backfillSchedule(
        named name: String, dueAt: Date, overlap: OverlapPolicy?, _ build: ScheduledRunBuilder
    ) async throws(QueueError) -> ScheduleFire
}

/// What one look at the schedules came to.
public struct ScheduleRound: Sendable, Hashable, Encodable {
    /// What was fired, skipped and failed.
    public var fires: [ScheduleFire] = []
    /// Schedules that this process could do nothing about, with the reason; others may.
    public var problems: [String] = []

    public init() {}
}

extension ScheduleRegistry {
    @discardableResult
    public func addSchedule(_ definition: ScheduleDefinition) async throws(QueueError) -> ScheduleRecord {
        try await addSchedule(definition, replacing: false)
    }

    /// The latest fires first.
    public func fires(ofSchedule name: String, limit: Int = 100) async throws(QueueError) -> [ScheduleFire] {
        try await fires(
            ofSchedule: name, from: Date(timeIntervalSince1970: 0), through: .distantFuture, limit: limit)
    }
}

/// A schedule as its owner describes it.
public struct ScheduleDefinition: Sendable, Hashable {
    /// Unique among the schedules that were not removed.
    public var name: String
    public var timing: ScheduleTiming
    /// What is submitted at each due time.
    public var template: RunTemplate

    public init(name: String, timing: ScheduleTiming, template: RunTemplate) {
        self.name = name
        self.timing = timing
        self.template = template
    }
}

/// When a schedule fires, and what may keep it from that.
public struct ScheduleTiming: Sendable, Hashable {
    public var cron: CronExpression
    /// The name of an IANA time zone, such as "Europe/Berlin".
    public var timeZone: String
    public var overlap: OverlapPolicy
    /// How late the latest missed due time may still be caught up, in seconds.
    public var catchUp: Int
    /// Every due time is fired up to so many seconds later, so that not everything starts at once.
    public var jitter: Int

    public static let defaultCatchUp = 12 * 3600

    public init(
        cron: CronExpression, timeZone: String = "UTC", overlap: OverlapPolicy = .skip,
        catchUp: Int = Self.defaultCatchUp, jitter: Int = 0
    ) {
        self.cron = cron
        self.timeZone = timeZone
        self.overlap = overlap
        self.catchUp = catchUp
        self.jitter = jitter
    }
}

extension ScheduleDefinition {
    /// Checks that the schedule can fire.
    ///
    /// - Returns: The rules of its time zone.
    /// - Throws: `invalid` with the first thing that is wrong.
    @discardableResult
    public func validate(now: Date) throws(QueueError) -> ZoneRules {
        try QueueError.check(name, "the schedule's name", 1...200)
        let zone = try timing.validate(now: now)
        try template.submission(id: RunID(unchecked: "00000000")).validate()
        return zone
    }
}

extension ScheduleTiming {
    /// Checks ranges, the time zone, and that jitter never changes the order of due times.
    @discardableResult
    public func validate(now: Date) throws(QueueError) -> ZoneRules {
        try QueueError.check(catchUp, "the catch-up window", 0...366 * 86_400)
        try QueueError.check(jitter, "the jitter", 0...86_400)
        let zone = try QueueError.ofCalendar { () throws(CalendarError) in try ZoneRules(named: timeZone) }
        let due = cron.due(after: now, in: zone, limit: 100)
        guard !due.isEmpty else {
            throw QueueError(.invalid, "cron expression '\(cron)' is never due in the next fifty years")
        }
        let shortest = zip(due, due.dropFirst()).map { $1.timeIntervalSince($0) }.min() ?? .infinity
        guard Double(jitter) < shortest else {
            throw QueueError(
                .invalid,
                """
                a jitter of \(jitter) seconds is too long for '\(cron)', which is due every \(Int(shortest)) seconds: \
                it must be less
                """)
        }
        return zone
    }
}

/// What to do at a due time while a run of the same schedule is still open.
public enum OverlapPolicy: String, Sendable, Hashable, CaseIterable, Codable {
    /// It is skipped.
    case skip
    /// It waits until no run is open any more; only one waits, others are skipped.
    case bufferOne = "buffer_one"
    /// It is submitted all the same.
    case allowAll = "allow_all"
    /// The open runs are cancelled and it is submitted.
    case cancelOther = "cancel_other"

    /// Reads a policy's name.
    ///
    /// - Throws: `invalid` for any other word.
    public init(name: String) throws(QueueError) {
        guard let match = Self(rawValue: name) else {
            let names = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw QueueError(.invalid, "overlap policy '\(name)' does not exist: use one of \(names)")
        }
        self = match
    }
}

/// What a schedule submits: a run without its identifier.
///
/// It is stored as JSON for years: whatever is added to submissions must be optional there, or a schedule that was
/// added by an older program can't be read any more.
public struct RunTemplate: Sendable, Hashable {
    private let submission: RunSubmission

    /// The run as planned; its identifier does not matter.
    public init(_ submission: RunSubmission) {
        var submission = submission
        submission.id = RunID(unchecked: String(repeating: "0", count: RunID.length))
        self.submission = submission
    }

    public func submission(id: RunID) -> RunSubmission {
        var submission = submission
        submission.id = id
        return submission
    }

    public var project: String { submission.project }
    public var user: String { submission.user }
    public var priority: Priority { submission.priority }
    public var jobs: [JobSubmission] { submission.jobs }

    /// True when it submits the same, no matter who added it.
    public func isSame(as other: RunTemplate) -> Bool {
        var own = submission
        own.user = other.user
        return own == other.submission
    }

    /// The names of the models that its jobs run on, each once.
    public var modelNames: [String] { Set(jobs.map(\.model)).sorted() }
}

extension RunTemplate: Codable {
    public init(from decoder: any Decoder) throws {
        submission = try decoder.singleValueContainer().decode(RunSubmission.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(submission)
    }
}

extension RunTemplate {
    /// With sorted keys; equal templates give equal texts.
    public func json() throws(QueueError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        } catch {
            throw QueueError(.invalid, "the schedule's run can't be written as JSON: \(error)", underlying: error)
        }
    }

    public init(json: String) throws(QueueError) {
        do {
            self = try JSONDecoder().decode(RunTemplate.self, from: Data(json.utf8))
        } catch {
            throw QueueError(
                .invalid,
                "what the schedule submits was stored by another version of Assay; add it again with --replace",
                underlying: error)
        }
    }
}

/// A schedule as the queue knows it.
public struct ScheduleRecord: Sendable, Hashable {
    public var name: String
    public var timing: ScheduleTiming
    public var project: String
    public var user: String
    public var createdAt: Date
    /// When it was replaced last.
    public var updatedAt: Date
    /// The first due time about which nothing is decided; nil when none is to come.
    public var nextAt: Date?
    /// A due time that waits for the open runs to end.
    public var waitingFire: ScheduleFire?
    public var pause: Pause?
    /// What was recorded for the latest due time.
    public var lastFire: ScheduleFire?

    public struct Pause: Sendable, Hashable, Encodable {
        public var at: Date
        public var user: String
        public var reason: String?

        public init(at: Date, user: String, reason: String?) {
            self.at = at
            self.user = user
            self.reason = reason
        }
    }

    public init(
        name: String, timing: ScheduleTiming, project: String, user: String, createdAt: Date, updatedAt: Date,
        nextAt: Date?, waitingFire: ScheduleFire?, pause: Pause?, lastFire: ScheduleFire?
    ) {
        self.name = name
        self.timing = timing
        self.project = project
        self.user = user
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.nextAt = nextAt
        self.waitingFire = waitingFire
        self.pause = pause
        self.lastFire = lastFire
    }
}

extension ScheduleRecord: Encodable {
    private enum Key: String, CodingKey {
        case name, cron, timeZone, overlap, catchUpSeconds, jitterSeconds, project, user, createdAt, updatedAt, nextAt
        case waitingFire, pause, lastFire
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(name, forKey: .name)
        try container.encode(timing.cron.text, forKey: .cron)
        try container.encode(timing.timeZone, forKey: .timeZone)
        try container.encode(timing.overlap, forKey: .overlap)
        try container.encode(timing.catchUp, forKey: .catchUpSeconds)
        try container.encode(timing.jitter, forKey: .jitterSeconds)
        try container.encode(project, forKey: .project)
        try container.encode(user, forKey: .user)
        try container.encode(createdAt, forKey: .createdAt)
        try container.encode(updatedAt, forKey: .updatedAt)
        try container.encodeIfPresent(nextAt, forKey: .nextAt)
        try container.encodeIfPresent(waitingFire, forKey: .waitingFire)
        try container.encodeIfPresent(pause, forKey: .pause)
        try container.encodeIfPresent(lastFire, forKey: .lastFire)
    }
}

/// The outcome of one due time.
public struct ScheduleFire: Sendable, Hashable, Encodable {
    public enum Kind: String, Sendable, Hashable, CaseIterable, Encodable {
        /// The clock reached it.
        case clock
        /// A person asked for a run now.
        case trigger
        /// A person asked for a past due time.
        case backfill
    }

    public enum Outcome: String, Sendable, Hashable, CaseIterable, Encodable {
        case fired
        case skipped
        /// Nothing could be submitted; the reason says why.
        case failed
        /// Waits for the open runs to end; not decided yet.
        case waiting
    }

    /// The schedule's name.
    public var schedule: String
    /// For a trigger, the moment at which it was asked for.
    public var dueAt: Date
    /// Counts what was recorded for this due time, from 1; 0 while it waits.
    public var attempt: Int
    public var kind: Kind
    public var outcome: Outcome
    /// Why it was skipped or failed, or fired late.
    public var reason: String?
    /// The run that was submitted.
    public var run: RunID?
    public var recordedAt: Date

    public init(
        schedule: String, dueAt: Date, attempt: Int, kind: Kind, outcome: Outcome, reason: String?, run: RunID?,
        recordedAt: Date
    ) {
        self.schedule = schedule
        self.dueAt = dueAt
        self.attempt = attempt
        self.kind = kind
        self.outcome = outcome
        self.reason = reason
        self.run = run
        self.recordedAt = recordedAt
    }
}

extension ScheduleFire {
    /// A due time that waits for open runs to end.
    public init(waiting dueAt: Date, kind: Kind, schedule: String) {
        self.init(
            schedule: schedule, dueAt: dueAt, attempt: 0, kind: kind, outcome: .waiting,
            reason: "waits for the run before it", run: nil, recordedAt: dueAt)
    }
}

/// A schedule's own secret number: what depends on it and a due time is the same wherever it is computed.
///
/// Two databases may share a store and have schedules of the same name; the key keeps their runs apart.
public struct ScheduleKey: Sendable, Hashable {
    let uuid: UUID

    public init(uuid: UUID) {
        self.uuid = uuid
    }

    /// The run of a due time; a repetition gets the same one.
    public func run(dueAt: Date, attempt: Int) -> RunID {
        let bytes = hash("run", dueAt, attempt)
        return RunID(unchecked: String(bytes.prefix(RunID.length).map { RunID.alphabet[Int($0 & 31)] }))
    }

    /// Seconds from 0 to `span` that a due time is fired later.
    func jitter(dueAt: Date, span: Int) -> Double {
        guard span > 0 else { return 0 }
        let number = hash("jitter", dueAt, 0).prefix(6).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Double(span) * Double(number) / Double(UInt64(1) << 48)
    }

    private func hash(_ purpose: String, _ dueAt: Date, _ attempt: Int) -> [UInt8] {
        let microseconds = Int64((dueAt.timeIntervalSince1970 * 1_000_000).rounded())
        return Array(SHA256.hash(data: Array("\(purpose) \(uuid.uuidString) \(microseconds) \(attempt)".utf8)))
    }
}

// The sentences that both implementations say.
extension QueueError {
    public static func scheduleNotFound(_ name: String, existing: [String]) -> QueueError {
        let others = existing.isEmpty ? "none was added yet" : "there are \(existing.joined(separator: ", "))"
        return QueueError(.notFound, "there is no schedule '\(name)' (\(others)): add it with `assay schedule add`")
    }

    public static func scheduleConflict(_ name: String) -> QueueError {
        QueueError(
            .conflict,
            "schedule '\(name)' exists already and is another one: replace it (--replace), or choose another name")
    }

    public static func notFiredFromHere(_ name: String, _ code: Code, _ reason: String) -> QueueError {
        QueueError(code, "schedule '\(name)' can't be fired from here: \(reason)")
    }

    static func notDue(_ time: Date, _ cron: CronExpression, zone: String) -> QueueError {
        QueueError(
            .invalid, "\(time.formatted(.iso8601)) is no due time of '\(cron)' in \(zone): give one that was due")
    }

    static func notPast(_ time: Date) -> QueueError {
        QueueError(
            .invalid, "\(time.formatted(.iso8601)) is still to come: only times that are past can be backfilled")
    }
}
