import JobQueue
import Postgres
import PostgresQueue
import ProcessTesting
import Testing

extension FaultSuite {
    /// Two engines at one job: that of a worker's process, and one of another build, whose worker this process is.
    @Suite struct EngineTests {
        private static let other = #"{"build":"another","device_kind":"cpu-avx2","engine":"llama.cpp"}"#

        private func registerOther(_ queue: PostgresJobQueue) async throws -> WorkerLease {
            try await queue.register(
                WorkerDescription(
                    host: "other", pid: 1, device: "cpu", labels: [WorkerLabel.rules], engine: "another",
                    identity: Self.other), ttl: .seconds(3600))
        }

        /// Whoever takes which shard: all results come from the engine of the first one.
        @Test func aJobKeepsToTheEngineOfItsFirstResult() async throws {
            try await FaultBench.with("two engines") { bench in
                let queue = PostgresJobQueue(bench.pool)
                let digest = try await References.shared.digest(of: .few)
                let run = try await bench.submit(.few)
                let other = try await self.registerOther(queue)
                let shard = try #require(try await queue.claim(other, limit: 1).first)
                let worker = try await bench.spawn("one", lease: 20)
                try await bench.eventually("the worker does all but one") {
                    try await queue.run(matching: run).progress.shards.done == FaultJob.few.shards - 1
                }
                let result = ShardPublication(
                    path: "runs/\(shard.run)/\(shard.jobName)/shard-\(shard.index).e1.\(shard.incarnation).h5",
                    bytes: 1,
                    sha256: String(repeating: "a", count: 64), digest: "another", samples: shard.rowCount, tokens: 1,
                    seconds: 1)
                #expect(try await queue.commit(shard, result) == .unlike)
                #expect(try await queue.claim(other, limit: 1).isEmpty)
                #expect(try await queue.release([shard], note: "another engine") == [shard.key])
                #expect(try await queue.claim(other, limit: 1).isEmpty)
                let summary = try await bench.summary(of: worker)
                #expect((summary.committed, summary.failed) == (FaultJob.few.shards, 0), "\(worker.logText)")
                let engines = try await bench.rows(
                    "SELECT DISTINCT w.identity FROM shard_result JOIN worker w USING (worker_id)")
                #expect(try engines.map { try $0.decode("identity", as: String?.self) } != [Self.other])
                #expect(engines.count == 1)
                try await queue.deregister(other)
                try await bench.expectUndisturbed(
                    [run], of: .few, digest: digest, after: ["worker of another engine": 1])
            }
        }

        /// The pool was upgraded in the middle of a run: people are told, and can let the new engine finish it.
        @Test func whyNobodyClaimsIsSaidAndAnotherEngineCanFinish() async throws {
            try await FaultBench.with("upgraded pool") { bench in
                let queue = PostgresJobQueue(bench.pool)
                let run = try await bench.submit(.few)
                let other = try await self.registerOther(queue)
                let shard = try #require(try await queue.claim(other, limit: 1).first)
                let path = "runs/\(shard.run)/\(shard.jobName)/shard-\(shard.index).e1.\(shard.incarnation).h5"
                let result = ShardPublication(
                    path: path, bytes: 1, sha256: String(repeating: "a", count: 64), digest: "another",
                    samples: shard.rowCount, tokens: 1, seconds: 1)
                #expect(try await queue.commit(shard, result) == .committed)
                try await queue.deregister(other)
                let alone = try await bench.bench.assay("explain", run)
                #expect(alone.contains("it needs one with the engine of its results (llama.cpp another on cpu-avx2)"))
                let worker = try await bench.spawn("new", lease: 20)
                try await bench.eventually("the worker is there") {
                    try await queue.workers().contains { $0.state == .live }
                }
                let explained = try await bench.bench.assay("explain", run)
                #expect(
                    explained.contains(
                        "the only worker that could run it has another: build is another in the results"),
                    "\(explained)")
                #expect(explained.contains("assay retry \(run).0 --any-engine"), "\(explained)")
                #expect(try await bench.bench.assay("show", "\(run).0").contains("one engine: llama.cpp another"))
                #expect(try await queue.run(matching: run).progress.shards.done == 1)
                let retried = try await bench.bench.assay("retry", run, "--any-engine")
                #expect(retried.contains("1 job may be finished by other engines"), "\(retried)")
                let summary = try await bench.summary(of: worker)
                #expect((summary.committed, summary.failed) == (FaultJob.few.shards - 1, 0), "\(worker.logText)")
                #expect(try await bench.bench.assay("show", "\(run).0").contains("may come from several engines"))
            }
        }
    }
}
