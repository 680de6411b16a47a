internal import JobQueue
internal import Logging
internal import UVEventLoop

extension Worker {
    /// Repeats a call through outages of the database, and while its schema is being changed.
    ///
    /// - Parameters:
    ///   - task: What is being done, for the log: "commit a shard".
    ///   - isWanted: Looked at before each try but the first, and during pauses.
    ///   - migration: How long a schema that does not fit may last; nil for ever, where a result is in hand.
    /// - Throws: What the queue answered; `unavailable` or `schema` when the call is not wanted any more, `cancelled`
    ///   with the task.
    func patiently<Value: Sendable>(
        _ task: String, while isWanted: @Sendable () -> Bool = { true }, migration: Duration? = nil,
        _ body: (any WorkQueue) async throws(QueueError) -> Value
    ) async throws(QueueError) -> Value {
        var backoff = Backoff.database
        var misfit: ContinuousClock.Instant?
        while true {
            do throws(QueueError) {
                let value = try await body(self.queue)
                self.outage.ended(self.logger)
                return value
            } catch {
                guard error.isPassing else {
                    if error.code != .cancelled { self.outage.ended(self.logger) }
                    throw error
                }
                if error.code == .schema, let migration {
                    misfit = misfit ?? self.clock.now
                    if let misfit, self.clock.now - misfit >= migration { throw error }
                } else {
                    misfit = nil
                }
                self.outage.failed(error, doing: task, self.logger)
                try await self.pause(backoff.pause(), while: isWanted)
                guard isWanted() else { throw error }
            }
        }
    }

    /// How long a migration may take before a worker with empty hands gives up.
    static let migrationPatience: Duration = .seconds(900)

    /// Waits, in small pieces so that somebody who asks for the end is heard.
    func pause(_ duration: Duration, while isWanted: () -> Bool) async throws(QueueError) {
        let end = self.clock.now + duration
        do {
            while isWanted(), self.clock.now < end {
                try await self.heartbeatLoop.sleep(for: min(end - self.clock.now, .milliseconds(250)))
            }
        } catch {
            throw QueueError(.cancelled, "stopped while waiting", underlying: error)
        }
    }
}

extension QueueError {
    /// The same call may succeed later: the database is away, or its schema is being changed.
    var isPassing: Bool { self.isTransient || self.code == .schema }
}
