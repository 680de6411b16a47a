import Postgres

extension PostgresJobQueue {
    /// The channel that every submission is announced on; one announcement per run.
    static let channel = "assay_submitted"

    /// Listens on a connection that does other work too, and polls: an announcement may get lost with a connection, and
    /// behind a pooler there are none.
    public func submissions() async -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let queue = self
        let listener = Task {
            // Errors are left to the calls that do the work: here they only mean to poll for now.
            while !Task.isCancelled, (try? await queue.listen(waking: continuation)) != false {
                try? await Task.sleep(for: queue.nextPoll)
            }
        }
        let poller = Task {
            while !Task.isCancelled {
                try? await Task.sleep(for: queue.nextPoll)
                continuation.yield()
            }
        }
        continuation.onTermination = { _ in
            listener.cancel()
            poller.cancel()
        }
        return stream
    }

    private var nextPoll: Duration { .seconds(.random(in: pollInterval)) }

    /// Wakes at once and at every announcement, until the connection or the task ends.
    ///
    /// - Returns: False when no announcements ever come through to here.
    private func listen(waking continuation: AsyncStream<Void>.Continuation) async throws -> Bool {
        guard let announcements = try await pool.listen(Self.channel) else { return false }
        // What was submitted before this moment was announced to nobody.
        continuation.yield()
        for await _ in announcements {
            continuation.yield()
        }
        return true
    }
}
