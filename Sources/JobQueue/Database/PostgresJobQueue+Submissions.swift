import Postgres

extension PostgresJobQueue {
    /// The channel that every submission is announced on; one announcement per run.
    static let channel = "assay_submitted"

    /// Keeps one of the pool's connections while anybody listens.
    public func submissions() async -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let pool = pool
        let interval = pollInterval
        let listener = Task {
            while !Task.isCancelled {
                // Errors are left to the calls that do the work: here they only mean to poll for now.
                try? await pool.withConnection { connection in
                    let announcements = try await connection.listen(Self.channel)
                    continuation.yield()
                    for await _ in announcements {
                        continuation.yield()
                    }
                }
                try? await Task.sleep(for: .seconds(.random(in: interval)))
            }
        }
        let poller = Task {
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(.random(in: interval)))
                continuation.yield()
            }
        }
        continuation.onTermination = { _ in
            listener.cancel()
            poller.cancel()
        }
        return stream
    }
}
