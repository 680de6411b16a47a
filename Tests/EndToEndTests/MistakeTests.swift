import Foundation
import ProcessTesting
import Testing
import UVEventLoop

/// The mistakes users make: one clear message, the right exit code, nothing left behind.
@Suite(.timeLimit(.minutes(10))) struct MistakeTests {
    @Test func everyMistakeGetsOneClearMessageAndLeavesNothing() async throws {
        try await Workbench.withModel { bench in
            let valid = try bench.jobFile("model: smollm2\ntasks: [{task: TASKS/hellaswag.yaml, limit: 2}]")
            let truncated = "\(bench.folder)/truncated.gguf"
            let model = try #require(FileHandle(forReadingAtPath: Inputs.model)).read(upToCount: 5_000_000)
            try #require(model).write(to: URL(filePath: truncated))
            let unknownKey = try bench.jobFile("model: smollm2\ntaks: []")
            let unknownModel = try bench.jobFile("model: nope\ntasks: [TASKS/hellaswag.yaml]")
            let noTask = try bench.jobFile("model: smollm2\ntasks: [missing.yaml]")
            let broken = try bench.jobFile("model: [smollm2")
            let tight = try bench.jobFile(
                "model: smollm2\nsettings: {cache_mb: 100}\ntasks: [{task: TASKS/hellaswag.yaml, limit: 2}]")
            try await self.fails(bench, ["submit", tight], 1, "set cache_mb to at least 192")
            try await self.fails(bench, ["submit", tight, "--dry-run"], 1, "but cache_mb allows 100")
            try await self.fails(bench, ["submit", "/no/such.yaml"], 1, "/no/such.yaml: there is no such file")
            try await self.fails(bench, ["submit", unknownKey], 1, ":2: unknown key 'taks'")
            try await self.fails(bench, ["submit", broken], 1, "this is not YAML")
            try await self.fails(bench, ["submit", unknownModel], 1, "nope")
            try await self.fails(bench, ["submit", noTask], 1, "there is no such file")
            try await self.fails(bench, ["submit", valid, "--after", "zzzzzzzz"], 1, "zzzzzzzz")
            try await self.fails(bench, ["submit", valid, "--priority", "huge"], 1, "huge")
            try await self.fails(
                bench, ["submit", valid, "--project", String(repeating: "p", count: 65)], 1, "the project's name")
            try await self.fails(bench, ["model", "add", "x", truncated], 1, "truncated")
            try await self.fails(bench, ["model", "add", "x", "/no/such.gguf"], 1, "No such file")
            try await self.fails(bench, ["model", "add", "a b", Inputs.model], 2, "letters, digits")
            try await self.fails(bench, ["show", "zzzzzzzz"], 1, "zzzzzzzz")
            try await self.fails(bench, ["frobnicate"], 2, "frobnicate")
            try await self.fails(
                bench, ["migrate", "--grant", "nobody=worker"], 1,
                "error: can't migrate the database: the server has no role 'nobody': make it first, for example with CREATE "
                    + "ROLE nobody LOGIN\n")
            try await self.fails(
                bench, ["migrate", "--grant", "nobody=king"], 2, "Error: 'nobody=king' is no grant: write")
            try await self.fails(bench, ["submit", valid, "--store", "/proc/assay"], 1, "/proc/assay")
            try await self.fails(bench, ["list", "--home", "/tmp/no-such-home"], 1, "assay up")
            try await self.fails(
                bench, ["list", "--database-url", "postgres:///assay?host=/tmp/no-such-socket"], 1,
                "/tmp/no-such-socket")
            #expect(try await bench.answer([RunAnswer].self, "list").isEmpty)
            struct Model: Decodable { var name: String }
            #expect(try await bench.answer([Model].self, "model", "list").map(\.name) == ["smollm2"])
        }
    }

    /// A disk that is full in the middle of the work: the shard fails with the reason, and no file stays.
    @Test func aFullDiskIsSaidAndLeavesNoFile() async throws {
        try await Workbench.withModel { bench in
            let file = try bench.jobFile(
                """
                model: smollm2
                settings: {logits: tokens, max_length: 1024}
                tasks: [{task: TASKS/hellaswag.yaml, limit: 3}]
                """)
            let run = try await bench.answer(RunAnswer.self, "submit", file)
            // Files may not grow beyond 8 KiB in the worker: the same error path as a full disk.
            let limited = try await bench.run(
                "/bin/sh", "-c",
                "trap '' XFSZ; ulimit -f 16; exec '\(Workbench.programs)/assay-worker' --once --threads 1 --store-patience 0"
            )
            #expect(
                limited.standardOutput.text.contains("1 attempt failed, 0 given up"), "\(limited.standardError.text)")
            let files = FileManager.default.enumerator(atPath: "\(bench.store)/runs")?.allObjects as? [String] ?? []
            #expect(files.filter { $0.contains(".h5") || $0.contains(".tmp") }.isEmpty)
            let shown = try await bench.assay("show", run.id)
            #expect(shown.contains("attempts that went wrong"), "\(shown)")
            // The disk has room again: the shard is tried again, and done.
            #expect(try await bench.worker().termination.isSuccess)
            #expect(try await bench.assay("results", "verify", run.id).contains("as published"))
        }
    }

    /// `assay run` starts a worker without labels; it says so instead of waiting in silence.
    @Test func aJobThatNoWorkerCanTakeIsSaid() async throws {
        try await Workbench.withModel { bench in
            let file = try bench.jobFile(
                """
                model: smollm2
                requires: {labels: [h100]}
                tasks: [{task: TASKS/hellaswag.yaml, limit: 1}]
                """)
            let run = try await bench.answer(RunAnswer.self, "submit", file)
            let explained = try await bench.assay("explain", run.id)
            #expect(explained.contains("No worker is alive, and it needs one labeled h100."), "\(explained)")
            #expect(explained.contains("assay-worker --label h100"), "\(explained)")
            // Waits for the sentence, then interrupts as somebody at the terminal would.
            let result = try await bench.run(
                "/bin/sh", "-c",
                """
                '\(Workbench.programs)/assay' run '\(file)' --device cpu 2> said & run=$!
                until grep -q 'labeled h100' said || ! kill -0 $run; do sleep 0.1; done
                kill -INT $run; wait $run; echo $?; cat said
                """)
            let text = result.standardOutput.text
            #expect(text.hasPrefix("130\n"), "\(text)")
            #expect(text.contains("does not go on: It needs workers labeled h100"), "\(text)")
            #expect(text.contains("assay-worker --label h100   starts one that has"), "\(text)")
        }
    }

    /// A prompt that is too long fails its shard, and no other attempt would change that.
    @Test func aDrainSaysWhatWasGivenUpAndFails() async throws {
        try await Workbench.withModel { bench in
            let file = try bench.jobFile(
                """
                model: smollm2
                settings: {overflow: error, max_length: 16}
                tasks: [{task: TASKS/hellaswag.yaml, limit: 1}]
                """)
            for program in [["--device", "cpu"], ["--all-devices"]] {
                let run = try await bench.answer(RunAnswer.self, "submit", file)
                let worker = try await bench.loop.run(
                    bench.configuration(
                        "assay-worker", Workbench.workerArguments + ["--run", run.id] + program))
                #expect(worker.termination == .exited(status: 1), "\(program): \(worker.standardError.text)")
                #expect(
                    worker.standardOutput.text.contains(
                        "0 shards committed (0 samples, 0 tokens), 1 attempt failed, 1 given up"),
                    "\(program): \(worker.standardOutput.text)")
                #expect(worker.standardError.text.contains("1 shard failed for good and has no result"))
            }
        }
    }

    private func fails(
        _ bench: Workbench, _ arguments: [String], _ status: Int, _ message: String
    ) async throws {
        let result = try await bench.loop.run(bench.configuration("assay", arguments))
        let command = "assay \(arguments.joined(separator: " "))"
        #expect(result.termination == .exited(status: status), "\(command): \(result.standardError.text)")
        #expect(result.standardError.text.contains(message), "\(command): \(result.standardError.text)")
        #expect(result.standardOutput.text.isEmpty, "\(command): \(result.standardOutput.text)")
        guard arguments.first == "submit" else { return }
        // A dry run says the same.
        let dry = try await bench.loop.run(bench.configuration("assay", arguments + ["--dry-run"]))
        #expect(dry.termination == result.termination, "\(command) --dry-run")
        #expect(dry.standardError.text == result.standardError.text && dry.standardOutput.text.isEmpty)
    }
}
