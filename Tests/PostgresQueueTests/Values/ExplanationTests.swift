import FoundationEssentials
import JobQueue
import Testing

@Suite struct ExplanationTests {
    private static let now = Date(timeIntervalSince1970: 1_800_000_000)

    /// A job of ten shards, one worker alive that could run it, nothing in its way.
    private func facts(_ shards: [ShardState: Int] = [.ready: 10]) throws -> JobFacts {
        var counts = ShardCounts()
        for (state, number) in shards { counts[state] = number }
        let job = JobRecord(
            id: JobID(number: 7, run: try RunID("k3f9x2a0"), ordinal: 1), task: "hellaswag", model: "smol",
            modelSHA256: hexadecimalA, needLabels: [], needGPUMegabytes: 0, needDevice: nil, maxAttempts: 3,
            maxFailures: nil, priority: .normal, gate: .open, reason: nil, startedAt: nil, finishedAt: nil,
            progress: WorkProgress(
                shards: counts, samples: counts.total * 10, samplesDone: counts.done * 10, tokensDone: 0))
        var facts = JobFacts(job: job, project: ProjectRecord(name: "default"), now: Self.now)
        facts.workers.live = 1
        facts.workers.withLabels = 1
        facts.workers.withMemory = 1
        facts.workers.withDevice = 1
        facts.workers.suitable = 1
        return facts
    }

    @Test func nothingInItsWay() throws {
        let explanation = Explanation(try facts())
        #expect(explanation.summary == "k3f9x2a0.1 is not running: 0 of 10 shards are done.")
        #expect(explanation.reasons == ["Nothing keeps it: a worker takes it within seconds."])
        #expect(explanation.remedies.isEmpty)
    }

    @Test func whoeverHadItGaveItBack() throws {
        var facts = try facts()
        facts.workers.busyElsewhere = 1
        facts.givenBack = JobFacts.GivenBack(
            reason: "the model's file is not here", host: "gpu7", at: Self.now.addingTimeInterval(-30))
        let said = "A worker on gpu7 gave a shard back 30 s ago: the model's file is not here"
        #expect(Explanation(facts).reasons.first == said && Explanation(facts).reasons.count == 2)
        #expect(Explanation(facts).remedies == ["assay worker list   shows what else workers lack"])
        // Nobody leaves a job to others for that long.
        facts.givenBack?.at = Self.now.addingTimeInterval(-900)
        #expect(Explanation(facts).reasons.first?.hasPrefix("The only worker that could run it has a shard") == true)
        // Somebody has it by now.
        facts.givenBack?.at = Self.now
        facts.workers.here = 1
        #expect(Explanation(facts).reasons == ["Nothing keeps it: a worker takes it within seconds."])
    }

    /// Nobody need look at the log of a worker that hangs or waits, nor of one that ended for it.
    @Test func whatAWorkerIsInTroubleWithIsSaid() throws {
        var facts = try facts()
        facts.trouble = "gpu7: the store is away"
        #expect(
            Explanation(facts).reasons.first
                == "A worker that has a shard of it is in trouble, on gpu7: the store is away.")
        facts.trouble = nil
        facts.workers = JobFacts.WorkerFacts()
        facts.givenBack = JobFacts.GivenBack(
            reason: "the worker left: no progress for 900 s", host: "gpu7", at: Self.now.addingTimeInterval(-30))
        #expect(
            Explanation(facts).reasons == [
                "No worker is alive.",
                "A worker on gpu7 gave a shard back 30 s ago: the worker left: no progress for 900 s",
            ])
    }

    @Test func nobodyIsThere() throws {
        var facts = try facts()
        facts.workers = JobFacts.WorkerFacts()
        let explanation = Explanation(facts)
        #expect(explanation.reasons == ["No worker is alive."])
        #expect(explanation.remedies == ["assay-worker   starts one here"])
    }

    @Test func nobodyIsThereAndNotEveryWorkerWouldDo() throws {
        var facts = try facts()
        facts.workers = JobFacts.WorkerFacts()
        facts.job.needLabels = ["h100", WorkerLabel.runsCode]
        var explanation = Explanation(facts)
        #expect(explanation.reasons == ["No worker is alive, and it needs one labeled h100 and that runs programs."])
        #expect(explanation.remedies == ["assay-worker --label h100 --run-code   starts one"])
        facts.job.needLabels = []
        facts.job.needDevice = "cuda"
        facts.job.needGPUMegabytes = 40_000
        explanation = Explanation(facts)
        #expect(explanation.reasons[0].hasSuffix("one on a device of kind cuda and with 40000 MB of device memory."))
        #expect(explanation.remedies[0].hasPrefix("assay-worker   starts one; do it on a machine"))
    }

    /// Jobs are for workers that read tasks by the rules by which they were submitted.
    @Test func workersOfAnotherReleaseReadTasksOtherwise() throws {
        var facts = try facts()
        facts.job.needLabels = ["h100", WorkerLabel.rules]
        (facts.workers.withLabels, facts.workers.suitable) = (0, 0)
        #expect(Explanation(facts).reasons[0].hasPrefix("It needs workers labeled h100; "))
        facts.job.needLabels = [WorkerLabel.rules]
        #expect(Explanation(facts).reasons[0].contains("are of another release of Assay"))
        #expect(Explanation(facts).remedies[0].hasPrefix("assay-worker   "))
        facts.job.needLabels = ["h100", "assay:rules-0"]
        #expect(Explanation(facts).reasons[0].hasPrefix("It was submitted with another release"))
        facts.workers = JobFacts.WorkerFacts()
        #expect(Explanation(facts).reasons[0].hasPrefix("It was submitted with another release"))
        facts.job.needLabels = [WorkerLabel.rules]
        #expect(Explanation(facts).reasons == ["No worker is alive."])
    }

    @Test func nobodyHasTheEngineOfItsResults() throws {
        func engine(_ changes: [String: String]) -> String {
            let members = [
                "build": "b1", "cpu_features": "AVX2,AVX512,FMA", "device_kind": "cpu-avx512", "engine": "llama.cpp",
                "plan_version": "1",
            ].merging(changes) { $1 }
            return "{" + members.sorted { $0.key < $1.key }.map { "\"\($0)\":\"\($1)\"" }.joined(separator: ",") + "}"
        }
        let start = "Its results so far come from one engine, and "
        var facts = try facts([.done: 3, .ready: 7])
        facts.engine = engine([:])
        (facts.workers.suitable, facts.workers.unlike) = (0, 1)
        let cases: [([String: String], String)] = [
            (["build": "b2", "plan_version": "2"], "build is b1 in the results and b2 on the worker"),
            (["device_kind": "cpu-avx2"], "device_kind is cpu-avx512 in the results and cpu-avx2 on the worker"),
            (["cpu_features": "AMX,AVX2,FMA"], "of cpu_features, the worker lacks AVX512 and has AMX besides"),
            (["cpu_features": "AVX2"], "of cpu_features, the worker lacks AVX512, FMA"),
            (["gpu_driver": "580"], "gpu_driver is not said in the results and 580 on the worker"),
        ]
        for (changes, difference) in cases {
            facts.otherEngine = engine(changes)
            #expect(
                Explanation(facts).reasons == [start + "the only worker that could run it has another: \(difference)."])
        }
        #expect(
            Explanation(facts).remedies == [
                "assay-worker   starts one; do it on a machine like that of its results",
                "assay retry k3f9x2a0.1 --any-engine   lets other engines finish it",
                "Or submit it again with `mixed: allowed` in the job file.",
            ])
        facts.otherEngine = engine(["build": "b2"])
        facts.workers.unlike = 3
        #expect(
            Explanation(facts).reasons == [
                start + "all 3 workers that could run it have others: build is b1 in the results and b2 on one of them."
            ])
        facts.otherEngine = nil
        #expect(
            Explanation(facts).reasons == [
                start + "none of the 3 workers that could run it says what its engine is: they are of an older release."
            ])
        facts.workers.unlike = 1
        #expect(
            Explanation(facts).reasons == [
                start + "the only worker that could run it does not say what its engine is: it is of an older release."
            ])
        // What is no such JSON is no reason to say nothing.
        (facts.engine, facts.otherEngine) = ("[]", "{}")
        #expect(Explanation(facts).reasons == [start + "the only worker that could run it has another."])
        facts.engine = engine([:])
        facts.workers = JobFacts.WorkerFacts()
        #expect(
            Explanation(facts).reasons == [
                "No worker is alive, and it needs one with the engine of its results (llama.cpp b1 on cpu-avx512)."
            ])
        #expect(Explanation(facts).remedies.count == 2)
    }

    @Test func nobodyIsGoodEnough() throws {
        var facts = try facts()
        facts.job.needLabels = ["a100", "fast"]
        facts.job.needGPUMegabytes = 40_000
        facts.job.needDevice = "cuda"
        (facts.workers.withLabels, facts.workers.withMemory) = (0, 0)
        (facts.workers.withDevice, facts.workers.suitable) = (0, 0)
        let explanation = Explanation(facts)
        #expect(explanation.reasons.count == 3)
        #expect(explanation.reasons[0].contains("labeled a100, fast"))
        #expect(explanation.reasons[1].contains("40000 MB"))
        #expect(explanation.reasons[2].contains("kind cuda"))
        #expect(explanation.remedies.first?.contains("assay-worker --label a100 --label fast") == true)
    }

    @Test func eachRequirementIsMetBySomebodyButAllByNobody() throws {
        var facts = try facts()
        facts.job.needLabels = ["fast"]
        facts.job.needGPUMegabytes = 40_000
        facts.workers.live = 2
        facts.workers.suitable = 0
        #expect(Explanation(facts).reasons == ["Of 2 workers alive, none meets all of its requirements at once."])
        facts.workers.draining = 2
        #expect(Explanation(facts).reasons.first?.contains("leaving (2)") == true)
    }

    @Test func capsArePutIntoCommands() throws {
        var facts = try facts()
        facts.project = ProjectRecord(name: "evals", hardCap: 4, running: 4)
        let hard = Explanation(facts)
        #expect(hard.reasons.first?.contains("its hard cap is 4") == true)
        #expect(hard.remedies.first?.hasPrefix("assay project set evals --hard-cap 6 ") == true)
        facts.project = ProjectRecord(name: "evals", softCap: 1, running: 2)
        let soft = Explanation(facts)
        #expect(soft.reasons.first?.contains("its soft cap is 1") == true)
        #expect(soft.remedies.first?.hasPrefix("assay project set evals --soft-cap 2 ") == true)
    }

    @Test func whoGoesFirstIsNamedInTheOrderInWhichTheyDo() throws {
        var facts = try facts()
        facts.readyInHigherTiers = 1
        facts.readyInOlderJobs = 2
        facts.readyInOtherProjects = 3
        facts.workers.busyElsewhere = 1
        let explanation = Explanation(facts)
        #expect(explanation.reasons.count == 4)
        #expect(explanation.reasons[0] == "1 shard of higher priority goes first.")
        #expect(explanation.reasons[1] == "2 shards of older jobs of project 'default' go first.")
        #expect(explanation.reasons[2].contains("3 shards of other projects"))
        #expect(explanation.reasons[3].hasPrefix("The only worker that could run it has a shard of something else"))
        #expect(explanation.remedies.first?.hasPrefix("assay priority k3f9x2a0.1 high ") == true)
    }

    @Test func waitsAreCountedInSeconds() throws {
        var facts = try facts([.blocked: 2, .done: 8])
        facts.nextAttemptAt = Self.now + 12.4
        let explanation = Explanation(facts)
        #expect(explanation.state == .blocked)
        #expect(explanation.reasons == ["2 shards wait for the next attempt, the first for 13 s more."])
        facts.nextAttemptAt = Self.now - 5
        #expect(Explanation(facts).reasons == ["2 shards wait for the next attempt, the first for 0 s more."])
    }

    @Test func gatesComeBeforeEverythingElse() throws {
        var facts = try facts()
        facts.workers = JobFacts.WorkerFacts()
        facts.job.gate = .waiting
        facts.job.reason = "waits for k3f9x2a0.0"
        let waiting = Explanation(facts)
        #expect(waiting.reasons == ["It waits for k3f9x2a0.0."])
        #expect(waiting.remedies.count == 1)
    }

    @Test func ends() throws {
        var failed = try facts([.failed: 1, .done: 9])
        failed.failure = "row 3 is no JSON"
        let failure = Explanation(failed)
        #expect(failure.summary == "k3f9x2a0.1 ended with 1 failed of 10 shards.")
        #expect(failure.reasons == ["1 shard failed for good: row 3 is no JSON"])
        #expect(failure.remedies.last?.hasPrefix("assay retry --failed k3f9x2a0.1 ") == true)
        var cancelled = try facts([.cancelled: 10])
        cancelled.job.reason = "cancelled by ada"
        #expect(Explanation(cancelled).summary == "k3f9x2a0.1 was cancelled: cancelled by ada.")
        var held = try facts([.held: 1, .done: 9])
        held.holdReason = "3 workers died while they had it: suspected poison"
        #expect(Explanation(held).reasons == ["Held: 3 workers died while they had it: suspected poison."])
        #expect(Explanation(held).remedies.first?.hasPrefix("assay release k3f9x2a0.1 ") == true)
        #expect(Explanation(try facts([.done: 10])).summary == "k3f9x2a0.1 is done: all 10 shards have results.")
    }

    @Test func timeLeftFollowsFromPaceAndWorkers() throws {
        var facts = try facts([.ready: 4, .done: 6])
        #expect(facts.expectedDuration == nil)
        facts.secondsPerSample = 0.5
        #expect(facts.secondsLeft == 20)
        #expect(facts.expectedDuration == .seconds(20))
        facts.workers.suitable = 100
        // More workers than shards are of no use.
        #expect(facts.expectedDuration == .seconds(5))
        facts.workers.suitable = 0
        #expect(facts.expectedDuration == nil)
    }
}
