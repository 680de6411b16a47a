internal import ArgumentParser
internal import AssayRuntime
internal import Console
internal import Evaluation
internal import FoundationEssentials
internal import Inference
internal import JobQueue
internal import LMEval
internal import Planning
internal import PostgresQueue
internal import Reporting
internal import ResultStore
internal import Synchronization
internal import TerminalText
internal import UVEventLoop

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
            let built = try await ReportBuilder(queue: session.queue, store: store) { try $0.completed() }.build(run.id)
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

struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List runs, the newest first.", discussion: "Example:  assay list --limit 5")

    @Option(help: "How many.")
    var limit = 20

    @Option(help: "Only this project's.")
    var project: String?

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        guard (1...10_000).contains(self.limit) else { throw ValidationError("--limit is from 1 to 10000") }
    }

    func run() async throws {
        let runs = try await Session.with(self.options) {
            try await $0.queue.runs(limit: self.limit, project: self.project)
        }
        if self.options.json { return try Output.json(runs) }
        guard !runs.isEmpty else { return Output.note("no runs yet; start one with `assay run jobs/demo.yaml`") }
        var table = Table("run", "name", "project", "state", ">jobs", ">samples", ">done", "submitted", "user")
        for run in runs {
            table.add(
                "\(run.id)", run.name, run.project, run.state.rawValue, "\(run.jobCount)", "\(run.progress.samples)",
                "\(Format.percent(run.progress.samplesDone, of: run.progress.samples)) %",
                Format.time(run.submittedAt), run.user)
        }
        Output.line(table.rendered(on: .standardOutput(environment: self.options.environment)))
    }
}

struct WatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Follow a run with rate and time left, until it has ended.",
        discussion: "Leaving with Ctrl-C does not touch the run. Example:  assay watch k3f9")

    @Argument(help: "A run, by any unique prefix.")
    var id: String

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let run = try await Session.with(self.options) { session in
            let run = try await session.queue.run(matching: self.id)
            return try await RunWatcher(session: session, environment: self.options.environment).follow(run.id)
        }
        if self.options.json {
            try Output.json(run)
        } else {
            Output.line("run \(run.id) is \(run.state.rawValue): \(run.progress.samplesDone) samples")
        }
        try RunWatcher.check(run)
    }
}

/// Follows a run until it has ended, with rate and time left.
struct RunWatcher {
    let session: Session
    let environment: [String: String]

    /// Shows progress on standard error, and answers the run once nothing of it is open any more.
    ///
    /// - Parameter isStillUseful: False ends the watch early; for a local worker that died.
    func follow(_ id: RunID, while isStillUseful: () -> Bool = { true }) async throws -> RunRecord {
        var line = ProgressLine(terminal: .standardError(environment: self.environment))
        var meter = RateMeter()
        let clock = ContinuousClock()
        let start = clock.now
        var outlook: RunOutlook?
        var look = 0
        var said: [String] = []
        while true {
            let run = try await self.session.queue.run(matching: id.description)
            let progress = run.progress
            meter.add(seconds: (clock.now - start) / .seconds(1), done: Double(progress.samplesDone))
            // Until its own rate is known, that of the past is the best guess; asked for now and then only.
            if meter.rate == nil, look % 20 == 0 { outlook = try? await self.session.queue.outlook(of: run.id) }
            look += 1
            // Workers that were just started need a moment to register.
            if look % 10 == 0, let reason = try? await self.obstacle(of: run), !said.contains(reason) {
                said.append(reason)
                line.finish()
                Output.note("run \(run.id) does not go on: \(lines: reason)")
            }
            line.show(
                self.describe(run, meter.rate, outlook),
                percent: Format.percent(progress.samplesDone, of: progress.samples))
            if run.state.isSettled || !isStillUseful() {
                line.finish()
                return run
            }
            try await self.session.loop.sleep(for: .milliseconds(500))
        }
    }

    /// What keeps everything that is left of a run waiting for somebody to do something, if that is so.
    ///
    /// `nil` while a shard is computed or a worker could take one. The first open job stands for all.
    private func obstacle(of run: RunRecord) async throws(QueueError) -> String? {
        let shards = run.progress.shards
        guard shards.running == 0, shards.open > 0,
            try await self.session.queue.outlook(of: run.id).workersSuitable == 0,
            let job = try await self.session.queue.jobs(of: run.id).first(where: { $0.progress.shards.ready > 0 })
        else { return nil }
        let facts = try await self.session.queue.facts(of: job.id)
        guard facts.job.gate == .open, facts.workers.suitable == 0 else { return nil }
        let explanation = Explanation(facts)
        return ([explanation.reasons.joined(separator: " ")] + explanation.remedies.map { "  \($0)" })
            .joined(separator: "\n")
    }

    private func describe(_ run: RunRecord, _ rate: Double?, _ outlook: RunOutlook?) -> PrintedText {
        let progress = run.progress
        var text: PrintedText =
            "\(run.id) \(run.name): \(run.state.rawValue), \(progress.samplesDone)/\(progress.samples) samples, "
            + "\(progress.shards.done)/\(progress.shards.total) shards"
        if progress.shards.running > 0 { text += ", \(progress.shards.running) running" }
        if progress.shards.failed > 0 { text += ", \(progress.shards.failed) failed" }
        if let rate, progress.samplesDone < progress.samples {
            let left = Double(progress.samples - progress.samplesDone) / rate
            text += ", \(Format.fixed(rate, 1)) samples/s, \(RateMeter.describe(seconds: left)) left"
        } else if let expected = outlook?.expectedDuration, !run.state.isSettled {
            text += ", about \(RateMeter.describe(seconds: expected / .seconds(1))) at the usual pace"
        }
        return text
    }

    /// Fails unless the run is done.
    static func check(_ run: RunRecord) throws(UserError) {
        guard run.state != .done else { return }
        throw UserError(
            "run \(run.id) is \(run.state.rawValue)", hint: "see why with `assay show \(run.id)`")
    }
}

/// From a job file to a plan, with the flags that override it.
enum RunPreparation {
    static func plan(
        _ path: String, priority: String?, project: String?, after: [JobFile.Prerequisite] = [],
        _ session: Session
    ) async throws -> RunPlan {
        var file = try JobFile.read(path: path)
        if let priority { file.priority = try Priority(name: priority) }
        if let project { file.project = project }
        file.after += after
        var planner = Planner(
            searchFolders: session.dataFolders, user: session.userName, catalog: session.dataSets,
            chatTemplate: ModelTemplate.chat)
        planner.constraintProblem = LlamaEngine.problem
        let check = SettingsCheck()
        planner.settingsProblem = {
            check.problem(EngineSettings($1), rules: $1.tokens ?? TokenRules(), modelPath: $0.path)
        }
        planner.tokenizerDoubt = { check.tokenizerDoubt(modelPath: $0.path) }
        return try await planner.plan(file) { name throws(QueueError) in
            try await session.queue.model(named: name)
        } work: { name throws(QueueError) in
            try await session.queue.work(matching: name)
        }
    }
}

/// A worker process that this command starts for one run.
struct LocalWorker {
    let session: Session
    let configuration: ProcessConfiguration

    /// - Parameter runsCode: The run's job file allows programs that models write.
    init(session: Session, device: String, run: RunID, runsCode: Bool) throws(UserError) {
        self.session = session
        let settings = session.settings
        var environment = Programs.environment
        environment["ASSAY_HOME"] = settings.home.value
        environment["ASSAY_STORE"] = settings.store.value
        environment["ASSAY_DATABASE_URL"] = settings.databaseURL?.value
        environment["ASSAY_DATABASE_POOLER"] = settings.databasePooler.value
        environment["ASSAY_LOG"] = settings.logLevel.value
        environment["ASSAY_LOG_FORMAT"] = settings.logFormat.value
        // Ctrl-C goes to this command alone, which then asks the worker to drain.
        self.configuration = ProcessConfiguration(
            try Programs.find("assay-worker"),
            ["--drain", "--run", run.description, "--device", device]
                + (runsCode ? ["--run-code"] : []),
            environment: environment, standardOutput: .null, hasOwnGroup: true)
    }

    /// Runs `body` while the worker works; `body` is told whether it still lives.
    func work(_ body: (_ isAlive: @escaping () -> Bool) async throws -> RunRecord) async throws -> RunRecord {
        let signals = try await self.session.loop.signals([2, 15])
        let child = try await self.session.loop.spawn(self.configuration)
        let interruptions = Interruptions()
        let forwarding = Task {
            for await _ in signals {
                Output.note(
                    interruptions.count() == 1
                        ? "\nfinishing the shard in hand; interrupt again to abandon it" : "\nabandoning the shard")
                try? await child.send(signal: 15)
            }
        }
        defer { forwarding.cancel() }
        let run = try await body { child.result == nil }
        let result = try await child.waitForExit()
        if run.state.isSettled { return run }
        // The worker may have committed its last shard after the last look.
        let latest = try await self.session.queue.run(matching: run.id.description)
        if latest.state.isSettled { return latest }
        if interruptions.isAny {
            throw UserError(
                "interrupted: run \(run.id) has \(latest.progress.samplesDone) of \(latest.progress.samples) samples",
                hint: "go on with `assay-worker --drain --run \(run.id)`, or `assay cancel \(run.id)`",
                kind: .interrupted)
        }
        throw UserError(
            "the worker ended (\(result.termination)) before run \(run.id) was done",
            hint: "go on with `assay-worker --drain --run \(run.id)`")
    }
}

private final class Interruptions: Sendable {
    private let number = Atomic(0)

    func count() -> Int { self.number.add(1, ordering: .relaxed).newValue }

    var isAny: Bool { self.number.load(ordering: .relaxed) > 0 }
}
