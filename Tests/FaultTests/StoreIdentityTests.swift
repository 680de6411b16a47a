import FaultTesting
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
    /// A store and a database that do not belong together, and results whose files are lost, damaged or removed.
    @Suite struct StoreIdentityTests {
        private struct Repair: Decodable {
            struct Damage: Decodable { var shard: Int }
            var checked: Int
            var damaged: [Damage]
            var withdrawn: Int
        }

        /// `assay results gc` on a restored copy of the database took every newer claim for a dead one, and deleted all
        /// results of production.
        @Test func aRestoredCopyOfTheDatabaseTouchesNothingInTheStore() async throws {
            try await FaultBench.with("restored dump") { production in
                let digest = try await References.shared.digest(of: .few)
                let run = try await production.submit(.few)
                let staging = try await self.copy(of: production)
                try await production.drain()
                let files = try production.storedFiles()
                #expect(files.filter { $0.contains(".shard-") }.count == FaultJob.few.shards)
                for command in [
                    ["results", "gc", "--older-than", "0s"], ["results", "verify", run],
                    ["submit", "faults-24-2.yaml"],
                    ["results", "gc", "--data-sets", "--older-than", "0s"], ["doctor"],
                ] {
                    let result = try await staging.loop.run(staging.configuration("assay", command))
                    let text = result.standardError.text + result.standardOutput.text
                    #expect(result.termination == .exited(status: 1), "\(command)")
                    #expect(text.contains("is a copy of the one") && text.contains("`assay store adopt`"), "\(text)")
                }
                let worker = try await staging.worker()
                #expect(worker.termination == .exited(status: 1) && worker.standardError.text.contains("is a copy"))
                #expect(try production.storedFiles() == files)

                // Even where somebody insists, what is newer than the copy proves that the copy is old.
                let refused = try await staging.run("assay", "store", "adopt")
                #expect(refused.termination == .exited(status: 2), "\(refused.standardError.text)")
                try await staging.assay("store", "adopt", "--yes")
                struct Garbage: Decodable {
                    var count: Int
                    var kept: [String: Int]
                }
                let garbage = try await staging.answer(Garbage.self, "results", "gc", "--older-than", "0s")
                #expect(garbage.count == 0 && garbage.kept == ["newer": FaultJob.few.shards])
                #expect(try production.storedFiles() == files)
                let late = try await production.bench.run("assay", "results", "gc")
                #expect(late.termination == .exited(status: 1))
                #expect(late.standardError.text.contains("belongs to another database"), "\(late.standardError.text)")

                // Production gets its store back; the copy needs one of its own.
                try await production.bench.assay("store", "adopt", "--yes")
                var own = staging
                own.environment["ASSAY_STORE"] = "\(production.bench.folder)/other"
                let another = try await own.run("assay", "submit", "faults-24-2.yaml")
                #expect(another.standardError.text.contains("there is no such folder"), "\(another.standardError.text)")
                try await production.expectUndisturbed(
                    [run], of: .few, digest: digest, after: ["restored copy of the database on the same store": 1])
            }
        }

        @Test func aStoreOfAnotherDatabaseAndAFolderThatIsNoneAreRefused() async throws {
            try await FaultBench.with("wrong store") { bench in
                let job = try FaultJob.few.write(into: bench.bench.folder)
                let wrong = "\(bench.bench.folder)/wrong"
                try FileManager.default.createDirectory(atPath: wrong, withIntermediateDirectories: false)
                var elsewhere = bench.bench
                elsewhere.environment["ASSAY_STORE"] = wrong
                func refusal(_ arguments: String...) async throws -> String {
                    let result = try await elsewhere.loop.run(elsewhere.configuration("assay", arguments))
                    #expect(result.termination == .exited(status: 1), "\(arguments)")
                    return result.standardError.text + result.standardOutput.text
                }
                // As a share that is not mounted, or a store of an older release.
                #expect(try await refusal("submit", job).contains("`assay store adopt`"))
                #expect(try await refusal("doctor").contains("`assay store adopt`"))
                #expect(try FileManager.default.contentsOfDirectory(atPath: wrong).isEmpty)
                // Another database's.
                let identity = #"{"format":"assay-store","uuid":"\#(UUID())","database":"\#(UUID())"}"#
                try Data(identity.utf8).write(to: URL(filePath: "\(wrong)/.assay-store"))
                #expect(try await refusal("submit", job).contains("belongs to store"))
                #expect(try await refusal("results", "gc").contains("belongs to store"))
                let worker = try await elsewhere.worker()
                #expect(worker.termination == .exited(status: 1), "\(worker.standardError.text)")
                #expect(try await bench.count("run") == 0)
                #expect(try await bench.count("worker") == 0)
            }
        }

        /// Every row of a run names another run's files, which are as published; the run's own folder is gone.
        @Test func aRowThatNamesAnotherJobsFileIsFoundAndComputedAgain() async throws {
            try await FaultBench.with("repair of rows") { bench in
                let (other, run) = (try await bench.submit(.few), try await bench.submit(.few))
                try await bench.drain()
                let digest = try await bench.bench.assay("results", "digest", run)
                try await bench.pool.withConnection {
                    try await $0.execute(
                        script: """
                            SET session_replication_role = replica;
                            UPDATE shard_result r SET path = o.path, bytes = o.bytes, sha256 = o.sha256
                            FROM shard_result o, job j, job k
                            WHERE j.job_id = r.job_id AND j.run_id = '\(run)' AND k.job_id = o.job_id
                                AND k.run_id = '\(other)' AND o.shard_no = r.shard_no;
                            RESET session_replication_role;
                            """)
                }
                let folder = "\(bench.bench.store)/runs/\(run)"
                try FileManager.default.removeItem(atPath: folder)

                let verify = try await bench.bench.run("assay", "results", "verify", run)
                #expect(verify.termination == .exited(status: 1))
                let lines = verify.standardOutput.text.split(separator: "\n")
                #expect(lines.count == FaultJob.few.shards, "\(verify.standardOutput.text)")
                #expect(lines.allSatisfy { $0.contains(": this is no file of shard ") }, "\(lines)")
                #expect(verify.standardError.text.contains("`assay results repair \(run)`"))
                let repair = try await bench.bench.answer(Repair.self, "results", "repair", run)
                #expect(repair.damaged.count == FaultJob.few.shards && repair.withdrawn == FaultJob.few.shards)
                try await bench.drain()
                let isEqual = try await bench.bench.assay("results", "digest", run) == digest
                #expect(isEqual)

                // The folder of what is computed now goes, too.
                try FileManager.default.removeItem(atPath: folder)
                let missing = try await bench.bench.run("assay", "results", "verify", run)
                #expect(missing.standardOutput.text.contains("nor is the folder \(folder)"))
                #expect(missing.standardError.text.contains("`assay results repair \(run)`"))
                let path = try await bench.bench.run("assay", "results", "path", run)
                #expect(path.standardError.text.contains("`assay results repair \(run).0`"))
                for run in [run, other] {
                    try await bench.bench.assay("results", "repair", run)
                    try await bench.drain()
                    #expect(try await bench.bench.assay("results", "verify", run).contains("files are as published"))
                }
            }
        }

        @Test func whatIsLostOrDamagedIsFoundAndComputedAgain() async throws {
            try await FaultBench.with("repair") { bench in
                let digest = try await References.shared.digest(of: .few)
                let run = try await bench.submit(.few)
                try await bench.drain()
                let path = try await bench.bench.assay("results", "path", run)
                let shards = try bench.storedFiles().filter { $0.contains(".shard-") }
                try FileManager.default.removeItem(atPath: "\(bench.bench.store)/\(shards[0])")
                let missing = try await bench.bench.run("assay", "results", "path", run)
                #expect(missing.termination == .exited(status: 1) && missing.standardOutput.text.isEmpty)
                #expect(missing.standardError.text.contains("assay results repair"), "\(missing.standardError.text)")
                try self.damage("\(bench.bench.store)/\(shards[1])")

                let dry = try await bench.bench.answer(Repair.self, "results", "repair", run, "--dry-run")
                #expect(dry.checked == FaultJob.few.shards && dry.damaged.count == 2 && dry.withdrawn == 0)
                #expect(try await bench.count("withdrawn_result") == 0)
                let repair = try await bench.bench.answer(Repair.self, "results", "repair", run)
                #expect(repair.withdrawn == 2)
                let again = try await bench.bench.answer(Repair.self, "results", "repair", run)
                #expect(again.damaged.isEmpty && again.checked == FaultJob.few.shards - 2)
                #expect(try await bench.count("shard WHERE state = 'ready'") == 2)
                let incomplete = try await bench.bench.run("assay", "results", "path", run)
                #expect(incomplete.termination == .exited(status: 1))

                try await bench.drain()
                #expect(try await bench.bench.assay("results", "path", run) == path)
                let isEqual = try await bench.bench.assay("results", "digest", run) == digest
                #expect(isEqual)
                #expect(try await bench.bench.assay("results", "verify", run).contains("files are as published"))
                #expect(try await bench.bench.assay("results", "path", run, "--verify") == path)
                #expect(try await bench.bench.assay("logs", run).contains("the file is not there"))
                Certificate.record(
                    ["result file lost or damaged": repair.withdrawn],
                    Certificate.Outcome(
                        lost: try await bench.count("shard WHERE state <> 'done'"), wrong: isEqual ? 0 : 1, digests: 1))
                // The damaged file is garbage now.
                #expect(try await bench.collectGarbage() == 1)
                #expect(!FileManager.default.fileExists(atPath: "\(bench.bench.store)/\(shards[1])"))
            }
        }

        @Test func whatNothingNeedsIsFoundAndRemovedNeverBySurprise() async throws {
            try await FaultBench.with("retention") { bench in
                struct Usage: Decodable {
                    struct Run: Decodable {
                        struct Usage: Decodable {
                            struct Amount: Decodable { var files: Int }
                            var run: String
                            var results: Amount
                        }
                        var usage: Usage
                    }
                    struct DataSet: Decodable { var sha256: String }
                    var runs: [Run]
                    var unusedDataSets: [DataSet]
                }
                let digest = try await References.shared.digest(of: .few)
                let run = try await bench.submit(.few)
                let open = try await bench.bench.run("assay", "results", "rm", run, "--yes")
                #expect(open.termination == .exited(status: 1), "\(open.standardOutput.text)")
                try await bench.drain()
                let unused = String(repeating: "0", count: 64)
                try Data("{}\n".utf8).write(to: URL(filePath: "\(bench.bench.store)/datasets/\(unused).jsonl"))
                let usage = try await bench.bench.answer(Usage.self, "results", "du")
                #expect(usage.runs.map(\.usage.run) == [run])
                #expect(usage.runs.first?.usage.results.files == FaultJob.few.shards)
                #expect(usage.unusedDataSets.map(\.sha256) == [unused])
                #expect(try await bench.collectGarbage() == 0)
                let removed = try await bench.bench.assay("results", "gc", "--data-sets", "--older-than", "0s")
                #expect(removed.hasPrefix("removed 1 file"), "\(removed)")

                let unasked = try await bench.bench.run("assay", "results", "rm", run)
                #expect(unasked.termination == .exited(status: 2) && unasked.standardError.text.contains("--yes"))
                let built = try await bench.bench.run("assay-report", "build", run, "--json")
                #expect(built.termination.isSuccess, "\(built.standardError.text)")
                let named = try await bench.bench.run("assay", "results", "rm", run, "--yes")
                #expect(
                    named.termination == .exited(status: 1) && named.standardError.text.contains("report \(run) v1"))
                #expect(try await bench.count("withdrawn_result") == 0)
                try await bench.bench.assay("results", "rm", run, "--yes", "--force")
                #expect(try bench.storedFiles().isEmpty)
                #expect(try await bench.count("withdrawn_result") == FaultJob.few.shards)
                #expect(try await bench.count("shard WHERE state <> 'cancelled'") == 0)
                try await bench.bench.assay("retry", run)
                try await bench.drain()
                #expect(try await bench.bench.assay("results", "digest", run) == digest)
            }
        }

        /// Published files are read-only: what damages them is not a program that keeps to that.
        private func damage(_ path: String) throws {
            try #require(chmod(path, 0o600) == 0)
            var bytes = try Data(contentsOf: URL(filePath: path))
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: URL(filePath: path))
        }

        /// A bench on a copy of the database, as a dump that is restored beside it gives, and on the same store.
        private func copy(of bench: FaultBench) async throws -> Workbench {
            let server = bench.pool.configuration.connectionString
            try await bench.rows("CREATE DATABASE staging")
            let script = """
                PATH=$PATH:$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
                set -e
                pg_dump -d "$1" > dump.sql
                psql -q -v ON_ERROR_STOP=1 -d "$1 dbname=staging" -f dump.sql > /dev/null
                """
            let result = try await bench.bench.run("/bin/sh", "-c", script, "sh", server)
            try #require(result.termination.isSuccess, "\(result.standardError.text)")
            var copy = bench.bench
            copy.environment["ASSAY_DATABASE_URL"] = "\(server) dbname=staging"
            return copy
        }
    }
}
