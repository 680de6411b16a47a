import Foundation
import ProcessTesting
import Testing
import UVEventLoop

/// Supervised worker processes on a real queue.
@Suite(.timeLimit(.minutes(10))) struct SupervisorTests {
    struct WorkerAnswer: Decodable {
        var id: Int
        var pid: Int
        var device: String
        var labels: [String]
        var isDraining: Bool
        var holding: Int
    }
    struct Summary: Decodable {
        var committed: Int
        var samples: Int
    }

    @Test func twoProcessesDoAllTheWorkAndAreCountedTogether() async throws {
        try await Workbench.withModel { bench in
            let run = try await self.submit(bench)
            let result = try await bench.run(
                "assay-worker", "--all-devices", "--per-device", "2", "--drain", "--json", "--label", "fast")
            #expect(result.termination.isSuccess, "\(result.standardError.text)")
            let summary = try JSONDecoder().decode(Summary.self, from: Data(result.standardOutput.bytes))
            #expect(summary.samples == 8)
            #expect(summary.committed == 4)
            let workers = try await bench.answer([WorkerAnswer].self, "worker", "list", "--all")
            #expect(workers.map(\.device) == ["cpu", "cpu"])
            #expect(workers.map { $0.labels.filter { !$0.hasPrefix("assay:") } } == [["fast"], ["fast"]])
            #expect(Set(workers.map(\.pid)).count == 2)
            #expect(try await bench.assay("results", "verify", run.id).contains("files are as published"))
        }
    }

    @Test func theyAreRestartedDrainedAndDieWithTheirSupervisor() async throws {
        try await Workbench.withModel { bench in
            let supervisor = try await bench.loop.spawn(
                bench.configuration("assay-worker", ["--all-devices", "--per-device", "2", "--log", "info"]))
            let first = try await self.workers(bench) { $0.count == 2 }

            // One crashes, and another one takes its place.
            kill(pid_t(first[0].pid), SIGKILL)
            let second = try await self.workers(bench) { workers in
                workers.contains { worker in !first.contains { $0.pid == worker.pid } }
            }
            let new = try #require(second.first { worker in !first.contains { $0.pid == worker.pid } })

            // One is sent home, and stays there.
            let drained = try await bench.assay("worker", "drain", "\(first[1].id)")
            #expect(drained.contains("worker \(first[1].id)"))
            while Self.isAlive(first[1].pid) { try await bench.loop.sleep(for: .milliseconds(20)) }
            #expect(supervisor.result == nil)

            // The supervisor is killed, and the last one with it.
            try await supervisor.send(signal: 9)
            _ = try await supervisor.waitForExit()
            while Self.isAlive(new.pid) { try await bench.loop.sleep(for: .milliseconds(20)) }
        }
    }

    @Test func aSignalDrainsThemAll() async throws {
        try await Workbench.withModel { bench in
            let supervisor = try await bench.loop.spawn(
                bench.configuration("assay-worker", ["--all-devices", "--per-device", "2"]))
            _ = try await self.workers(bench) { $0.count == 2 }
            try await supervisor.send(signal: 15)
            let result = try await supervisor.waitForExit()
            #expect(result.termination.isSuccess, "\(result.standardError.text)")
            #expect(try await bench.answer([WorkerAnswer].self, "worker", "list").isEmpty)
        }
    }

    @Test func aWorkerThatAlwaysCrashesIsGivenUp() async throws {
        try await Workbench.withModel { bench in
            // No folder can be made there, so no worker gets as far as its work.
            let result = try await bench.run("assay-worker", "--all-devices", "--drain", "--store", "/proc/assay")
            #expect(result.termination == .exited(status: 1))
            #expect(result.standardError.text.contains("giving up on this worker"))
            #expect(result.standardError.text.contains("/proc/assay"))
        }
    }

    /// A process that has ended but is not waited for yet counts as dead.
    private static func isAlive(_ process: Int) -> Bool {
        let text = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
        guard let end = text.lastIndex(of: ")") else { return false }
        return !text[end...].hasPrefix(") Z")
    }

    private func submit(_ bench: Workbench) async throws -> RunAnswer {
        let file = try bench.jobFile(
            """
            model: smollm2
            settings: {shard_size: 2, max_length: 1024}
            tasks: [{task: TASKS/hellaswag.yaml, limit: 8}]
            """)
        return try await bench.answer(RunAnswer.self, "submit", file)
    }

    /// The living workers once they are as expected.
    private func workers(
        _ bench: Workbench, until isExpected: ([WorkerAnswer]) -> Bool
    ) async throws -> [WorkerAnswer] {
        while true {
            let workers = try await bench.answer([WorkerAnswer].self, "worker", "list")
            if isExpected(workers) { return workers }
            try await bench.loop.sleep(for: .milliseconds(50))
        }
    }
}
