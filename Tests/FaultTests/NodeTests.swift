import Foundation
import Postgres
import ProcessTesting
import Testing
import UVEventLoop

extension FaultSuite {
    /// Faults of one machine, which are to cost the others nothing.
    @Suite struct NodeTests {
        /// A file system that is mounted everywhere but here.
        @Test func aNodeWithoutTheModelBurnsNobodysAttempts() async throws {
            try await FaultBench.with("blind node") { bench in
                let digest = try await References.shared.digest(of: .many)
                let run = try await bench.submit(.many)
                let blind = try await bench.spawn(
                    "blind", environment: try await bench.shim(["FAULT_HIDE": "tiny.gguf"]))
                try await bench.eventually("the blind worker has given a shard back") {
                    try await bench.count("attempt WHERE outcome = 'released'") >= 1
                }
                let explained = try await bench.bench.assay("explain", run)
                #expect(explained.contains("gave a shard back"), "\(explained)")
                #expect(explained.contains("can't be read on this machine"), "\(explained)")
                #expect(try await bench.bench.assay("show", run).contains("can't be read on this machine"))
                let seeing = try await bench.spawn("seeing", lease: 20)
                #expect(try await bench.summary(of: seeing).failed == 0, "\(seeing.logText)")
                // It left by itself if there was time for it, and says what is wrong either way.
                _ = try await blind.child.waitForExit()
                #expect(blind.logText.contains("can't be read on this machine"), "\(blind.logText)")
                #expect(try await bench.count("attempt WHERE outcome = 'failed'") == 0)
                #expect(try await bench.count("shard WHERE failures > 0") == 0)
                try await bench.expectUndisturbed(
                    [run], of: .many, digest: digest, after: ["model out of a worker's reach": 1])
            }
        }

        /// Nobody has what is needed: a worker that waits for nothing else says so and leaves.
        @Test func aWorkerThatCanDoNothingSaysSoAndLeaves() async throws {
            try await FaultBench.with("blind and alone") { bench in
                _ = try await bench.submit(.few)
                let blind = try await bench.spawn(
                    "blind", environment: try await bench.shim(["FAULT_HIDE": "tiny.gguf"]))
                let result = try await bench.found("the worker leaves", within: .seconds(40)) { blind.child.result }
                #expect(result.termination == .exited(status: 1))
                #expect(blind.logText.contains("error: nothing can be done here: job"), "\(blind.logText)")
                #expect(blind.logText.contains("can't be read on this machine"), "\(blind.logText)")
                #expect(try await bench.count("shard WHERE state = 'ready' AND failures = 0") == FaultJob.few.shards)
                try await bench.expectLeft(blind)
            }
        }

        /// `cp new.gguf old.gguf` under a worker: same place, same size, other weights.
        @Test func aModelFileThatIsOverwrittenUnderAWorkerChangesNothing() async throws {
            try await FaultBench.with("model overwritten") { bench in
                let digest = try await References.shared.digest(of: .many)
                let model = "\(bench.bench.folder)/own.gguf"
                let registered = try Data(contentsOf: URL(filePath: FaultBench.model))
                try registered.write(to: URL(filePath: model))
                try await bench.bench.assay("model", "add", "tiny", model, "--replace")
                let run = try await bench.submit(.many)
                let worker = try await bench.spawn("loaded", lease: 20)
                try await bench.eventually("the worker has begun") { try await bench.count("shard_result") >= 3 }
                let before = try await bench.count("shard_result")
                try self.spoil(model, registered)
                #expect(try await bench.summary(of: worker).failed == 0, "\(worker.logText)")
                #expect(before < FaultJob.many.shards, "the file was overwritten too late to prove anything")
                // What was loaded goes on; nobody loads what is there now.
                let late = try await bench.submit(.few)
                let other = try await bench.spawn("late")
                let result = try await bench.found("the worker leaves", within: .seconds(40)) { other.child.result }
                #expect(result.termination == .exited(status: 1))
                #expect(other.logText.contains("is not the file that was registered"), "\(other.logText)")
                #expect(
                    try await bench.count("shard_result r JOIN job j USING (job_id) WHERE j.run_id = $1::text", late)
                        == 0)
                try registered.write(to: URL(filePath: model))
                try await bench.drain()
                try await bench.expectUndisturbed(
                    [run], of: .many, digest: digest, after: ["model overwritten under a worker": 1])
            }
        }

        /// Cuts the file to nothing and writes other bytes of the same number, as cp does.
        private func spoil(_ path: String, _ registered: Data) throws {
            var bytes = registered
            for index in (bytes.count / 2)..<bytes.count { bytes[index] ^= 0x11 }
            let file = try FileHandle(forWritingTo: URL(filePath: path))
            try file.truncate(atOffset: 0)
            try file.write(contentsOf: bytes)
            try file.close()
        }
    }
}
