internal import JobQueue
public import Logging
internal import Planning
public import PostgresQueue
public import UVEventLoop

/// What is done for the queue now and then, beside a worker's own work.
///
/// Every worker does it: one is enough, and many do no harm.
public struct MaintenanceServices: Sendable {
    private let archiver: Archiver
    private let clock: ScheduleClock
    private let sweep: RescoringSweep

    public init(queue: PostgresJobQueue, loop: EventLoop, logger: Logger) {
        self.archiver = Archiver(queue: queue, loop: loop, logger: logger)
        self.clock = ScheduleClock(firer: ScheduleFirer(queue: queue), loop: loop, logger: logger)
        self.sweep = RescoringSweep(queue: queue, loop: loop, logger: logger)
    }

    /// Runs until its task is cancelled.
    public func run() async {
        await withTaskGroup { group in
            group.addTask { await self.archiver.run() }
            group.addTask { await self.clock.run() }
            group.addTask { await self.sweep.run() }
        }
    }
}

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

/// Fires what is due every few seconds, beside the worker's own work.
///
/// Every worker does this: one is enough, and many do no harm.
struct ScheduleClock: Sendable {
    let firer: ScheduleFirer
    let loop: EventLoop
    let logger: Logger

    /// Seconds between two looks, drawn anew each time, so that many workers do not come at once.
    private static let interval = 4.0...6.0

    /// Runs until its task is cancelled.
    func run() async {
        var problems: [String] = []
        while !Task.isCancelled {
            do {
                let round = try await self.firer.fireDue()
                round.fires.forEach(self.log)
                // One that stays is said once.
                for problem in round.problems where !problems.contains(problem) { self.logger.warning("\(problem)") }
                problems = round.problems
            } catch {
                if error.code != .cancelled { self.logger.warning("could not look at schedules: \(error)") }
            }
            guard (try? await self.loop.sleep(for: .seconds(.random(in: Self.interval)))) != nil else { return }
        }
    }

    private func log(_ fire: ScheduleFire) {
        var details: Logger.Metadata = ["schedule": "\(fire.schedule)", "due": "\(fire.dueAt)"]
        if let run = fire.run { details["run"] = "\(run)" }
        if let reason = fire.reason { details["reason"] = "\(reason)" }
        switch fire.outcome {
        case .fired: self.logger.notice("fired a schedule", metadata: details)
        case .skipped, .waiting: self.logger.notice("skipped a due time of a schedule", metadata: details)
        case .failed: self.logger.error("could not fire a schedule", metadata: details)
        }
    }
}

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
