internal import JobQueue
internal import Logging
internal import UVEventLoop

/// Has the queue do what is due now and then, also while its worker is busy and asks for nothing: without it, dead
/// workers' shards, closed gates and the projects' device time would wait until somebody runs out of work.
///
/// Every worker does this: one is enough, and many do no harm.
struct Caretaker: Sendable {
    let queue: any WorkQueue
    let loop: EventLoop
    /// Seconds between two looks, drawn anew each time, so that many workers do not come at once.
    let interval: ClosedRange<Double>
    let logger: Logger

    /// Runs until its task is cancelled.
    func run() async {
        while (try? await self.loop.sleep(for: .seconds(.random(in: self.interval)))) != nil {
            do {
                _ = try await self.queue.reap()
            } catch {
                self.logger.debug("could not look after the queue", metadata: ["error": "\(error)"])
            }
        }
    }
}
