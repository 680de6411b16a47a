internal import ArgumentParser
internal import AssayRuntime
internal import Console
internal import Datasets
internal import Evaluation
internal import Execution
internal import FoundationEssentials
internal import JobQueue
internal import LMEval
internal import Planning
internal import PostgresQueue
internal import Reporting
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
        let answer = try await Session.withWorkerQueue(settings, logger: logger) { session in
            let selection = try await RunSelection(self.id, in: session.queue)
            let jobs = try await self.jobs(of: selection, task, data, session)
            let label = "rescoring-\(RunID.random())"
            let submission = try Planner.rescoring(
                name: "\(selection.run.name) rescored", project: selection.run.project, user: session.userName,
                label: label,
                jobs: jobs.map { job in
                    (self.specification(of: job.source, task, digest: job.digest), job.source.shards)
                })
            _ = try await session.queue.submit(submission)
            var sources: [String: (job: RescoredJob, pair: TaskPair)] = [:]
            for record in try await session.queue.jobs(of: submission.id) {
                sources[record.id.name] = (jobs[record.id.ordinal].source, jobs[record.id.ordinal].pair)
            }
            let summary = try await Self.workOrCancel(sources, run: submission.id, label: label, session)
            guard summary.failed == 0 else {
                throw UserError(
                    "run \(submission.id) could not be scored", hint: "see why with `assay logs \(submission.id)`")
            }
            return Answer(
                run: submission.id.description, rescoredFrom: jobs.map(\.source.name), samples: summary.samples)
        }
        if self.options.json { return try Output.json(answer) }
        Output.line(
            "run \(answer.run): \(Format.counted(answer.samples, "sample")) of \(answer.rescoredFrom.joined(separator: ", ")) "
                + "scored again")
        Output.note("make a report of it with `assay-report build \(answer.run)`")
    }

    private struct Job {
        var source: RescoredJob
        var pair: TaskPair
        var digest: String
    }

    /// The jobs on the task's rows, each checked to the last row before anything is written.
    private func jobs(
        of selection: RunSelection, _ task: EvaluationTask, _ data: TaskData, _ session: Session
    ) async throws -> [Job] {
        var jobs: [Job] = []
        for record in selection.jobs {
            let specification = try JobSpecification(json: try await session.queue.specification(of: record.id))
            guard specification.dataSet.sha256 == data.evaluated.sha256 else { continue }
            let source = try RescoredJob(
                name: record.id.name, specification: specification,
                results: try await session.queue.results(of: record.id))
            let pair: TaskPair
            do {
                // Its examples may come from rows that the new task does not name.
                var answered = data
                if let pool = specification.fewShotPool?.sha256 {
                    answered.fewShotPool = try DataSet(jsonl: try await session.store().dataSet(sha256: pool))
                }
                pair = try TaskPair(answered: specification, by: task, data: answered)
                for row in 0..<specification.dataSet.rows { _ = try pair.sample(row: row) }
            } catch {
                throw UserError("job \(record.id) can't be scored by '\(self.task)': \(error)")
            }
            jobs.append(
                Job(source: source, pair: pair, digest: try await JobFiles(of: record, in: session.queue).digest))
        }
        guard !jobs.isEmpty else {
            throw UserError(
                "no job of run \(selection.run.id) is on the rows of '\(self.task)' (\(data.evaluated.sha256.prefix(12)))",
                hint: "give a task file that evaluates the same data file")
        }
        return jobs
    }

    private func specification(
        of source: RescoredJob, _ task: EvaluationTask, digest: String
    ) -> JobSpecification {
        var specification = source.specification
        specification.rescoredFrom = .init(
            job: source.name, taskHash: specification.task.hash, digest: digest)
        specification.task = .init(task)
        return specification
    }

    /// Works until all is scored; on Ctrl-C or an error the new run is cancelled, since no other worker would take it.
    private static func workOrCancel(
        _ sources: [String: (job: RescoredJob, pair: TaskPair)], run: RunID, label: String, _ session: Session
    ) async throws -> WorkerSummary {
        let signals = try await session.loop.signals([2, 15])
        let work = Task { try await Self.work(sources, run: run, label: label, session) }
        let watch = Task {
            for await _ in signals { work.cancel() }
        }
        defer { watch.cancel() }
        do {
            let summary = try await work.value
            if let reason = summary.reasonForLeaving { throw UserError(reason) }
            let samples = sources.values.reduce(0) { $0 + $1.job.specification.dataSet.rows }
            guard work.isCancelled, summary.samples < samples else { return summary }
        } catch {
            _ = try? await session.queue.cancel(run)
            throw error
        }
        _ = try await session.queue.cancel(run)
        throw UserError(
            "interrupted: run \(run) is cancelled", hint: "repeat the command; the old results are as they were",
            kind: .interrupted)
    }

    /// Claims, scores and commits like any worker.
    private static func work(
        _ sources: [String: (job: RescoredJob, pair: TaskPair)], run: RunID, label: String, _ session: Session
    ) async throws -> WorkerSummary {
        let description = WorkerDescription(
            host: ProcessInfo.processInfo.hostName, pid: Int(ProcessInfo.processInfo.processIdentifier), device: "cpu",
            labels: [label], engine: "rescoring")
        let options = WorkerOptions(run: run, endsWhenDrained: true)
        let patience = WorkerLease.heartbeatTimeout(ttl: options.leaseTTL)
        return try await session.withSecondQueue(patience: patience) { queue, loop in
            let worker = Worker(
                description: description, options: options, queue: session.queue, heartbeatQueue: queue,
                heartbeatLoop: loop, processor: Rescorer(store: try await session.store(), sources: sources),
                logger: session.logger
            ) { reason in
                CommandRunner.endAtOnce(
                    UserError(reason, hint: "repeat the command; the old results are as they were"))
            }
            return try await worker.run()
        }
    }
}
