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
