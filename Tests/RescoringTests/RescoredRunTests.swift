import Evaluation
import Foundation
import JobQueue
import MemoryQueue
import Rescoring
import ResultStore
import Testing

/// Scoring the answers of a finished run by another task.
@Suite(.timeLimit(.minutes(2))) struct RescoredRunTests {
    @Test func theNewScoresAreARunOfTheirOwn() async throws {
        let bench = try await FinishedRun()
        let before = try await bench.samples(of: bench.run)
        let plan = try await bench.plan(FinishedRun.task(metric: "acc_norm"))
        #expect(plan.sources == ["\(bench.run).0"])
        let outcome = try await bench.perform(plan)
        #expect(outcome.run != bench.run && outcome.samples == 5)
        let after = try await bench.samples(of: outcome.run)
        #expect(after.map { $0.map(\.row) } == [[0, 1, 2, 3, 4]])
        #expect(before[0].allSatisfy { $0.metrics.map(\.value) == [1] && $0.metrics[0].name == "acc" })
        #expect(after[0].allSatisfy { $0.metrics.map(\.value) == [0] && $0.metrics[0].name.hasPrefix("acc_norm") })
        #expect(after[0].map(\.choices) == before[0].map(\.choices))
        // What was there stays.
        #expect(try await bench.samples(of: bench.run) == before)
        #expect(try await bench.queue.openShardCount(run: outcome.run) == 0)
    }

    @Test func theNewJobNamesTheOldOneAndItsShards() async throws {
        let bench = try await FinishedRun()
        let old = try #require(try await bench.queue.jobs(of: bench.run).first)
        let outcome = try await bench.perform(try await bench.plan(FinishedRun.task(metric: "acc_norm")))
        let new = try #require(try await bench.queue.jobs(of: outcome.run).first)
        let (before, after) = (
            try JobSpecification(json: try await bench.queue.specification(of: old.id)),
            try JobSpecification(json: try await bench.queue.specification(of: new.id))
        )
        let source = try #require(after.rescoredFrom)
        #expect(source.job == old.id.name && source.taskHash == before.task.hash && source.digest.count == 64)
        #expect(after.task.hash != before.task.hash && after.model == before.model)
        #expect(try await bench.queue.results(of: new.id).map(\.range.rowCount).sorted() == [1, 2, 2])
        #expect(try await bench.queue.run(matching: outcome.run.text).name == "job rescored")
    }

    @Test func onlyJobsOnTheTasksRowsAreScored() async throws {
        let bench = try await FinishedRun(tasks: [
            FinishedRun.task(rows: "others.jsonl"), FinishedRun.task(), FinishedRun.task(more: "description: 'New. '"),
        ])
        // The third job asks something else, so only one of the two on these rows can be named.
        let plan = try await bench.plan(FinishedRun.task(metric: "acc_norm"), of: "\(bench.run).1")
        #expect(plan.sources == ["\(bench.run).1"])
        #expect(try await bench.perform(plan).samples == 5)
        let others = try await bench.plan(FinishedRun.task(metric: "acc_norm", rows: "others.jsonl"))
        #expect(others.sources == ["\(bench.run).0"])
        #expect(try await bench.perform(others).samples == 3)
    }

    @Test func examplesOfTheAnsweredJobComeFromTheStore() async throws {
        let bench = try await FinishedRun(tasks: [FinishedRun.task(more: "num_fewshot: 2")])
        let task = FinishedRun.task(metric: "acc_norm", more: "num_fewshot: 2")
        #expect(try await bench.perform(try await bench.plan(task)).samples == 5)
        let job = try #require(try await bench.queue.jobs(of: bench.run).first)
        let specification = try JobSpecification(json: try await bench.queue.specification(of: job.id))
        let pool = try #require(specification.fewShotPool?.sha256)
        try FileManager.default.removeItem(atPath: "\(bench.folder)/store/datasets/\(pool).jsonl")
        let error = await #expect(throws: RescoringError.self) { try await bench.plan(task) }
        #expect(error?.code == .unreadable)
    }

    // MARK: What is refused, before anything is written

    @Test(arguments: [
        (FinishedRun.task(rows: "others.jsonl"), RescoringError.Code.otherRows, "no job of run"),
        (FinishedRun.task(question: "Say {{q}}"), .otherPrompts, "row 0: the model would be asked something else"),
        (FinishedRun.task(more: "num_fewshot: 1"), .otherPrompts, "row 0: the model would be asked something else"),
    ])
    func whatAsksSomethingElseIsRefused(_ task: String, _ code: RescoringError.Code, _ message: String) async throws {
        let bench = try await FinishedRun()
        let error = await #expect(throws: RescoringError.self) { try await bench.plan(task) }
        #expect(error?.code == code)
        #expect(error?.message.contains(message) == true, "\(String(describing: error))")
        #expect(error?.message.contains("\(bench.folder)/other.yaml") == true)
        #expect(try await bench.queue.runs(limit: 9, project: nil).map(\.id) == [bench.run])
    }

    @Test func anUnfinishedJobIsRefused() async throws {
        let bench = try await FinishedRun(shardLimit: 2)
        let error = await #expect(throws: RescoringError.self) {
            try await bench.plan(FinishedRun.task(metric: "acc_norm"))
        }
        #expect(error?.code == .unfinished)
        #expect(error?.message == "job \(bench.run).0 is not finished: 4 of 5 rows have results")
    }

    @Test func answersThatWereNotKeptFailTheRun() async throws {
        let bench = try await FinishedRun(settings: "shard_size: 2, logits: none")
        let plan = try await bench.plan(FinishedRun.task(metric: "acc_norm"))
        let error = await #expect(throws: RescoringError.self) { try await bench.perform(plan) }
        #expect(error?.code == .failed)
        // It stays as it failed, so that its log tells why.
        let run = try #require(error?.run)
        let job = try #require(try await bench.queue.jobs(of: run).first)
        #expect(job.state == .failed)
        let attempts = try await bench.queue.attempts(of: job.id)
        #expect(!attempts.isEmpty)
        #expect(attempts.allSatisfy { $0.error?.contains("logits: none") == true }, "\(attempts)")
    }

    // MARK: Interrupting and repeating

    @Test func anInterruptedRunIsCancelledAndCanBeRepeated() async throws {
        let bench = try await FinishedRun()
        let plan = try await bench.plan(FinishedRun.task(metric: "acc_norm"))
        let interrupted = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await bench.perform(plan)
        }
        let error = await #expect(throws: RescoringError.self) { try await interrupted.value }
        #expect(error?.code == .interrupted)
        let run = try #require(error?.run)
        #expect(try await bench.queue.jobs(of: run).map(\.state) == [.cancelled])
        #expect(try await bench.samples(of: run) == [[]])
        // The same plan again, and one more time: each is a run, and they agree.
        let first = try await bench.perform(plan)
        let second = try await bench.perform(plan)
        #expect(first.run != second.run && first.run != run)
        let scored = try await bench.samples(of: first.run)
        #expect(scored[0].count == 5)
        #expect(try await bench.samples(of: second.run) == scored)
    }

    @Test func whatWasScoredCanBeScoredAgain() async throws {
        let bench = try await FinishedRun()
        let first = try await bench.perform(try await bench.plan(FinishedRun.task(metric: "acc_norm")))
        let plan = try await bench.plan(FinishedRun.task(metric: "acc"), of: first.run.text)
        #expect(plan.sources == ["\(first.run).0"])
        let second = try await bench.perform(plan)
        // Back where it began.
        #expect(try await bench.samples(of: second.run) == bench.samples(of: bench.run))
    }
}
