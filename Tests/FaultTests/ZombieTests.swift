import Foundation
import Postgres
import ProcessTesting
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension FaultSuite {
    /// Workers that stand still until they are thought dead, and then go on.
    @Suite struct ZombieTests {
        /// Everything that the zombie had was done by others when it wakes up.
        @Test func aZombieDoesNotPublishAndGoesOnWithALeaseOfItsOwn() async throws {
            try await FaultBench.with("zombie") { bench in
                let digest = try await References.shared.digest(of: .many)
                let few = try await References.shared.digest(of: .few)
                let run = try await bench.submit(.many)
                let zombie = try await bench.spawn("zombie")
                let shard = try await bench.stopWithShard(zombie)
                try await bench.drain()
                let epoch = try await bench.rows(
                    "SELECT epoch FROM shard_result WHERE job_id = $1::int8 AND shard_no = $2::int4",
                    shard.job, shard.number
                ).only().decode("epoch", as: Int.self)
                #expect(epoch == shard.epoch + 1, "the shard was claimed once more, seed \(Seed.value)")
                #expect(try await bench.count("attempt WHERE outcome = 'lost'") >= 1)
                let next = try await bench.submit(.few)
                try await zombie.signal(SIGCONT)
                let summary = try await bench.summary(of: zombie)
                #expect(zombie.logText.contains("registered again"), "\(zombie.logText)")
                #expect(try await bench.count("worker WHERE pid = $1::int4", zombie.processID) == 2)
                #expect(summary.fenced + summary.released >= 1, "\(zombie.logText)")
                #expect(
                    try await bench.count(
                        "shard_result r JOIN job j USING (job_id) JOIN worker w USING (worker_id) "
                            + "WHERE j.run_id = $1::text AND w.pid = $2::int4", next, zombie.processID)
                        == FaultJob.few.shards)
                try await bench.expectUndisturbed(
                    [run], of: .many, digest: digest, after: ["worker stopped until it was thought dead": 1])
                try await bench.expectUndisturbed([next], of: .few, digest: few)
            }
        }

        /// The same shard in two hands: the one that was stopped with it, and the one that has claimed it since.
        @Test func twoWorkersWithOneShardGiveOneResult() async throws {
            try await FaultBench.with("duel") { bench in
                let digest = try await References.shared.digest(of: .one)
                let run = try await bench.submit(.one)
                let first = try await bench.spawn("first")
                _ = try await bench.stopWithShard(first)
                let second = try await bench.spawn("second", lease: 20)
                try await bench.eventually("the second worker has the shard") {
                    try await bench.count(
                        "shard s JOIN worker w USING (worker_id) WHERE s.state = 'running' AND w.pid = $1::int4",
                        second.processID) == 1
                }
                try await first.signal(SIGCONT)
                let (loser, winner) = (try await bench.summary(of: first), try await bench.summary(of: second))
                #expect(winner.committed == 1 && winner.fenced == 0, "\(second.logText)")
                #expect(loser.committed == 0 && loser.fenced + loser.released == 1, "\(first.logText)")
                try await bench.expectUndisturbed(
                    [run], of: .one, digest: digest, after: ["worker stopped until it was thought dead": 1])
            }
        }
    }
}

extension FaultBench {
    struct Claimed: Sendable {
        var job: Int64
        var number: Int
        var epoch: Int
    }

    /// Stops the worker (SIGSTOP) at a moment when it has a shard that nobody can commit but itself.
    func stopWithShard(_ worker: WorkerProcess) async throws -> Claimed {
        try await self.found("\(worker.name) is stopped with a shard in hand") {
            guard try await self.claim(of: worker) != nil else { return nil }
            try await worker.signal(SIGSTOP)
            // A call that was under way ends now; what is running after that stays so.
            try await self.eventually("the server is done with \(worker.name)") {
                try await self.count(
                    "pg_stat_activity WHERE application_name = $1::text AND state <> 'idle'", worker.name) == 0
            }
            if let claimed = try await self.claim(of: worker) { return claimed }
            try await worker.signal(SIGCONT)
            return nil
        }
    }

    private func claim(of worker: WorkerProcess) async throws -> Claimed? {
        let rows = try await self.rows(
            """
            SELECT s.job_id, s.shard_no, s.epoch FROM shard s JOIN worker w USING (worker_id)
            WHERE w.pid = $1::int4 AND w.state = 'live' AND s.state = 'running'
            """, worker.processID)
        guard let row = rows.first else { return nil }
        return Claimed(
            job: try row.decode("job_id"), number: try row.decode("shard_no"), epoch: try row.decode("epoch"))
    }
}
