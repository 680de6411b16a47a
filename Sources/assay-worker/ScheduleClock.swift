internal import JobQueue
internal import Logging
internal import Planning
internal import UVEventLoop

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
