internal import ArgumentParser
internal import AssayRuntime
internal import Console
internal import JobQueue
internal import PostgresQueue
internal import Rescoring
internal import ResultStore
internal import TerminalText
internal import UVEventLoop
internal import WorkerLogic

struct ResultsRescoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rescore",
        abstract: "Score the answers of a finished run again, with other filters and metrics; no model runs.",
        discussion: """
            The task file must ask the model what it was asked: same rows, same prompts, same choices, same generation. The
            new scores are a run of their own that names the old one; the old results stay as they are.
            Example:  assay results rescore k3f9 --task jobs/tasks/gsm8k-lenient.yaml
            """)

    @Argument(help: "A run or job, by any unique prefix.")
    var id: String

    @Option(help: "The task file with the new filters and metrics.")
    var task: String

    @Option(
        name: .customLong("num-fewshot"), help: "As many few-shot examples as the job had, if the file says otherwise.")
    var numFewShot: Int?

    @Option(help: "The epochs that the job had, if the task file says otherwise.")
    var epochs: Int?

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var run: String
        var rescoredFrom: [String]
        var samples: Int
    }

    func run() async throws {
        let (settings, logger) = try self.options.resolve(label: "assay")
        let (task, data) = try await TaskFile.load(
            self.task, fewShot: self.numFewShot, epochs: self.epochs, self.options)
        let answer: Answer
        do {
            answer = try await Session.withWorkerQueue(settings, logger: logger) { session in
                let plan = try await RescoringPlan(
                    try await RunSelection(self.id, in: session.queue), by: task, data, queue: session.queue,
                    store: try await session.store())
                let outcome = try await Self.perform(plan, session)
                return Answer(
                    run: outcome.run.description, rescoredFrom: plan.sources, samples: outcome.samples)
            }
        } catch let error as RescoringError {
            throw UserError(rescoring: error)
        }
        if self.options.json { return try Output.json(answer) }
        Output.line(
            "run \(answer.run): \(Format.counted(answer.samples, "sample")) of \(answer.rescoredFrom.joined(separator: ", ")) "
                + "scored again")
        Output.note("make a report of it with `assay-report build \(answer.run)`")
    }

    /// Ctrl-C stops it; the new run is cancelled then.
    private static func perform(_ plan: RescoringPlan, _ session: Session) async throws -> RescoringPlan.Outcome {
        try await session.withSecondQueue(patience: RescoringPlan.heartbeatPatience) { queue, loop in
            let signals = try await session.loop.signals([2, 15])
            let work = Task {
                try await plan.perform(
                    user: session.userName, queue: session.queue, heartbeatQueue: queue, heartbeatLoop: loop,
                    logger: session.logger
                ) { reason in
                    CommandRunner.endAtOnce(
                        UserError(reason, hint: "repeat the command; the old results are as they were"))
                }
            }
            let watch = Task {
                for await _ in signals { work.cancel() }
            }
            defer { watch.cancel() }
            return try await work.value
        }
    }
}

extension UserError {
    /// What a user can do about it, in the words of the command line.
    fileprivate init(rescoring error: RescoringError) {
        switch error.code {
        case .otherRows: self.init(error.message, hint: "give a task file that evaluates the same data file")
        case .otherPrompts:
            self.init(
                "\(error.message); see the difference with `assay task preview --diff`, and run the task instead")
        case .otherEpochs(let epochs): self.init("\(error.message); give --epochs \(epochs)")
        case .failed: self.init(error.message, hint: error.run.map { "see why with `assay logs \($0)`" })
        case .interrupted:
            self.init(error.message, hint: "repeat the command; the old results are as they were", kind: .interrupted)
        case .unfinished, .invalidTask, .unreadable, .stopped: self.init(error.message)
        }
    }
}
