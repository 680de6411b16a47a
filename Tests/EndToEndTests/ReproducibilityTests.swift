import Foundation
import ProcessTesting
import Testing
import UVEventLoop

/// The contract with real processes: the same work gives the same digests, whatever happens on the way.
@Suite(.timeLimit(.minutes(15))) struct ReproducibilityTests {
    static let job = """
        name: e2e
        model: smollm2
        settings: {shard_size: 4, logits: tokens, max_length: 1024}
        tasks:
          - {task: TASKS/hellaswag.yaml, limit: 16}
          - {task: TASKS/truthfulqa_mc1.yaml, limit: 8}
          - {task: TASKS/gsm8k.yaml, limit: 4}
          - {task: TASKS/perplexity.yaml, limit: 4}
        """

    @Test func killedWorkersAndSeveralWorkersGiveTheDigestOfOne() async throws {
        try await Workbench.withModel { bench in
            let file = try bench.jobFile(Self.job)
            let undisturbed = try await self.digestOfOneWorker(file, bench)
            let pair = try await self.digestOfTwoWorkers(file, bench)
            #expect(pair == undisturbed)
            let killed = try await self.digestAfterKilling(file, bench)
            #expect(killed == undisturbed)
        }
    }

    private func digestOfOneWorker(_ file: String, _ bench: Workbench) async throws -> String {
        let run = try await bench.answer(RunAnswer.self, "submit", file)
        let worker = try await bench.worker()
        #expect(worker.termination.isSuccess, "\(worker.standardError.text)")
        return try await bench.assay("results", "digest", run.id)
    }

    private func digestOfTwoWorkers(_ file: String, _ bench: Workbench) async throws -> String {
        let run = try await bench.answer(RunAnswer.self, "submit", file)
        async let first = bench.worker("--json")
        async let second = bench.worker("--json")
        for worker in try await [first, second] {
            #expect(worker.termination.isSuccess, "\(worker.standardError.text)")
            #expect(!worker.standardOutput.text.contains("\"committed\" : 0,"), "one worker did all the work")
        }
        return try await bench.assay("results", "digest", run.id)
    }

    /// SIGKILL in the middle of the run, with a shard in hand; another worker finishes it.
    private func digestAfterKilling(_ file: String, _ bench: Workbench) async throws -> String {
        let run = try await bench.answer(RunAnswer.self, "submit", file)
        let victim = try await bench.loop.spawn(
            bench.configuration("assay-worker", Workbench.workerArguments + ["--lease-seconds", "3"]))
        var progress = run.progress
        while progress.shards.done < 2 || progress.shards.running == 0 {
            progress = try await bench.answer(ShowAnswer.self, "show", run.id).run.progress
            try #require(victim.result == nil, "the worker ended before it could be killed")
        }
        try await victim.send(signal: 9)
        #expect(try await victim.waitForExit().termination == .signalled(9))
        let left = try await bench.answer(ShowAnswer.self, "show", run.id).run.progress
        try #require(left.samplesDone < left.samples, "nothing was left to do")
        #expect(try await !bench.run("assay", "results", "digest", run.id).termination.isSuccess)

        let heir = try await bench.worker()
        #expect(heir.termination.isSuccess, "\(heir.standardError.text)")
        #expect(try await bench.assay("results", "verify", run.id).contains("files are as published"))
        return try await bench.assay("results", "digest", run.id)
    }
}
