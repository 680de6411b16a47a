import Calendar
import Evaluation
import FoundationEssentials
import JobQueue
import MemoryQueue
import Planning
import Synchronization
import Testing

@Suite struct ScheduledRunTests {
    private static let a = String(repeating: "a", count: 64)
    private static let b = String(repeating: "b", count: 64)
    private static let c = String(repeating: "c", count: 64)

    private func model(_ name: String, _ sha256: String, contextLength: Int = 100) -> ModelRecord {
        ModelRecord(
            name: name, path: "/models/\(sha256.prefix(1)).gguf", sha256: sha256, bytes: 5, architecture: "llama",
            parameters: 1, contextLength: contextLength, vocabularySize: 10, tokenizerSHA256: Self.c,
            quantization: "F32")
    }

    private func job(_ ordinal: Int, _ model: String, maxLength: Int? = nil) throws -> JobSubmission {
        let specification = JobSpecification(
            model: .init(name: model, path: "/old.gguf", sha256: Self.a, tokenizerSHA256: Self.a),
            task: .init(name: "toy", hash: "h", configuration: "{}"), dataSet: .init(sha256: Self.a, rows: 4),
            settings: .init(
                maxLength: maxLength, batchTokens: 256, maxSequences: 4, generationSlots: 2, logits: .none, shardSize: 4
            ))
        return JobSubmission(
            ordinal: ordinal, task: "toy", model: model, modelSHA256: Self.a, specification: try specification.json(),
            sampleCount: 4, shards: [ShardRange(rowStart: 0, rowCount: 4)], needLabels: ["big"])
    }

    private func template(_ jobs: [JobSubmission]) -> RunSubmission {
        RunSubmission(name: "nightly", user: "ada", specification: "{}", jobs: jobs)
    }

    @Test func namesMeanTheModelsOfNow() throws {
        let template = self.template([try self.job(0, "x", maxLength: 50), try self.job(1, "y")])
        let run = try ScheduledRun.build(
            from: template, models: ["x": self.model("x", Self.b, contextLength: 50), "y": self.model("y", Self.a)])
        #expect(run.jobs.map(\.modelSHA256) == [Self.b, Self.a])
        for (old, new) in zip(template.jobs, run.jobs) {
            var before = try JobSpecification(json: old.specification)
            let after = try JobSpecification(json: new.specification)
            #expect(
                after.model
                    == .init(
                        name: new.model, path: "/models/\(new.modelSHA256.prefix(1)).gguf", sha256: new.modelSHA256,
                        tokenizerSHA256: Self.c))
            // Nothing else changes.
            before.model = after.model
            #expect(before == after)
            var same = old
            (same.specification, same.modelSHA256) = (new.specification, new.modelSHA256)
            #expect(same == new)
        }
    }

    @Test func aModelThatIsGoneIsNamed() throws {
        let error = try #require(throws: PlanningError.self) {
            try ScheduledRun.build(from: self.template([try self.job(0, "x")]), models: [:])
        }
        #expect(error.description.hasPrefix("job 0 (toy): there is no model 'x' any more"))
    }

    @Test func aModelThatDoesNotFitAnyMoreIsNamed() throws {
        let error = try #require(throws: PlanningError.self) {
            try ScheduledRun.build(
                from: self.template([try self.job(0, "x", maxLength: 101)]), models: ["x": self.model("x", Self.b)])
        }
        #expect(error.message == "max_length 101 is more than the 100 tokens that model 'x' takes now")
    }

    @Test func aTemplateOfAnotherVersionIsSaidToBeOne() throws {
        var job = try self.job(0, "x")
        job.specification = "{}"
        let error = try #require(throws: UnreadableTemplate.self) {
            try ScheduledRun.build(from: self.template([job]), models: ["x": self.model("x", Self.b)])
        }
        #expect(error.message.hasPrefix("job 0 (toy): the job was planned by another version"))
        #expect(error.message.contains("add the schedule again with --replace"))
    }

    /// A nightly run measures the model as it is that night, and one without a model fails with the reason.
    @Test func aScheduleFollowsTheRegistry() async throws {
        let clock = Clock()
        let queue = InMemoryJobQueue(now: { clock.now })
        let timing = ScheduleTiming(cron: try CronExpression("0 2 * * *"), overlap: .allowAll)
        try await queue.addSchedule(
            ScheduleDefinition(
                name: "nightly", timing: timing, template: RunTemplate(self.template([try self.job(0, "x")]))))
        let firer = ScheduleFirer(queue: queue)
        clock.advance(by: 86_400)
        let failed = try #require(try await firer.fireDue().fires.first)
        #expect((failed.outcome, failed.run) == (.failed, nil))
        #expect(failed.reason?.contains("there is no model 'x' any more") == true)
        for sha256 in [Self.a, Self.b] {
            try await queue.addModel(self.model("x", sha256), replacing: true)
            clock.advance(by: 86_400)
            let run = try #require(try await firer.fireDue().fires.first?.run)
            #expect(try await queue.jobs(of: run).map(\.modelSHA256) == [sha256])
        }
        // The night that failed can be made up for.
        let again = try await firer.backfill("nightly", dueAt: failed.dueAt)
        #expect((again.outcome, again.attempt) == (.fired, 2))
        #expect(try await firer.trigger("nightly").outcome == .fired)
    }
}

/// A clock that stands still until it is moved.
private final class Clock: Sendable {
    private let time = Mutex(Date(timeIntervalSince1970: 1_800_000_000))

    var now: Date { self.time.withLock { $0 } }

    func advance(by seconds: Double) { self.time.withLock { $0 += seconds } }
}
