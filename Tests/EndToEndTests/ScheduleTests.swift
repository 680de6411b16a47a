import Foundation
import ProcessTesting
import Testing
import UVEventLoop

/// A nightly evaluation from its job file to results, with nothing but the programs.
@Suite(.timeLimit(.minutes(10))) struct ScheduleTests {
    private struct View: Decodable {
        struct Schedule: Decodable {
            var name: String
            var nextAt: String
        }
        struct DueTime: Decodable {
            var at: String
            var local: String
        }
        var schedule: Schedule
        var next: [DueTime]
    }

    private struct Fire: Decodable {
        var kind: String
        var outcome: String
        var run: String?
        var reason: String?
    }

    private static let job = """
        name: nightly
        model: smollm2
        tasks: [{task: TASKS/hellaswag.yaml, limit: 2}]
        schedule: {cron: "30 2 * * *", time_zone: Europe/Berlin}
        """

    @Test func aWorkerFiresWhatIsDueAndComputesIt() async throws {
        try await Workbench.withModel { bench in
            let file = try bench.jobFile(Self.job)
            let added = try await bench.answer(View.self, "schedule", "add", file)
            #expect(added.schedule.name == "nightly")
            #expect(added.next.count == 5)
            #expect(added.next.map(\.at).first == added.schedule.nextAt)
            #expect(added.next.allSatisfy { $0.local.contains(" 02:30 CE") || $0.local.contains(" 03:00 CEST") })
            #expect(try await bench.assay("schedule", "list").contains("30 2 * * *  Europe/Berlin  skip"))
            #expect(try await bench.assay("schedule", "history", "nightly").isEmpty)

            // The night comes; a run that somebody asked for keeps the worker from leaving at once.
            try await bench.assay("schedule", "trigger", "nightly")
            try await bench.assay(
                "schedule", "add", try bench.jobFile(Self.job.replacing("2}]", with: "3}]")), "--replace")
            try await Self.letNightCome(bench)
            let worker = try await bench.worker("--log", "notice")
            #expect(worker.termination.isSuccess, "\(worker.standardError.text)")
            #expect(
                worker.standardError.text.contains("skipped a due time of a schedule"), "\(worker.standardError.text)")
            try await Self.letNightCome(bench)
            try await bench.assay("submit", file)
            let second = try await bench.worker("--log", "notice")
            #expect(second.standardError.text.contains("fired a schedule"), "\(second.standardError.text)")

            let history = try await bench.answer([Fire].self, "schedule", "history", "nightly")
            #expect(
                Set(history.map { "\($0.kind) \($0.outcome)" }) == ["trigger fired", "clock skipped", "clock fired"])
            let run = try #require(history.first { $0.kind == "clock" && $0.outcome == "fired" }?.run)
            #expect(try await bench.assay("results", "verify", run).contains("as published"))
            let shown = try await bench.answer(ShowAnswer.self, "show", run)
            #expect(shown.run.progress.samplesDone == 3)
        }
    }

    @Test func mistakesGetOneClearMessage() async throws {
        try await Workbench.withModel { bench in
            let file = try bench.jobFile(Self.job)
            try await bench.assay("schedule", "add", file)
            let other = try bench.jobFile(Self.job.replacing("30 2", with: "30 3"))
            let none = try bench.jobFile("model: smollm2\ntasks: [TASKS/hellaswag.yaml]")
            for (arguments, status, message) in [
                (["add", other], 1, "--replace"), (["add", none], 1, "has no 'schedule'"),
                (["show", "weekly"], 1, "there is no schedule 'weekly' (there are nightly)"),
                (["trigger", "nightly", "--overlap", "wait"], 1, "use one of skip, buffer_one"),
                (["backfill", "nightly", "--from", "x", "--to", "y"], 1, "'x' is no time"),
                (["backfill", "nightly", "--from", "2026-01-02", "--to", "2026-01-01"], 2, "is later than"),
                (["history", "nightly", "--limit", "0"], 2, "--limit is from"),
            ] {
                let result = try await bench.loop.run(bench.configuration("assay", ["schedule"] + arguments))
                #expect(result.termination == .exited(status: status), "\(arguments): \(result.standardError.text)")
                #expect(result.standardError.text.contains(message), "\(arguments): \(result.standardError.text)")
            }
        }
    }

    @Test func pastNightsAreMadeUpForOnce() async throws {
        try await Workbench.withModel { bench in
            try await bench.assay("schedule", "add", try bench.jobFile(Self.job))
            let range = ["--from", "2026-03-28", "--to", "2026-03-30", "--overlap", "allow_all"]
            let command = ["schedule", "backfill", "nightly"] + range
            func backfill(_ more: String...) async throws -> [Fire] {
                let result = try await bench.loop.run(bench.configuration("assay", command + more + ["--json"]))
                try #require(result.termination.isSuccess, "\(result.standardError.text)")
                return try JSONDecoder().decode([Fire].self, from: Data(result.standardOutput.bytes))
            }
            #expect(try await backfill("--dry-run").map(\.reason) == Array(repeating: "would be submitted", count: 3))
            let first = try await backfill()
            #expect(first.map(\.outcome) == ["fired", "fired", "fired"])
            #expect(try await backfill().map(\.run) == first.map(\.run))
            #expect(try await bench.answer([RunAnswer].self, "list").count == 3)
            #expect(try await bench.assay("schedule", "history", "nightly").contains("2026-03-29 03:00 CEST"))
            try await bench.assay("schedule", "pause", "nightly", "--reason", "maintenance")
            #expect(try await bench.assay("schedule", "show", "nightly").contains(": maintenance"))
            #expect(try await bench.assay("schedule", "resume", "nightly").contains("due next"))
            try await bench.assay("schedule", "remove", "nightly")
        }
    }

    /// Makes the schedule due now, as if its hour had come.
    private static func letNightCome(_ bench: Workbench) async throws {
        let lines = try String(contentsOfFile: "\(bench.home)/postgres/data/postmaster.pid", encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
        let result = try await bench.run(
            "/usr/bin/env", "psql", "-X", "-h", String(lines[4]), "-p", String(lines[3]), "-U", "assay", "-d", "assay",
            "-c", "UPDATE schedule SET next_at = date_trunc('second', now()), look_at = now()")
        try #require(result.termination.isSuccess, "\(result.standardError.text)")
    }
}
