import Foundation
import ProcessTesting
import Testing
import UVEventLoop

/// What changes a digest, and what must not.
@Suite(.timeLimit(.minutes(15))) struct IdentityTests {
    private static func job(_ settings: String = "", task: String = "hellaswag.yaml, limit: 3") -> String {
        "name: identity\nmodel: smollm2\n"
            + "settings: {logits: tokens, max_length: 600, batch_tokens: 256\(settings.isEmpty ? "" : ", ")\(settings)}\n"
            + "tasks: [{task: TASKS/\(task)}]\n"
    }

    /// What is recorded; each makes other results, or results that say something else.
    private static let recorded = [
        job("shard_size: 2"), job("max_sequences: 9"), job("generation_slots: 3"), job("cache_mb: 900"),
        job("overflow: error"), job("chat_template: true"), job("system_instruction: Be brief."),
        job("add_bos_token: true"), job("invariance: strict"),
        job(task: "hellaswag.yaml, limit: 2"), job(task: "hellaswag.yaml, limit: 3, num_fewshot: 1"),
        job(task: "truthfulqa_mc1.yaml, limit: 2"),
        "name: identity\nmodel: smollm2\nsettings: {logits: tokens, max_length: 601, batch_tokens: 256}\n"
            + "tasks: [{task: TASKS/hellaswag.yaml, limit: 3}]\n",
        "name: identity\nmodel: smollm2\nsettings: {logits: tokens, max_length: 600, batch_tokens: 255}\n"
            + "tasks: [{task: TASKS/hellaswag.yaml, limit: 3}]\n",
        "name: identity\nmodel: smollm2\nsettings: {logits: choices, max_length: 600, batch_tokens: 256}\n"
            + "tasks: [{task: TASKS/hellaswag.yaml, limit: 3}]\n",
        "name: identity\nmodel: other\nsettings: {logits: tokens, max_length: 600, batch_tokens: 256}\n"
            + "tasks: [{task: TASKS/hellaswag.yaml, limit: 3}]\n",
    ]

    /// How a worker is started, and what the job file says besides, which no result may depend on.
    private struct Circumstances {
        var name: String
        var arguments: [String] = ["--drain", "--threads", "1"]
        var environment: [String: String] = [:]
        var folder: String?
        /// A command that runs the worker.
        var wrapper: [String] = []
        var job = IdentityTests.job()
    }

    @Test func whatIsRecordedChangesDigestsAndNothingElseDoes() async throws {
        try await Workbench.withModel { bench in
            try await bench.assay("model", "add", "other", Inputs.model32)
            let usual = try await self.digest(under: Circumstances(name: "usual"), bench)
            // One worker computes all of them: it depends on settings, not on what was computed before.
            var runs: [String] = []
            for text in Self.recorded {
                runs.append(try await bench.answer(RunAnswer.self, "submit", try bench.jobFile(text)).id)
            }
            let again = try await bench.answer(RunAnswer.self, "submit", try bench.jobFile(Self.job())).id
            let worker = try await bench.worker()
            #expect(worker.termination.isSuccess, "\(worker.standardError.text)")
            var digests: [String] = []
            for run in runs { digests.append(try await bench.assay("results", "digest", run)) }
            #expect(Set(digests).count == digests.count)
            #expect(!digests.contains(usual))
            #expect(try await bench.assay("results", "digest", again) == usual)
            for circumstances in try self.circumstances(bench) {
                #expect(try await self.digest(under: circumstances, bench) == usual, "\(circumstances.name)")
            }
        }
    }

    private func circumstances(_ bench: Workbench) throws -> [Circumstances] {
        let folder = "\(bench.folder)/elsewhere"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in ["libggml-blas.so", "libggml-cpu.so"] {
            try "not a library".write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
        }
        var all = [
            Circumstances(name: "threads", arguments: ["--drain", "--threads", "3"]),
            Circumstances(name: "no prefetch", arguments: ["--drain", "--threads", "1", "--no-prefetch"]),
            Circumstances(
                name: "environment",
                environment: [
                    "GGML_CPU_TILED_MM": "0", "GGML_CPU_TILED_MM_FORCE": "1", "LLAMA_ATTN_ROT_DISABLE": "1",
                    "GGML_BACKEND_PATH": "\(folder)/libggml-blas.so", "NVIDIA_TF32_OVERRIDE": "1",
                    "CUBLAS_WORKSPACE_CONFIG": ":16:8", "OMP_NUM_THREADS": "7", "LC_ALL": "tr_TR.UTF-8",
                    "TZ": "Asia/Kathmandu",
                ]),
            Circumstances(name: "working folder", folder: folder),
            Circumstances(
                name: "order and names",
                job: Self.job().replacing("name: identity", with: "name: other\npriority: high")),
        ]
        if EnvironmentTests.canMount {
            let memory = "\(bench.folder)/meminfo"
            try "MemTotal: 4000000 kB\nMemAvailable: 2500000 kB\n".write(
                toFile: memory, atomically: false, encoding: .utf8)
            all.append(
                Circumstances(
                    name: "memory",
                    wrapper: ["unshare", "-m", "sh", "-c", "mount --bind \(memory) /proc/meminfo && exec \"$@\"", "sh"])
            )
        }
        return all
    }

    private func digest(under circumstances: Circumstances, _ bench: Workbench) async throws -> String {
        let run = try await bench.answer(RunAnswer.self, "submit", try bench.jobFile(circumstances.job)).id
        var place = bench
        place.environment.merge(circumstances.environment) { $1 }
        let command = circumstances.wrapper + ["\(bench.bin)/assay-worker"] + circumstances.arguments
        let worker = try await bench.loop.run(
            ProcessConfiguration(
                command[0].hasPrefix("/") ? command[0] : "/usr/bin/env",
                command[0].hasPrefix("/") ? Array(command.dropFirst()) : command, environment: place.environment,
                workingDirectory: circumstances.folder ?? bench.folder, standardOutput: .capture(limit: 1 << 20),
                standardError: .capture(limit: 1 << 20)))
        #expect(worker.termination.isSuccess, "\(circumstances.name): \(worker.standardError.text)")
        return try await bench.assay("results", "digest", run)
    }
}

/// Strict results, with real processes and a real model.
@Suite(.timeLimit(.minutes(15))) struct StrictTests {
    private static func job(_ settings: String, limit: Int = 4) -> String {
        """
        name: strict
        model: smollm2
        settings: {invariance: strict, logits: tokens, max_length: 1024, \(settings)}
        tasks:
          - {task: TASKS/hellaswag.yaml, limit: \(limit), num_fewshot: 1}
          - {task: TASKS/gsm8k.yaml, limit: 1}
          - {task: TASKS/perplexity.yaml, limit: 2}
        """
    }

    @Test func samplesDoNotDependOnShardsBatchesAndThreads() async throws {
        try await Workbench.withModel { bench in
            func run(_ settings: String, _ arguments: String...) async throws -> (all: String, samples: String) {
                let run = try await bench.answer(RunAnswer.self, "submit", try bench.jobFile(Self.job(settings)))
                let worker = try await bench.loop.run(
                    bench.configuration("assay-worker", ["--drain"] + arguments))
                #expect(worker.termination.isSuccess, "\(worker.standardError.text)")
                return (
                    try await bench.assay("results", "digest", run.id),
                    try await bench.assay("results", "digest", "--samples", run.id)
                )
            }
            let usual = try await run("shard_size: 4", "--threads", "1")
            let batches = try await run(
                "shard_size: 4, batch_tokens: 100, max_sequences: 5, generation_slots: 2", "--threads", "2")
            #expect(batches == usual)
            let shards = try await run("shard_size: 2, batch_tokens: 2048", "--threads", "1")
            #expect(shards.samples == usual.samples)
            #expect(shards.all != usual.all)
        }
    }

    @Test func equalSamplesAreTakenOver() async throws {
        try await Workbench.withModel { bench in
            func submit(_ settings: String, limit: Int) async throws -> RunAnswer {
                try await bench.answer(
                    RunAnswer.self, "submit", try bench.jobFile(Self.hellaswag(settings, limit: limit)))
            }
            var place = bench
            place.environment["ASSAY_LOG"] = "info"
            let talkative = place
            func work() async throws -> String {
                let worker = try await talkative.worker()
                #expect(worker.termination.isSuccess, "\(worker.standardError.text)")
                return worker.standardError.text
            }
            let first = try await submit("shard_size: 3", limit: 4)
            _ = try await work()
            // All is there: no model is loaded.
            let same = try await submit("shard_size: 3, reuse: true", limit: 4)
            let log = try await work()
            #expect(!log.contains("loading model") && log.contains("samples taken over"), "\(log)")
            // Part of it is, in shards of another size.
            let more = try await submit("shard_size: 5, batch_tokens: 96, reuse: true", limit: 6)
            #expect(try await work().contains("4 of 5"))
            let alone = try await submit("shard_size: 5", limit: 6)
            _ = try await work()
            #expect(
                try await bench.assay("results", "digest", same.id) == bench.assay("results", "digest", first.id))
            #expect(
                try await bench.assay("results", "digest", more.id) == bench.assay("results", "digest", alone.id))
            let report = try await bench.run("assay-report", "build", more.id)
            #expect(report.termination.isSuccess, "\(report.standardError.text)")
            let page = try #require(
                FileManager.default.enumerator(atPath: "\(bench.store)/reports")?.compactMap { $0 as? String }
                    .first { $0.hasSuffix("report.json") })
            let text = try String(contentsOfFile: "\(bench.store)/reports/\(page)", encoding: .utf8)
            #expect(text.contains(#""reused_from""#))
            #expect(text.contains(#""\#(first.id).0": 4"#) || text.contains(#""\#(same.id).0": 4"#), "\(text)")
        }
    }

    /// What is damaged is computed again, and nobody's settings let a plan's numbers through.
    @Test func whatIsDamagedOrOtherIsComputed() async throws {
        try await Workbench.withModel { bench in
            let plan = try await bench.answer(
                RunAnswer.self, "submit",
                try bench.jobFile(
                    Self.hellaswag("shard_size: 4", limit: 4).replacing("invariance: strict", with: "invariance: plan"))
            )
            let first = try await bench.answer(
                RunAnswer.self, "submit", try bench.jobFile(Self.hellaswag("shard_size: 4", limit: 4)))
            _ = try await bench.worker()
            let folder = "\(bench.store)/runs/\(first.id)/\(first.id).0"
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.hasSuffix(".h5") {
                let path = "\(folder)/\(name)"
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
                let file = try #require(FileHandle(forUpdatingAtPath: path))
                try file.seek(toOffset: 3000)
                try file.write(contentsOf: Data("damage".utf8))
                try file.close()
            }
            let again = try await bench.answer(
                RunAnswer.self, "submit", try bench.jobFile(Self.hellaswag("shard_size: 4, reuse: true", limit: 4)))
            let worker = try await bench.worker()
            #expect(worker.termination.isSuccess, "\(worker.standardError.text)")
            #expect(worker.standardError.text.contains("can't be read, and is computed again"))
            #expect(
                try await bench.assay("results", "digest", again.id) == bench.assay("results", "digest", first.id))
            #expect(
                try await bench.assay("results", "digest", "--samples", plan.id)
                    != bench.assay("results", "digest", "--samples", again.id))
        }
    }

    private static func hellaswag(_ settings: String, limit: Int) -> String {
        """
        name: reuse
        model: smollm2
        settings: {invariance: strict, logits: tokens, max_length: 1024, \(settings)}
        tasks: [{task: TASKS/hellaswag.yaml, limit: \(limit)}]
        """
    }
}
