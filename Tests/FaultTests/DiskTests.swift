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
    /// A store on a small file system that fills up.
    @Suite struct DiskTests {
        /// Needs what mounting needs, and mounts nothing.
        static let canMount = system("\(SmallDisk.privilege) unshare -m true 2> /dev/null") == 0
        /// On a machine that tests for others nothing is left out in silence: there it fails with the reason.
        static let mustRun = ProcessInfo.processInfo.environment["CI"] == "true"

        @Test(.enabled(if: canMount || mustRun, "mounting a small file system needs root, or sudo without a password"))
        func aFullDiskDelaysTheWorkAndSpoilsNothing() async throws {
            try await FaultBench.with("full disk") { plain in
                let digest = try await References.shared.digest(of: .few)
                let disk = try await SmallDisk.mount(in: plain.bench)
                let bench = plain.onStore(disk.path)
                try await bench.bench.assay("store", "adopt", "--yes")
                let run = try await bench.submit(.few)
                let worker = try await bench.spawn("full", lease: 20)
                _ = try await bench.stopWithShard(worker)
                try disk.fill()
                try await worker.signal(SIGCONT)
                try await bench.eventually("a result finds no room") {
                    worker.logText.contains("the store takes no results")
                }
                try await self.expectNothingHalfDone(bench)
                try await self.expectNoWorkerStarts(bench)
                // Garbage can be collected where not a byte can be written.
                #expect(try await bench.collectGarbage() == 0)
                try disk.free()
                let summary = try await bench.summary(of: worker)
                // No attempt is burned: it is no fault of the shards.
                #expect(summary.failed == 0 && summary.committed == FaultJob.few.shards, "\(worker.logText)")
                #expect(try await bench.count("attempt") == 0)
                let lines = worker.logText.split(separator: "\n").filter { $0.contains("the store takes") }
                #expect(lines.count == 2, "one line when it begins, one when it ends:\n\(worker.logText)")
                #expect(
                    lines.first.map { $0.contains("No space left on device") && $0.contains("Free space") } == true)
                try await bench.expectUndisturbed(
                    [run], of: .few, digest: digest, after: ["disk full under a worker": 1])
                try await disk.unmount()
            }
        }

        /// A worker that could not publish anything takes no work in the first place.
        private func expectNoWorkerStarts(_ bench: FaultBench) async throws {
            let known = try await bench.count("worker")
            let result = try await bench.bench.worker()
            #expect(result.termination == .exited(status: 1))
            let text = result.standardError.text
            #expect(text.contains("No space left on device") && text.contains("Free space"), "\(text)")
            #expect(try await bench.count("worker") == known)
        }

        private func expectNothingHalfDone(_ bench: FaultBench) async throws {
            // What is being tried this very moment is not there for long.
            var odd: Set<String> = []
            let isClean: Bool? = try await bench.soon(within: .seconds(10)) {
                let published = try await bench.rows("SELECT path FROM shard_result")
                    .map { try $0.decode("path", as: String.self) }
                odd = Set(try bench.storedFiles()).symmetricDifference(published)
                return odd.isEmpty ? true : nil
            }
            #expect(isClean == true, "left over or missing: \(odd.sorted())")
        }
    }
}

/// A file system of two megabytes.
struct SmallDisk: Sendable {
    let path: String
    private let bench: Workbench

    static var privilege: String { geteuid() == 0 ? "" : "sudo -n" }

    static func mount(in bench: Workbench) async throws -> SmallDisk {
        let path = "\(bench.folder)/small"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        let command = "\(Self.privilege) mount -t tmpfs -o size=2m,mode=0777 assay-small '\(path)'"
        let result = try await bench.run("/bin/sh", "-c", command)
        try #require(result.termination.isSuccess, "\(command): \(result.standardError.text)")
        return SmallDisk(path: path, bench: bench)
    }

    func unmount() async throws {
        let result = try await self.bench.run("/bin/sh", "-c", "\(Self.privilege) umount '\(self.path)'")
        try #require(result.termination.isSuccess, "\(result.standardError.text)")
    }

    /// Writes until not a byte more goes in.
    func fill() throws {
        let descriptor = open("\(self.path)/ballast", O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let block = [UInt8](repeating: 1, count: 4096)
        while write(descriptor, block, block.count) > 0 {}
        try #require(errno == ENOSPC)
    }

    func free() throws { try FileManager.default.removeItem(atPath: "\(self.path)/ballast") }
}

extension FaultBench {
    /// The same bench with its store elsewhere.
    func onStore(_ path: String) -> FaultBench {
        var bench = self.bench
        bench.environment["ASSAY_STORE"] = path
        return FaultBench(bench: bench, pool: self.pool)
    }
}
