internal import JobQueue
internal import Logging
internal import PostgresQueue
internal import UVEventLoop

/// Cancels runs whose command has died, which no worker could ever do.
///
/// Any number of workers may do so at once.
struct RescoringSweep: Sendable {
    let queue: PostgresJobQueue
    let loop: EventLoop
    let logger: Logger

    static let runsAtOnce = 20

    /// Looks every ten minutes or so, until cancelled; workers that start together do not come together.
    func run() async {
        while (try? await self.loop.sleep(for: .seconds(.random(in: 300...900)))) != nil {
            do {
                let cancelled = try await self.queue.cancelAbandonedRescorings(limit: Self.runsAtOnce)
                if cancelled > 0 {
                    self.logger.notice(
                        "cancelled runs whose `assay results rescore` has died", metadata: ["runs": "\(cancelled)"])
                }
            } catch {
                self.logger.warning("could not look for abandoned rescorings", metadata: ["error": "\(error)"])
            }
        }
    }
}
