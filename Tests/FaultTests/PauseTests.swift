import Foundation
import Postgres
import ProcessTesting
import Testing
import UVEventLoop

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension FaultSuite {
    /// A database that stands still, is away for longer than a lease lasts, or whose clock jumps.
    @Suite struct PauseTests {
        /// A suspended virtual machine: nothing answers, and afterwards it is later than anybody thought.
        @Test func aDatabaseThatStandsStillCostsNoFinishedWork() async throws {
            try await FaultBench.with("pause") { bench in
                let digest = try await References.shared.digest(of: .one)
                let run = try await bench.submit(.one)
                let worker = try await bench.spawn("patient")
                try await bench.eventually("the worker computes") {
                    try await bench.momentOfDeath(of: worker) == .computing
                }
                let server = try bench.serverProcesses()
                for process in server { kill(process, SIGSTOP) }
                defer { for process in server { kill(process, SIGCONT) } }
                try await bench.eventually("the worker notices") {
                    worker.logText.contains("the lease could not be renewed in time")
                }
                try await bench.loop.sleep(for: .seconds(3))
                for process in server { kill(process, SIGCONT) }
                let summary = try await bench.summary(of: worker)
                #expect((summary.committed, summary.fenced, summary.released) == (1, 0, 0), "\(worker.logText)")
                #expect(try await bench.count("shard_result WHERE epoch = 1") == 1)
                try await bench.expectUndisturbed(
                    [run], of: .one, digest: digest, after: ["database stands still for longer than a lease": 1])
            }
        }

        /// The server crashes, and its recovery takes longer than a lease lasts.
        @Test func aDatabaseThatIsAwayForLongCostsNoFinishedWork() async throws {
            try await FaultBench.with("long recovery") { bench in
                let digest = try await References.shared.digest(of: .one)
                let run = try await bench.submit(.one)
                let worker = try await bench.spawn("patient")
                try await bench.eventually("the worker computes") {
                    try await bench.momentOfDeath(of: worker) == .computing
                }
                // A crash can undo a claim that is not on disk yet; a commit that is waited for brings all before it there.
                _ = try await bench.rows("SELECT pg_logical_emit_message(true, 'assay', 'flush')")
                try await bench.controlServer("stop")
                try await bench.eventually("the worker notices") {
                    worker.logText.contains("the lease could not be renewed in time")
                }
                try await bench.loop.sleep(for: .seconds(2))
                try await bench.controlServer("start")
                let summary = try await bench.summary(of: worker)
                #expect((summary.committed, summary.fenced, summary.released) == (1, 0, 0), "\(worker.logText)")
                #expect(try await bench.count("shard_result WHERE epoch = 1") == 1)
                try await bench.expectUndisturbed(
                    [run], of: .one, digest: digest, after: ["database away for longer than a lease": 1])
            }
        }

        /// Two workers, so that one may be taken for dead by the other.
        @Test(arguments: [3_600, -3_600])
        func aClockThatJumpsCostsNoFinishedWorkAndNoShardAnHour(_ seconds: Int) async throws {
            try await FaultBench.with("clock \(seconds) s") { bench in
                let digest = try await References.shared.digest(of: .many)
                let clock = "\(bench.bench.folder)/clock"
                try await bench.controlServer("restart", try await bench.shim(["FAULT_CLOCK": clock]))
                let run = try await bench.submit(.many)
                let first = try await bench.spawn("first")
                let second = try await bench.spawn("second")
                try await bench.eventually("both work") {
                    guard try await bench.count("worker WHERE state = 'live'") == 2 else { return false }
                    return try await bench.count("shard_result") >= 5
                }
                // In one piece, or half of it would be read.
                try "\(seconds)".write(toFile: "\(clock).new", atomically: true, encoding: .utf8)
                try FileManager.default.moveItem(atPath: "\(clock).new", toPath: clock)
                let done = try await bench.count("shard_result")
                try await bench.eventually("both go on") { try await bench.count("shard_result") > done + 5 }
                // One of them dies just then: its shard must not wait for the clock to be where it was.
                _ = try await second.kill()
                #expect(try await bench.summary(of: first).failed == 0, "\(first.logText)")
                try await bench.drain()
                #expect(try await bench.count("shard WHERE state = 'held'") == 0)
                try await bench.expectUndisturbed(
                    [run], of: .many, digest: digest, after: ["clock of the server set": 1])
            }
        }
    }
}

extension FaultBench {
    /// The server's first process and all that it has started.
    func serverProcesses() throws -> [pid_t] {
        let text = try String(contentsOfFile: "\(self.bench.home)/postgres/data/postmaster.pid", encoding: .utf8)
        let first = try #require(pid_t(text.prefix { $0 != "\n" }))
        let children = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { name -> pid_t? in
            guard let process = pid_t(name),
                let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
                // Behind the name in parentheses: state, parent.
                let parent = status.split(separator: ")").last?.split(separator: " ").dropFirst().first
            else { return nil }
            return parent == "\(first)" ? process : nil
        }
        return [first] + children
    }
}
