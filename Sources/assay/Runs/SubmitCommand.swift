internal import ArgumentParser
internal import Console
internal import JobQueue
internal import Planning
internal import ResultStore

struct SubmitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit",
        abstract: "Check a job file to the last row and enqueue it.",
        discussion: """
            A file with a 'schedule' runs once, now; `assay schedule add` has it run by the clock.
            Example:  assay submit jobs/demo.yaml --watch
            """)

    @Argument(help: "The job file.")
    var file: String

    @Flag(help: "Check everything and show the plan, but enqueue nothing.")
    var dryRun = false

    @Flag(help: "Stay and show progress until the run has ended.")
    var watch = false

    @Option(help: "low, normal, high or urgent, instead of the job file's.")
    var priority: String?

    @Option(help: "The project, instead of the job file's.")
    var project: String?

    @Option(help: "A run or job that must end with all of its results first; may be repeated.")
    var after: [String] = []

    @Option(help: "A run or job that must end first, whichever way; may be repeated.")
    var afterAny: [String] = []

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        try await Session.with(self.options) { session in
            // What can't be submitted is not shown as a plan either.
            let store = try await self.dryRun ? session.existingStore() : session.store()
            let plan = try await RunPreparation.plan(
                self.file, priority: self.priority, project: self.project,
                after: self.after.map { .init($0, .ok) } + self.afterAny.map { .init($0, .any) }, session)
            if self.dryRun {
                try await Planner.check(plan, queue: session.queue)
                return try self.show(plan)
            }
            let run = try await Planner.submit(plan, queue: session.queue, store: store)
            if self.options.json, !self.watch { return try Output.json(run) }
            if !self.options.json {
                for note in plan.notes { Output.note("\(note)") }
                Output.line(
                    "\(run.id)  \(run.name): \(Format.counted(plan.jobs.count, "job")), "
                        + "\(Format.counted(run.progress.samples, "sample")), "
                        + "\(Format.counted(run.progress.shards.total, "shard"))")
            }
            guard self.watch else { return }
            let settled = try await RunWatcher(session: session, environment: self.options.environment)
                .follow(run.id)
            if self.options.json { try Output.json(settled) }
            try RunWatcher.check(settled)
        }
    }

    private func show(_ plan: RunPlan) throws {
        if self.options.json { return try Output.json(plan.jobs) }
        var table = Table("job", "task", "model", ">samples", ">shards", "task hash", "data set")
        for job in plan.jobs {
            table.add(
                "\(job.ordinal)", job.task, job.model, "\(job.samples)", "\(job.shards)",
                String(job.taskHash.prefix(12)), String(job.dataSetSHA256.prefix(12)))
        }
        Output.line(table.rendered(on: .standardOutput(environment: self.options.environment)))
        for note in plan.notes { Output.note("\(note)") }
        Output.note("nothing was enqueued")
    }
}
