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
    /// A file server that does not answer: a call that never returns, in a thread that nothing can end.
    @Suite struct StallTests {
        @Test func aWorkerThatHangsGivesItsShardsBackAndEnds() async throws {
            try await FaultBench.with("hung store") { bench in
                let digest = try await References.shared.digest(of: .few)
                let run = try await bench.submit(.few)
                let hang = try await HungStore(bench)
                let worker = try await bench.spawn(
                    "hung", lease: 20, environment: hang.environment, "--stall-minutes", "0.05", "--store-patience", "1"
                )
                try await hang.hits()
                let result = try await bench.found("the worker ends", within: .seconds(20)) { worker.child.result }
                #expect(result.termination == .exited(status: 75), "\(worker.logText)")
                #expect(worker.logText.contains("publishing shard \(run).0/"), "\(worker.logText)")
                #expect(worker.logText.contains("has shown no progress"), "\(worker.logText)")
                try await bench.expectLeft(worker)
                #expect(try await bench.bench.assay("worker", "list").contains("has shown no progress"))
                // No attempt is burned: it is no fault of the shard's.
                #expect(try await bench.count("attempt WHERE outcome <> 'released'") == 0)
                try hang.end()
                try await bench.drain()
                try await bench.expectUndisturbed(
                    [run], of: .few, digest: digest, after: ["store that hangs under a worker": 1])
            }
        }

        @Test func theSecondSignalEndsAWorkerWhateverHangs() async throws {
            try await FaultBench.with("second signal") { bench in
                let digest = try await References.shared.digest(of: .few)
                let run = try await bench.submit(.few)
                let hang = try await HungStore(bench)
                let worker = try await bench.spawn("hung", lease: 60, environment: hang.environment)
                try await hang.hits()
                try await worker.signal(SIGTERM)
                try await bench.eventually("the worker drains") { worker.logText.contains("draining") }
                try await worker.signal(SIGTERM)
                let asked = ContinuousClock.now
                let result = try await bench.found("the worker ends", within: .seconds(20)) { worker.child.result }
                #expect(asked.duration(to: .now) < .seconds(10), "\(worker.logText)")
                #expect(result.termination == .exited(status: 128 + Int(SIGTERM)), "\(worker.logText)")
                #expect(worker.logText.contains("signals, maintenance, worker"), "\(worker.logText)")
                try await bench.expectLeft(worker)
                try hang.end()
                try await bench.drain()
                try await bench.expectUndisturbed(
                    [run], of: .few, digest: digest, after: ["store that hangs under a worker": 1])
            }
        }

        @Test func theSecondSignalSaysNothingOfHangingWhereNothingHangs() async throws {
            try await FaultBench.with("second signal, nothing hangs") { bench in
                _ = try await bench.submit(.one)
                let worker = try await bench.spawn("abandoning", lease: 60)
                try await bench.eventually("the worker has the shard") {
                    try await bench.count("shard WHERE state = 'running'") == 1
                }
                try await worker.signal(SIGTERM)
                try await bench.eventually("the worker drains") { worker.logText.contains("draining") }
                try await worker.signal(SIGTERM)
                let result = try await bench.found("the worker ends", within: .seconds(20)) { worker.child.result }
                #expect(result.termination == .exited(status: 0), "\(worker.logText)")
                #expect(worker.logText.contains("abandoning the shard in hand"), "\(worker.logText)")
                #expect(!worker.logText.contains("hangs"), "\(worker.logText)")
                try await bench.expectLeft(worker)
            }
        }
    }
}

/// A store that takes nothing and says nothing, for workers that are started with `environment`.
private struct HungStore {
    let bench: FaultBench
    let flag: String
    let environment: [String: String]

    init(_ bench: FaultBench) async throws {
        self.bench = bench
        self.flag = "\(bench.bench.folder)/hang"
        self.environment = try await bench.shim(["FAULT_HANG": self.flag])
        try "".write(toFile: self.flag, atomically: true, encoding: .utf8)
    }

    /// Waits until a worker hangs.
    func hits() async throws {
        try await self.bench.eventually("a worker hangs") { access("\(self.flag).hit", F_OK) == 0 }
    }

    func end() throws { try FileManager.default.removeItem(atPath: self.flag) }
}

extension FaultBench {
    /// The worker said that it left, so that nobody waits for its lease's end to have its shards.
    func expectLeft(_ worker: WorkerProcess) async throws {
        let process = worker.processID
        #expect(
            try await self.count("worker WHERE pid = $1::int4 AND state = 'left'", process) == 1, "\(worker.logText)")
        #expect(try await self.count("shard WHERE state = 'running'") == 0)
    }
}
