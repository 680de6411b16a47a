internal import ArgumentParser
internal import Console
internal import FoundationEssentials
internal import JobQueue
internal import Planning
internal import Reporting
internal import UVEventLoop

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Submit a job file, work on it with a local worker, and make the report: the quick way.",
        discussion: """
            Ends when the run has ended. Interrupted, it leaves the run in the queue; any worker can finish it.
            Example:  assay run jobs/demo.yaml
            """)

    @Argument(help: "The job file.")
    var file: String

    @Option(help: "The worker's device: auto, cpu or cuda:N.")
    var device = "auto"

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var run: RunRecord
        var report: String
        var results: [String]
    }

    func run() async throws {
        try await Session.with(self.options) { session in
            let plan = try await RunPreparation.plan(self.file, priority: nil, project: nil, session)
            let store = try await session.store()
            let run = try await Planner.submit(plan, queue: session.queue, store: store)
            if !self.options.json {
                Output.note(
                    "run \(run.id): \(Format.counted(plan.jobs.count, "job")), "
                        + "\(Format.counted(run.progress.samples, "sample"))")
            }
            let runsCode = plan.submission.jobs.contains { $0.needLabels.contains(WorkerLabel.runsCode) }
            let settled = try await self.work(on: run, runsCode: runsCode, session)
            try RunWatcher.check(settled)
            let built = try await ReportBuilder(queue: session.queue, store: store).build(run.id)
            if self.options.json {
                return try Output.json(
                    Answer(run: settled, report: built.absoluteFolder, results: built.resultFiles))
            }
            let terminal = Terminal.standardOutput(environment: self.options.environment)
            Output.line(built.summary(on: terminal))
        }
    }

    /// Starts a worker beside this program and follows the run until it or the worker has ended.
    private func work(on run: RunRecord, runsCode: Bool, _ session: Session) async throws -> RunRecord {
        let worker = try LocalWorker(session: session, device: self.device, run: run.id, runsCode: runsCode)
        return try await worker.work { isAlive in
            try await RunWatcher(session: session, environment: self.options.environment)
                .follow(run.id, while: isAlive)
        }
    }
}
