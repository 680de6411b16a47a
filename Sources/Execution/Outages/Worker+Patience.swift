internal import JobQueue
internal import Logging
internal import UVEventLoop

extension Worker {
    /// Repeats a call through outages of the database.
    ///
    /// - Parameters:
    ///   - task: What is being done, for the log: "commit a shard".
    ///   - isWanted: Looked at before each try but the first, and during pauses.
    /// - Throws: What the queue answered; `unavailable` when the call is not wanted any more, `cancelled` with the task.
    func patiently<Value: Sendable>(
        _ task: String, while isWanted: @Sendable () -> Bool = { true },
        _ body: (any WorkQueue) async throws(QueueError) -> Value
    ) async throws(QueueError) -> Value {
        var backoff = Backoff.database
        while true {
            do throws(QueueError) {
                let value = try await body(self.queue)
                self.outage.ended(self.logger)
                return value
            } catch {
                guard error.isTransient else {
                    if error.code != .cancelled { self.outage.ended(self.logger) }
                    throw error
                }
                self.outage.failed(error, doing: task, self.logger)
                try await self.pause(backoff.pause(), while: isWanted)
                guard isWanted() else { throw error }
            }
        }
    }

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
