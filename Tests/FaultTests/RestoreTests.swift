import FaultTesting
import Foundation
import Postgres
import ProcessTesting
import Testing
import UVEventLoop

extension FaultSuite {
    /// A dump that is restored into another cluster, beside the same store, with all the real programs.
    @Suite struct RestoreTests {
        private struct Garbage: Decodable {
            var count: Int
            var kept: [String: Int]
        }

        /// The original is gone, and the copy takes its place: at a moment when work was under way.
        ///
        /// What the original published after the dump stands in the store, and the copy does not know it.
        @Test func aRestoredDatabaseRefusesTheStoreUntilItIsAdopted() async throws {
            try await FaultBench.with("dump restored into another cluster") { original in
                let (few, many) = (
                    try await References.shared.digest(of: .few), try await References.shared.digest(of: .many)
                )
                let done = try await original.submit(.few)
                try await original.drain()
                let open = try await original.submit(.many)
                let worker = try await original.spawn("original", lease: 20)
                try await original.eventually("some of the work is done") {
                    try await original.count("shard_result") >= FaultJob.few.shards + 10
                }
                _ = try await original.stopWithShard(worker)
                let dump = try await self.dump(original)
                let known = try await original.count("shard_result")
                // A point in time: the original goes on, and its store is ahead of the dump from now on.
                try await worker.signal(SIGCONT)
                #expect(try await original.summary(of: worker).failed == 0, "\(worker.logText)")
                let all = FaultJob.few.shards + FaultJob.many.shards
                #expect(try await original.count("shard_result") == all && known < all)
                let published = try original.storedFiles()

                try await self.restored(dump, beside: original) { copy in
                    try await self.expectRefusals(copy, done)
                    #expect(try original.storedFiles() == published)
                    try await copy.bench.assay("store", "adopt", "--yes")

                    // Nothing of the original's is garbage, whatever the copy knows of it.
                    let early = try await copy.bench.answer(Garbage.self, "results", "gc", "--older-than", "0s")
                    #expect(early.count == 0 && early.kept.values.reduce(0, +) >= 1, "\(early)")
                    #expect(try original.storedFiles() == published)
                    try await copy.eventually("the original's worker is thought dead", within: .seconds(60)) {
                        try await copy.rows("SELECT * FROM reap()")
                        return try await copy.count("worker WHERE state = 'live'") == 0
                    }
                    // Only what the dump did not know as done is computed, once.
                    let summary = try await copy.summary(of: try await copy.spawn("copy", lease: 20))
                    #expect(summary.committed == all - known && summary.failed == 0)
                    #expect(try await copy.count("shard_result") == all)
                    for (run, digest) in [(done, few), (open, many)] {
                        #expect(try await copy.bench.assay("results", "digest", run) == digest)
                        #expect(try await copy.bench.assay("results", "verify", run).contains("are as published"))
                    }
                    try await self.expectChargedOnce(copy)
                    let built = try await copy.bench.run("assay-report", "build", done)
                    #expect(built.termination.isSuccess, "\(built.standardError.text)")
                    // Now, and not before, those files are garbage whose shards the new owner has computed again.
                    let late = try await copy.bench.answer(Garbage.self, "results", "gc", "--older-than", "0s")
                    #expect(late.count <= all - known, "\(late)")
                    for run in [done, open] {
                        #expect(try await copy.bench.assay("results", "verify", run).contains("are as published"))
                    }
                    // The original is told that it is no longer the store's.
                    let former = try await original.bench.run("assay", "results", "gc")
                    #expect(former.termination == .exited(status: 1))
                    #expect(former.standardError.text.contains("belongs to another database"))
                }
                Certificate.record(["database restored into another cluster": 1], Certificate.Outcome(digests: 2))
            }
        }

        /// Whatever writes says one sentence with the way out, and changes nothing.
        private func expectRefusals(_ copy: FaultBench, _ run: String) async throws {
            let before = try await copy.count("run")
            for command in [
                ["assay", "submit", "faults-24-2.yaml"], ["assay-worker", "--drain"],
                ["assay", "results", "gc", "--older-than", "0s"],
                ["assay", "results", "gc", "--data-sets", "--older-than", "0s"],
                ["assay", "results", "rm", run, "--yes"], ["assay", "results", "repair", run],
                ["assay-report", "build", run],
            ] {
                let result = try await copy.loop.run(
                    copy.bench.configuration(command[0], Array(command.dropFirst())))
                let text = result.standardError.text
                #expect(result.termination == .exited(status: 1), "\(command): \(text)")
                #expect(text.contains("is a copy of the one") && text.contains("`assay store adopt`"), "\(text)")
                #expect(text.split(separator: "\n").count { $0.contains("error") } == 1, "\(text)")
            }
            #expect(try await copy.count("run") == before)
            #expect(try await copy.count("withdrawn_result") == 0)
        }

        /// What projects were charged is what the attempts took, less what has decayed since.
        private func expectChargedOnce(_ bench: FaultBench) async throws {
            try await bench.eventually("all is charged", within: .seconds(30)) {
                try await bench.rows("SELECT * FROM reap()")
                return try await bench.count("usage_queue") == 0
            }
            let row = try await bench.rows(
                """
                SELECT (SELECT sum(used_seconds) FROM project) AS used,
                    (SELECT coalesce(sum(seconds), 0) FROM attempt) + (SELECT sum(seconds) FROM shard_result) AS seconds
                """
            ).only()
            let (used, seconds) = (
                try row.decode("used", as: Double.self), try row.decode("seconds", as: Double.self)
            )
            #expect(abs(used - seconds) < 0.02 * seconds, "\(used) s were charged for \(seconds) s")
        }

        private func dump(_ bench: FaultBench) async throws -> String {
            let path = "\(bench.bench.folder)/dump.sql"
            let result = try await bench.bench.run(
                "/bin/sh", "-c", "\(Self.path); pg_dump -d \"$1\" > \"$2\"", "sh",
                bench.pool.configuration.connectionString, path)
            try #require(result.termination.isSuccess, "\(result.standardError.text)")
            return path
        }

        private static let path = "PATH=$PATH:$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)"

        /// Runs `body` on the dump in a cluster of its own, and on the store of the original.
        private func restored(
            _ dump: String, beside original: FaultBench, _ body: (FaultBench) async throws -> Void
        ) async throws {
            try await Workbench.with { other in
                let configuration = try EmbeddedServer.configuration(home: other.home)
                let result = try await other.run(
                    "/bin/sh", "-c",
                    """
                    \(Self.path)
                    set -e
                    psql -q -v ON_ERROR_STOP=1 -d "$1 dbname=postgres" -c 'DROP DATABASE assay' -c 'CREATE DATABASE assay'
                    psql -q -v ON_ERROR_STOP=1 -d "$1" -f "$2" > /dev/null
                    """, "sh", configuration.connectionString, dump)
                try #require(result.termination.isSuccess, "\(result.standardError.text)")
                let pool = PostgresPool(configuration, on: other.loop, size: 3)
                var bench = other
                bench.environment["ASSAY_STORE"] = original.bench.store
                try FaultJob.writeTask(into: bench.folder)
                _ = try FaultJob.few.write(into: bench.folder)
                do {
                    try await body(FaultBench(bench: bench, pool: pool))
                } catch {
                    await pool.shutDown()
                    throw error
                }
                await pool.shutDown()
            }
        }
    }
}
