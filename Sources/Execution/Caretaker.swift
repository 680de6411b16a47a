internal import JobQueue
internal import Logging
internal import Synchronization
internal import UVEventLoop

/// Has the queue's chores done, also while its worker is busy and asks for nothing: without it, dead workers' shards,
/// closed gates and the projects' device time would wait until somebody runs out of work.
///
/// Every worker does this: one is enough, and many do no harm.
final class Caretaker: Sendable {
    private let queue: any WorkQueue
    private let loop: EventLoop
    /// Seconds between two looks, drawn for each, so that many workers do not come at once.
    private let interval: ClosedRange<Double>
    private let logger: Logger
    /// What failed last time, so that a chore that keeps failing is said once.
    private let failing = Mutex<Set<Chore>>([])

    init(queue: any WorkQueue, loop: EventLoop, interval: ClosedRange<Double>, logger: Logger) {
        self.queue = queue
        self.loop = loop
        self.interval = interval
        self.logger = logger
    }

    /// Runs until its task is cancelled.
    func run() async {
        while (try? await self.loop.sleep(for: .seconds(.random(in: self.interval)))) != nil {
            await self.doDueChores()
        }
    }

    /// Does what is due, each chore by itself; true when something may have become claimable.
    @discardableResult
    func doDueChores() async -> Bool {
        let due: [Chore]
        do throws(QueueError) {
            due = try await self.queue.dueChores()
        } catch {
            self.logger.debug("could not look after the queue", metadata: ["error": "\(error)"])
            return false
        }
        var hasChanged = false
        for chore in due {
            do throws(QueueError) {
                let changed = try await self.queue.run(chore, isForced: false)?.changed ?? 0
                hasChanged = hasChanged || changed > 0
                _ = self.failing.withLock { $0.remove(chore) }
            } catch {
                let isNew = self.failing.withLock { $0.insert(chore).inserted }
                guard isNew, error.code != .cancelled else { continue }
                self.logger.warning(
                    "a chore of the queue failed; the others and all claims go on",
                    metadata: ["chore": "\(chore.rawValue)", "error": "\(error)"])
            }
        }
        return hasChanged
    }
}
