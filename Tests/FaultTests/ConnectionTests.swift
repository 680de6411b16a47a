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
    /// A network that breaks between a worker and its database.
    @Suite struct ConnectionTests {
        @Test func cutConnectionsLoseAndDoubleNothing() async throws {
            try await FaultBench.with("cuts") { bench in
                let digest = try await References.shared.digest(of: .many)
                var random = Seed.generator("cuts")
                let proxy = try await Proxy(to: bench)
                let run = try await bench.submit(.many)
                let worker = try await bench.spawn("cut", lease: 10, server: proxy.server)
                var cuts = 0
                while cuts < 8 {
                    let done = try await bench.count("shard_result")
                    try await bench.eventually("the worker goes on after a cut") {
                        let now = try await bench.count("shard_result")
                        return now > done || now == FaultJob.many.shards
                    }
                    try await bench.loop.sleep(for: .milliseconds(Int.random(in: 0...200, using: &random)))
                    // A fast machine may be done by now.
                    guard worker.child.result == nil, done < FaultJob.many.shards else { break }
                    cuts += 1
                    try await proxy.cut()
                    try await bench.loop.sleep(for: .milliseconds(Int.random(in: 0...500, using: &random)))
                    try await proxy.open()
                }
                #expect(cuts > 0, "the worker was done before the first cut")
                #expect(try await bench.summary(of: worker).failed == 0, "\(worker.logText)")
                try await bench.drain()
                try await bench.expectUndisturbed(
                    [run], of: .many, digest: digest, after: ["worker's connections cut": cuts])
            }
        }

        /// Nothing arrives and nothing fails: the worker notices by its own clock that others may have its shard, begins
        /// nothing else, and has no result when they do.
        @Test func aWorkerThatIsCutOffInSilenceLeavesItsShardToOthers() async throws {
            try await FaultBench.with("silence") { bench in
                let digest = try await References.shared.digest(of: .one)
                let proxy = try await Proxy(to: bench)
                let run = try await bench.submit(.one)
                let mute = try await bench.spawn("mute", server: proxy.server)
                try await bench.eventually("the worker computes") {
                    try await bench.momentOfDeath(of: mute) == .computing
                }
                try await proxy.freeze()
                let frozen = ContinuousClock.now
                try await bench.eventually("the worker notices", within: .seconds(10)) {
                    mute.logText.contains("the lease could not be renewed in time")
                }
                // Three seconds after its last renewal others may have the shard.
                #expect(frozen.duration(to: .now) < .seconds(4), "\(mute.logText)")
                let heir = try await bench.spawn("heir", lease: 20)
                #expect(try await bench.summary(of: heir).committed == 1, "\(heir.logText)")
                try await proxy.thaw()
                let summary = try await bench.summary(of: mute)
                #expect(summary.committed == 0, "\(mute.logText)")
                try await bench.expectUndisturbed(
                    [run], of: .one, digest: digest, after: ["network silent while a worker computes": 1])
            }
        }

        /// A commit that the network delivers when somebody else has the shard.
        @Test func aCommitThatArrivesTooLateIsFenced() async throws {
            try await FaultBench.with("late commit, fenced") { bench in
                let digest = try await References.shared.digest(of: .one)
                let proxy = try await Proxy(to: bench)
                let run = try await bench.submit(.one)
                let late = try await self.freezeBeforeCommit(bench, proxy)
                let heir = try await bench.spawn("heir", lease: 20)
                let claimed = try await bench.stopWithShard(heir)
                #expect(claimed.epoch == 2)
                try await proxy.thaw()
                try await bench.eventually("the late worker is told and starts anew") {
                    try await bench.count("worker WHERE pid = $1::int4", late.processID) == 2
                }
                #expect(try await bench.count("shard_result") == 0)
                // The late file is garbage now, the heir's shard is not touched by that.
                #expect(try await bench.collectGarbage() == 1)
                try await heir.signal(SIGCONT)
                #expect(try await bench.summary(of: heir).committed == 1, "\(heir.logText)")
                #expect(try await bench.summary(of: late).committed == 0, "\(late.logText)")
                try await bench.expectUndisturbed(
                    [run], of: .one, digest: digest, after: ["commit delayed by the network": 1])
            }
        }

        /// A commit that the network delivers when the worker is thought dead, but nobody else has the shard.
        @Test func aCommitThatArrivesLateCountsAndItsFileIsStillThere() async throws {
            try await FaultBench.with("late commit, good") { bench in
                let digest = try await References.shared.digest(of: .one)
                let proxy = try await Proxy(to: bench)
                let run = try await bench.submit(.one)
                let late = try await self.freezeBeforeCommit(bench, proxy)
                try await bench.eventually("the worker is thought dead") {
                    try await bench.rows("SELECT * FROM reap()")
                    return try await bench.count("shard WHERE state = 'ready' AND epoch = 1") == 1
                }
                // It may still commit, so its file is no garbage, however old.
                #expect(try await bench.collectGarbage() == 0)
                try await proxy.thaw()
                _ = try await bench.summary(of: late)
                try await bench.drain()
                try await bench.expectUndisturbed(
                    [run], of: .one, digest: digest, after: ["commit delayed by the network": 1])
            }
        }

        /// A worker whose result stands in the store, while its commit is stuck in the network.
        private func freezeBeforeCommit(_ bench: FaultBench, _ proxy: Proxy) async throws -> WorkerProcess {
            let worker = try await bench.spawn("late", server: proxy.server)
            try await bench.eventually("the worker publishes") {
                try await bench.momentOfDeath(of: worker) == .publishing
            }
            try await proxy.freeze()
            try await bench.eventually("the result stands in the store") {
                try await bench.momentOfDeath(of: worker) == .published
            }
            return worker
        }
    }
}
