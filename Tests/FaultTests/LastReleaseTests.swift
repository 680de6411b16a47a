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

private let lastRelease: String? = ProcessInfo.processInfo.environment["ASSAY_LAST_RELEASE"]

extension FaultSuite {
    /// The last release's own programs and what they made, on the new schema; ReleaseTests replays only what they say.
    ///
    /// ASSAY_LAST_RELEASE names the folder with them; `infra/test --last-release` builds them and runs these tests.
    @Suite(.enabled(if: lastRelease != nil, "infra/test --last-release builds the programs of the last release"))
    struct LastReleaseTests {
        /// A worker of the last release computes all the while: the database is migrated, its store is adopted, garbage is
        /// collected, and a worker of this release comes beside it.
        @Test func aWorkerAtWorkGoesOnWhileItsDatabaseIsMigrated() async throws {
            try await self.withOldDatabase { old, new, done in
                let (few, many) = (
                    try await References.shared.samplesDigest(of: .few),
                    try await References.shared.samplesDigest(of: .many)
                )
                let open = try await old.submit(.many)
                let worker = try await old.spawn("old")
                try await old.eventually("the old worker commits") { try await old.commits(open) >= 5 }
                try await new.bench.assay("migrate")
                let before = try await new.commits(open)
                #expect(before < FaultJob.many.shards, "it was migrated too late to prove anything")
                try await new.eventually("the old worker goes on") { try await new.commits(open) > before + 5 }
                try await new.bench.assay("store", "adopt", "--yes")
                #expect(try await new.collectGarbage() == 0)
                // It is declared dead, and registers again with what it knows.
                _ = try await new.stopWithShard(worker)
                try await new.eventually("it is thought dead") {
                    try await new.rows("SELECT * FROM reap()")
                    return try await new.count("worker WHERE state = 'live'") == 0
                }
                try await worker.signal(SIGCONT)
                try await new.eventually("it registers again") {
                    try await new.count("worker WHERE state = 'live'") == 1
                }
                // It would compute a job of this release by its own rules, and leaves it.
                let fresh = try await new.submit(.few)
                let explained = try await new.bench.assay("explain", fresh)
                #expect(explained.contains("another release of Assay"), "\(explained)")
                let young = try await new.spawn("new", lease: 20, "--once")
                #expect(try await new.summary(of: young).failed == 0, "\(young.logText)")
                try await new.drain()
                #expect(try await old.summary(of: worker).failed == 0, "\(worker.logText)")
                try await new.expectUndisturbed([open], of: .many, digest: many, ofSamplesAlone: true)
                let strangers = try await new.count(
                    "shard_result JOIN job USING (job_id) JOIN worker USING (worker_id) "
                        + "WHERE run_id = $1::text AND labels = '{}'", fresh)
                #expect(strangers == 0)
                try await new.expectUndisturbed(
                    [done, fresh], of: .few, digest: few, ofSamplesAlone: true,
                    after: ["schema migrated under a worker of the last release": 1])
                let built = try await new.bench.run("assay-report", "build", done)
                #expect(built.termination.isSuccess, "\(built.standardError.text)")
            }
        }

        /// What is started afterwards says so and changes nothing; programs of this release end what the old ones began.
        @Test func programsThatAreStartedAfterwardsRefuse() async throws {
            try await self.withOldDatabase { old, new, done in
                let open = try await old.submit(.few)
                try await new.bench.assay("migrate")
                for command in [
                    ["assay", "list"], ["assay", "submit", "faults-24-2.yaml"], ["assay", "cancel", open],
                    ["assay", "results", "gc", "--older-than", "0s"], ["assay-worker", "--drain"],
                    ["assay-report", "build", done], ["assay", "migrate"],
                ] {
                    let result = try await old.loop.run(
                        old.bench.configuration(command[0], Array(command.dropFirst())))
                    let text = result.standardError.text
                    #expect(result.termination == .exited(status: 1), "\(command): \(text)")
                    #expect(text.contains("use a newer program"), "\(command): \(text)")
                }
                #expect(try await new.count("run WHERE cancelled_at IS NULL") == 2)
                #expect(try await new.count("run") == 2)
                try await new.bench.assay("store", "adopt", "--yes")
                try await new.drain()
                let digest = try await References.shared.samplesDigest(of: .few)
                try await new.expectUndisturbed([done, open], of: .few, digest: digest, ofSamplesAlone: true)
            }
        }

        /// A database that the last release made, with a run that is done; its programs, and those of this release.
        private func withOldDatabase(
            _ body: (_ old: FaultBench, _ new: FaultBench, _ done: String) async throws -> Void
        ) async throws {
            try await Workbench.with(bin: lastRelease) { bench in
                let pool = PostgresPool(
                    try EmbeddedServer.configuration(home: bench.home), on: bench.loop, size: 3)
                let old = FaultBench(bench: bench, pool: pool)
                var current = bench
                current.bin = Workbench.programs
                do {
                    try await bench.assay("model", "add", "tiny", FaultBench.model)
                    try FaultJob.writeTask(into: bench.folder)
                    let done = try await old.submit(.few)
                    let worker = try await bench.worker("--lease-seconds", "20")
                    try #require(worker.termination.isSuccess, "\(worker.standardError.text)")
                    try await body(old, FaultBench(bench: current, pool: pool), done)
                } catch {
                    await pool.shutDown()
                    throw error
                }
                await pool.shutDown()
            }
        }
    }
}

extension FaultBench {
    /// How many results a run has.
    fileprivate func commits(_ run: String) async throws -> Int {
        try await self.count("shard_result JOIN job USING (job_id) WHERE run_id = $1::text", run)
    }
}
