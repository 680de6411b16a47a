internal import JobQueue
internal import Logging
internal import PostgresQueue
internal import UVEventLoop

/// Moves runs that ended long ago out of the queue's way, a few at a time; any number of workers may do so at once.
struct Archiver: Sendable {
    let queue: PostgresJobQueue
    let loop: EventLoop
    let logger: Logger

    static let age = Duration.seconds(30 * 86_400)
    static let runsAtOnce = 20

    /// Looks about once an hour, until cancelled; workers that start together do not come together.
    func run() async {
        while !Task.isCancelled {
            do {
                try await self.loop.sleep(for: .seconds(.random(in: 1800...5400)))
                let archived = try await self.queue.archive(olderThan: Self.age, limit: Self.runsAtOnce)
                if archived > 0 { self.logger.info("archived old runs", metadata: ["runs": "\(archived)"]) }
            } catch is CancellationError {
                return
            } catch {
                self.logger.debug("could not archive old runs", metadata: ["error": "\(error)"])
            }
        }
    }
}
