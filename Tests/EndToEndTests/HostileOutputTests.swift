import Foundation
import ProcessTesting
import Testing
import UVEventLoop

/// Names, paths, labels, prompts and errors of other people reach a terminal as text, whichever command prints them.
@Suite(.timeLimit(.minutes(10))) struct HostileOutputTests {
    /// Sets a window's title, the color and the direction of writing, where it is printed as it is.
    private static let evil = "\u{1B}]0;owned\u{7}\u{9B}31m\u{202E}x\ny\r\u{7F}"

    /// The same in a string of JSON or YAML.
    private static let quoted = #""\u001b]0;owned\u0007\u009b31m\u202ex\ny\r\u007f""#

    @Test func noCommandPrintsAControlCharacterOfSomebodysData() async throws {
        try await Workbench.withModel { bench in
            var bench = bench
            bench.environment["USER"] = Self.evil
            let job = try self.files(in: bench)
            let run = try await bench.answer(RunAnswer.self, "submit", job.fine)
            let waiting = try await bench.answer(RunAnswer.self, "submit", job.waiting)
            let failing = try await bench.answer(RunAnswer.self, "submit", job.failing)
            _ = try await bench.run("assay", "hold", waiting.id, "--reason", Self.evil)
            for format in ["text", "json"] {
                bench.environment["ASSAY_LOG_FORMAT"] = format
                try await self.check(
                    bench, "assay-worker", "--drain", "--threads", "1", "--log", "trace", "--label", "a \(Self.evil)",
                    "--run", format == "text" ? run.id : failing.id)
            }
            let alias = "\(bench.folder)/\(Self.evil).gguf"
            try FileManager.default.createSymbolicLink(atPath: alias, withDestinationPath: Inputs.model)
            try await self.check(bench, "assay", "model", "add", "evil", alias)
            try await self.check(bench, "assay", "dataset", "add", "evil/rows", "--split", "test=\(job.rows)")
            for id in [run.id, waiting.id, failing.id] {
                for command in ["show", "explain", "logs", "watch", "release", "retry", "hold", "priority", "cancel"] {
                    if command == "watch", id == waiting.id { continue }
                    try await self.both(bench, "assay", [command, id] + (command == "priority" ? ["low"] : []))
                }
                for command in ["path", "digest", "verify"] {
                    try await self.both(bench, "assay", ["results", command, id])
                }
            }
            for arguments in [
                ["list"], ["doctor"], ["worker", "list"], ["project", "list"], ["model", "list"],
                ["model", "show", "evil"], ["dataset", "list"], ["dataset", "show", "evil/rows"],
                ["task", "show", job.task],
                ["task", "preview", job.task], ["task", "preview", job.task, "--diff", job.otherTask],
                ["task", "list", bench.folder], ["task", "import", bench.folder, "--all"],
                ["submit", job.fine, "--dry-run"], ["schedule", "list"], ["schedule", "add", job.fine],
                ["results", "gc", "--dry-run"],
                // What is asked for comes back in errors.
                ["show", Self.evil], ["submit", "/\(Self.evil).yaml"], [Self.evil], ["list", "--\(Self.evil)"],
                ["model", "add", Self.evil, alias], ["model", "show", Self.evil], ["dataset", "show", Self.evil],
                ["project", "set", Self.evil, "--weight", "2"], ["doctor", "--store", "/no/\(Self.evil)"],
                ["list", "--log", Self.evil], ["list", "--database-url", "postgres://h/\(Self.evil)?\(Self.evil)=1"],
                ["priority", run.id, Self.evil], ["submit", job.broken], ["task", "show", job.broken],
            ] { try await self.both(bench, "assay", arguments) }
            for arguments in [
                ["build", run.id], ["build", failing.id], ["show", run.id], ["list"], ["verify", run.id],
                ["show", Self.evil],
            ] { try await self.both(bench, "assay-report", arguments) }
        }
    }

    private struct Files {
        var rows: String
        var task: String
        var otherTask: String
        var broken: String
        var fine: String
        /// For a worker that is not there.
        var waiting: String
        /// Whose prompts are too long.
        var failing: String
    }

    private func files(in bench: Workbench) throws -> Files {
        func write(_ name: String, _ text: String) throws -> String {
            try text.write(toFile: "\(bench.folder)/\(name)", atomically: true, encoding: .utf8)
            return "\(bench.folder)/\(name)"
        }
        func task(_ name: String, _ prompt: String) throws -> String {
            try write(
                "\(name).yaml",
                """
                task: \(Self.quoted)
                task_alias: \(Self.quoted)
                dataset_path: json
                dataset_kwargs: {data_files: {test: rows.jsonl}}
                test_split: test
                output_type: generate_until
                doc_to_text: "\(prompt) {{q}}"
                doc_to_target: "{{q}}"
                generation_kwargs: {until: [\(Self.quoted)], max_gen_toks: 3}
                metric_list: [{metric: exact_match}]
                """)
        }
        let rows = try write(
            "rows.jsonl", "{\"q\": \(Self.quoted), \(Self.quoted): 1}\n{\"q\": \"two\", \(Self.quoted): 2}")
        let first = try task("first", "say")
        let head = "name: \(Self.quoted)\nproject: \(Self.quoted)\nmodel: smollm2\n"
        return Files(
            rows: rows, task: first, otherTask: try task("second", "tell"),
            broken: try write("broken.yaml", "\(Self.quoted): [\(Self.quoted)]\nmodel: \(Self.quoted)"),
            fine: try write("fine.yaml", head + "tasks: [first.yaml]"),
            waiting: try write(
                "waiting.yaml", head + "requires: {labels: [\(Self.quoted)]}\ntasks: [first.yaml]"),
            failing: try write(
                "failing.yaml", head + "settings: {overflow: error, max_length: 16}\ntasks: [first.yaml]"))
    }

    /// For people and for machines.
    private func both(_ bench: Workbench, _ program: String, _ arguments: [String]) async throws {
        for format in [[], ["--json"]] {
            let result = try await bench.loop.run(bench.configuration(program, arguments + format))
            self.expectSafe(result, "\(program) \(arguments + format)")
            if !format.isEmpty, result.termination.isSuccess, !result.standardOutput.text.isEmpty {
                let data = Data(result.standardOutput.bytes)
                #expect(throws: Never.self) {
                    try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
                }
            }
        }
    }

    private func check(_ bench: Workbench, _ program: String, _ arguments: String...) async throws {
        let result = try await bench.loop.run(bench.configuration(program, arguments))
        self.expectSafe(result, "\(program) \(arguments)")
    }

    private func expectSafe(_ result: ProcessResult, _ command: String) {
        for text in [result.standardOutput.text, result.standardError.text] {
            let bad = text.unicodeScalars.filter { scalar in
                switch scalar.value {
                case 0x09, 0x0A: false
                case 0x00...0x1F, 0x7F...0x9F, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
                default: false
                }
            }
            #expect(
                bad.isEmpty,
                "\(command.debugDescription) printed \(Set(bad.map { String($0.value, radix: 16) })): \(text.debugDescription.prefix(400))"
            )
        }
    }
}
