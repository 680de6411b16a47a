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
    /// One node whose store is away, unmounted or another one, while every other node has the right one.
    @Suite struct NodeStoreTests {
        static let canMount = geteuid() == 0 && system("unshare -m true 2> /dev/null") == 0
        /// On a machine that tests for others nothing is left out in silence: there it fails with the reason.
        static let mustRun = ProcessInfo.processInfo.environment["CI"] == "true"

        /// What `worker list` says of a worker.
        private struct Worker: Decodable {
            var pid: Int
            var state: String
            var note: String?
        }

        /// A mount that is stale, and one whose server gives up.
        @Test(arguments: [ESTALE, EIO])
        func aNodeWhoseStoreIsAwayBurnsNoAttemptAndSaysSo(_ number: CInt) async throws {
            let reason = String(cString: strerror(number))
            try await FaultBench.with("store away on one node, \(reason)") { bench in
                let flag = "\(bench.bench.folder)/away"
                let shim = try await bench.shim([
                    "FAULT_AWAY": flag, "FAULT_STORE": bench.bench.store, "FAULT_ERRNO": "\(number)",
                ])
                let counted = ["store away on one node (\(reason))": 1]
                try await self.lose(bench, environment: shim, says: reason, counted: counted) {
                    try Data().write(to: URL(filePath: flag))
                }
            }
        }

        /// The name by which a node knows the store leads somewhere else from one moment to the next.
        @Test(arguments: ["an empty folder", "another store"])
        func aNodeWithAnotherStoreBurnsNoAttemptAndSaysSo(_ kind: String) async throws {
            try await FaultBench.with("\(kind) on one node") { bench in
                let (wrong, link) = ("\(bench.bench.folder)/wrong", "\(bench.bench.folder)/link")
                try FileManager.default.createDirectory(atPath: wrong, withIntermediateDirectories: false)
                if kind == "another store" {
                    let identity = #"{"format":"assay-store","uuid":"\#(UUID())","database":"\#(UUID())"}"#
                    try Data(identity.utf8).write(to: URL(filePath: "\(wrong)/.assay-store"))
                }
                let before = try FileManager.default.contentsOfDirectory(atPath: wrong)
                // From the start: it takes no place in the queue.
                var elsewhere = bench.bench
                elsewhere.environment["ASSAY_STORE"] = wrong
                let refused = try await elsewhere.worker()
                #expect(refused.termination == .exited(status: 1))
                #expect(refused.standardError.text.contains("`assay store adopt`"), "\(refused.standardError.text)")
                #expect(try await bench.count("worker") == 0)
                // Under a worker.
                try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: bench.bench.store)
                let counted = ["wrong store at a worker's start": 1, "store exchanged under a worker": 1]
                try await self.lose(
                    bench, environment: ["ASSAY_STORE": link], says: "not there any more", counted: counted
                ) {
                    try FileManager.default.createSymbolicLink(atPath: "\(link).new", withDestinationPath: wrong)
                    try #require(rename("\(link).new", link) == 0)
                }
                #expect(try FileManager.default.contentsOfDirectory(atPath: wrong) == before)
            }
        }

        /// Two workers; the first one's store is lost when both have work, and the second one does all of it.
        private func lose(
            _ bench: FaultBench, environment: [String: String], says reason: String, counted: [String: Int],
            _ fault: () throws -> Void
        ) async throws {
            let digest = try await References.shared.digest(of: .many)
            let run = try await bench.submit(.many)
            let lost = try await bench.spawn("lost", lease: 20, environment: environment, "--store-patience", "2")
            try await bench.eventually("the worker commits") { try await bench.count("shard_result") >= 3 }
            try fault()
            try await bench.eventually("the worker says so in `worker list`") {
                try await self.note(of: lost, bench).contains(reason)
            }
            #expect(try await bench.count("worker WHERE state = 'live'") == 1, "it waits: the store may come back")
            #expect(try await bench.bench.assay("worker", "list").contains(reason))
            let done = try await bench.count("shard_result")
            #expect(done < FaultJob.many.shards, "the fault came too late to prove anything")
            let near = try await bench.spawn("near", lease: 20)
            let summary = try await bench.summary(of: near)
            #expect(summary.committed == FaultJob.many.shards - done && summary.failed == 0, "\(near.logText)")
            // It left by itself, if it had tried often enough, and then says why.
            let result = try await lost.child.waitForExit()
            let hasLeft = result.termination == .exited(status: 1)
            #expect(hasLeft || result.termination.isSuccess, "\(lost.logText)")
            if hasLeft { #expect(try await self.note(of: lost, bench).contains(reason), "\(lost.logText)") }
            #expect(try await bench.count("attempt WHERE outcome IN ('failed', 'lost')") == 0)
            #expect(try await bench.count("shard WHERE failures > 0") == 0)
            try await bench.expectUndisturbed([run], of: .many, digest: digest, after: counted)
        }

        /// A share that is unmounted under a worker, and mounted again.
        @Test(.enabled(if: canMount || mustRun, "mounting in a namespace of one's own needs root"))
        func aStoreThatIsUnmountedUnderAWorkerIsWaitedFor() async throws {
            try await FaultBench.with("store unmounted under a worker") { bench in
                let digest = try await References.shared.digest(of: .many)
                let place = "\(bench.bench.folder)/mounted"
                try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
                let mount = "mount --bind '\(bench.bench.store)' '\(place)'"
                let worker = try await bench.spawn(
                    "mounted", lease: 20, staying: true,
                    by: [
                        "/usr/bin/unshare", "-m", "--propagation", "private", "/bin/sh", "-c",
                        "\(mount) && exec \"$@\"",
                        "sh",
                    ], environment: ["ASSAY_STORE": place])
                func inside(_ command: String) async throws {
                    let result = try await bench.bench.run(
                        "/usr/bin/nsenter", "-m", "-t", "\(worker.processID)", "/bin/sh", "-c", command)
                    try #require(result.termination.isSuccess, "\(command): \(result.standardError.text)")
                }
                var runs: [String] = []
                for round in 0..<2 {
                    // Each round has work of its own: what was left of the round before may be done by now.
                    runs.append(try await bench.submit(.many))
                    let before = round * FaultJob.many.shards
                    try await bench.eventually("the worker commits") {
                        try await bench.count("shard_result") > before + 2
                    }
                    try await inside("umount -l '\(place)'")
                    try await bench.eventually("the worker says so in `worker list`") {
                        try await self.note(of: worker, bench).contains("not there any more")
                    }
                    // Not one result is committed that lies below the mount.
                    let files = try FileManager.default.contentsOfDirectory(atPath: place)
                    #expect(files.isEmpty, "\(files)")
                    let done = try await bench.count("shard_result")
                    #expect(done < before + FaultJob.many.shards, "it was unmounted too late to prove anything")
                    #expect(try await bench.bench.assay("results", "gc", "--dry-run").contains("would remove 0 files"))
                    try await inside(mount)
                    try await bench.eventually("the worker has nothing more to say") {
                        try await self.note(of: worker, bench).isEmpty
                    }
                    try await bench.eventually("the worker does the rest") {
                        try await bench.count("shard_result") == before + FaultJob.many.shards
                    }
                }
                try await worker.signal(SIGTERM)
                let summary = try await bench.summary(of: worker)
                #expect(summary.committed == 2 * FaultJob.many.shards && summary.failed == 0, "\(worker.logText)")
                #expect(try await bench.count("attempt") == 0)
                #expect(try FileManager.default.contentsOfDirectory(atPath: place).isEmpty)
                try await bench.expectUndisturbed(
                    runs, of: .many, digest: digest, after: ["store unmounted under a worker": 2])
            }
        }

        /// What `assay worker list` says is wrong with the worker.
        private func note(of worker: WorkerProcess, _ bench: FaultBench) async throws -> String {
            try await bench.bench.answer([Worker].self, "worker", "list").first { $0.pid == worker.processID }?.note
                ?? ""
        }
    }
}
