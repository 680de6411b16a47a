public import FoundationEssentials
public import JobQueue

/// Fires the schedules of a queue; any process may, at any time.
public struct ScheduleFirer: Sendable {
    private let queue: any ScheduleRegistry

    public init(queue: any ScheduleRegistry) {
        self.queue = queue
    }

    /// Submits what is due now; one indexed query when nothing is.
    public func fireDue() async throws(QueueError) -> ScheduleRound {
        try await self.queue.fireDueSchedules(ScheduledRun.build)
    }

    /// Asks for a run now.
    public func trigger(_ name: String, overlap: OverlapPolicy? = nil) async throws(QueueError) -> ScheduleFire {
        try await self.queue.triggerSchedule(named: name, overlap: overlap, ScheduledRun.build)
    }

    /// Asks for the run of one past due time.
    public func backfill(
        _ name: String, dueAt: Date, overlap: OverlapPolicy? = nil
    ) async throws(QueueError) -> ScheduleFire {
        try await self.queue.backfillSchedule(named: name, dueAt: dueAt, overlap: overlap, ScheduledRun.build)
    }
}
