import Evaluation
import Foundation
import Testing

@testable import ResultStore

@Suite struct GarbageTests {
    private static let leftovers = [
        ".probe.0a1b2c3d.tmp", "runs/.probe.0a1b2c3d.tmp", "reports/.probe.0a1b2c3d.tmp",
        "datasets/.import.0a1b2c3d.tmp",
        "runs/k3f9m2ab/k3f9m2ab.1/.job.0123.h5.0a1b2c3d.tmp",
    ]
    /// What has no name of Assay's is not Assay's to remove.
    private static let strange = [
        "runs/k3f9m2ab/k3f9m2ab.1/notes.txt", "runs/k3f9m2ab/k3f9m2ab.1/shard-0.h5",
        "runs/k3f9m2ab/k3f9m2ab.1/shard-0.e1.no-uuid.h5", "runs/k3f9m2ab/shard-0.e1.\(lower(UUID())).h5",
        "reports/.manifest.0a1b2c3d.tmp", "runs/k3f9m2ab/k3f9m2ab.1/shard-00.e1.\(lower(UUID())).h5",
        "runs/k3f9m2ab/k3f9m2ab.1/k3f9m2ab.1.shard-00.e1.\(lower(UUID())).h5",
        // Named for another job than its folder.
        "runs/k3f9m2ab/k3f9m2ab.1/k3f9m2ab.2.shard-0.e1.\(lower(UUID())).h5",
        "runs/k3f9m2ab/k3f9m2ab.1/.shard-0.e1.\(lower(UUID())).h5",
    ]

    private static func lower(_ uuid: UUID) -> String { uuid.uuidString.lowercased() }

    /// A store with a job of two shards, a job file, what dead writers leave, strange files, and the files of a claim.
    private struct Scene {
        let place: TemporaryStore
        let orphan: ShardFileName
        /// The orphan, its successor's temporary file, and both under the names that older releases gave them.
        let claimed: [String]

        init() async throws {
            self.place = try await TemporaryStore()
            let job = try await PublishedJob(in: self.place, counts: [3, 5], mode: .none)
            _ = try await self.place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files)
            let incarnation = UUID()
            self.orphan = ShardFileName(
                run: job.run, job: job.job, shard: 0, epoch: 7, incarnation: incarnation)
            let file = try await self.place.store.publishShard(
                .sample(count: 3), samples: SampleResult.random(3, seed: 9), epoch: 7, incarnation: incarnation)
            let (folder, old) = ("runs/\(job.run)/\(job.job)", "shard-0.e7.\(lower(incarnation)).h5")
            self.claimed =
                [file.path]
                + [".\(job.job).\(old).0a1b2c3d.tmp", old, ".\(old).0a1b2c3d.tmp"].map { "\(folder)/\($0)" }
            for path in leftovers + strange + self.claimed.dropFirst() {
                try Data("x".utf8).write(to: self.place.url(path), options: .atomic)
            }
        }

        func collect(
            _ age: Duration = .zero, dryRun: Bool = false, dead: Set<ShardFileName>? = nil
        ) async throws -> [String] {
            let dead = dead ?? [self.orphan]
            return try await self.place.store.collectGarbage(olderThan: age, dryRun: dryRun) {
                $0.intersection(dead)
            }.map(\.path).sorted()
        }
    }

    @Test func onlyFilesOfDeadClaimsAndOfDeadWritersAreRemoved() async throws {
        let scene = try await Scene()
        let before = scene.place.files()
        let expected = (Self.leftovers + scene.claimed).sorted()
        #expect(try await scene.collect(dryRun: true) == expected)
        #expect(scene.place.files() == before)
        #expect(try await scene.collect() == expected)
        #expect(scene.place.files() == before.filter { !expected.contains($0) })
        #expect(try await scene.collect().isEmpty)
    }

    /// Also the temporary file of a claim that is alive: its writer may be at it.
    @Test func whatALiveClaimWritesIsKeptWhateverItsAge() async throws {
        let scene = try await Scene()
        #expect(try await scene.collect(dead: []) == Self.leftovers.sorted())
        #expect(Set(scene.place.files()).isSuperset(of: scene.claimed))
    }

    @Test func whatIsYoungIsKept() async throws {
        let scene = try await Scene()
        let before = scene.place.files()
        #expect(try await scene.collect(.seconds(3600)).isEmpty)
        #expect(scene.place.files() == before)
        let old = try #require(scene.claimed.first)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -3700)], ofItemAtPath: scene.place.url(old).path)
        #expect(try await scene.collect(.seconds(3600)) == [old])
    }

    /// The claims are asked for after the files were seen, so that a commit in between is seen too.
    @Test func theQueueIsAskedOncePerJobAndAfterTheFilesWereSeen() async throws {
        let scene = try await Scene()
        let late = ShardFileName(run: "k3f9m2ab", job: "k3f9m2ab.1", shard: 5, epoch: 1, incarnation: UUID())
        var asked = 0
        _ = try await scene.place.store.collectGarbage(olderThan: .zero, dryRun: false) { claims in
            asked += 1
            #expect(claims.count == 3 && claims.contains(scene.orphan))
            // Published while garbage is collected: not even looked at.
            try Data("x".utf8).write(
                to: scene.place.url("runs/\(late.run)/\(late.job)/\(late.name)"))
            return claims.union([late])
        }
        #expect(asked == 1)
        #expect(scene.place.files().contains { $0.contains("shard-5.e1.") })
    }

    @Test func aQueueThatCanNotAnswerRemovesNothingOfTheJob() async throws {
        let scene = try await Scene()
        struct Gone: Error {}
        await #expect(throws: Gone.self) {
            try await scene.place.store.collectGarbage(olderThan: .zero, dryRun: false) { _ in throw Gone() }
        }
        #expect(Set(scene.place.files()).isSuperset(of: scene.claimed))
    }

    /// However many files a job has, no question is longer than a slice.
    @Test func manyFilesAreAskedAboutInSlices() async throws {
        let scene = try await Scene()
        let count = 2 * Store.garbageSlice
        for shard in 0..<count {
            let name = "k3f9m2ab.1.shard-\(shard).e9.\(Self.lower(scene.orphan.incarnation)).h5"
            try Data("x".utf8).write(to: scene.place.url("runs/k3f9m2ab/k3f9m2ab.1/\(name)"), options: .atomic)
        }
        var asked: [Int] = []
        let removed = try await scene.place.store.collectGarbage(olderThan: .zero, dryRun: false) { claims in
            asked.append(claims.count)
            return claims.filter { $0.epoch == 9 }
        }
        #expect(asked.count >= 3 && asked.allSatisfy { $0 <= Store.garbageSlice })
        #expect(removed.count == count + Self.leftovers.count)
    }

    @Test func aJobFileThatAnotherHasReplacedIsRemoved() async throws {
        let scene = try await Scene()
        let kept = scene.place.files().filter { $0.contains("/job.") && $0.hasSuffix(".h5") }
        #expect(kept.count == 1)
        let digest = try #require(kept.first?.split(separator: "/").last).dropFirst(4).dropLast(3)
        let other = "runs/k3f9m2ab/k3f9m2ab.1/job.\(String(repeating: "0", count: 64)).h5"
        try Data("x".utf8).write(to: scene.place.url(other), options: .atomic)
        func collect(_ current: String?, age: Duration = .zero) async throws -> [String] {
            try await scene.place.store.collectGarbage(
                olderThan: age, dryRun: false,
                jobDigest: { run, job in
                    #expect(run == "k3f9m2ab" && job == "k3f9m2ab.1")
                    return current
                }, deadClaims: { _ in [] }
            ).map(\.path).filter { $0.contains("/job.") }
        }
        #expect(try await collect(nil).isEmpty)
        #expect(try await collect(String(digest), age: .seconds(60)).isEmpty)
        #expect(try await collect(String(digest)) == [other])
        // The only one is not asked about.
        #expect(try await collect(String(repeating: "1", count: 64)).isEmpty)
        #expect(scene.place.files().filter { $0.hasSuffix(".h5") && $0.contains("/job.") } == kept)
    }

    /// Rows that were evaluated, few-shot pools and registered data sets: nobody has to say that they are needed.
    @Test func dataSetsAreKeptWhateverTheirAge() async throws {
        let place = try await TemporaryStore()
        for text in ["{\"a\":1}\n", "{\"a\":2}\n"] {
            _ = try await place.store.importDataSet(bytes: Array(text.utf8))
        }
        let files = place.files()
        #expect(files.count == 2)
        #expect(try await place.store.collectGarbage(olderThan: .zero, dryRun: false) { $0 }.isEmpty)
        #expect(place.files() == files)
    }

    @Test func linksAreNotFollowed() async throws {
        let scene = try await Scene()
        let outside = try await TemporaryStore()
        let job = try await PublishedJob(in: outside, counts: [3], mode: .none)
        let victim = try #require(job.files.first).path
        let links = [
            ("runs/outside", "runs/\(job.run)"), ("runs/k3f9m2ab/outside", "runs/\(job.run)/\(job.job)"),
            ("runs/k3f9m2ab/k3f9m2ab.1/k3f9m2ab.1.shard-9.e1.\(Self.lower(UUID())).h5", victim),
            (".link.0a1b2c3d.tmp", victim),
        ]
        for (link, target) in links {
            try FileManager.default.createSymbolicLink(
                atPath: "\(scene.place.path)/\(link)", withDestinationPath: "\(outside.path)/\(target)")
        }
        let removed = try await scene.place.store.collectGarbage(olderThan: .zero, dryRun: false) { $0 }
        #expect(!removed.contains { file in links.contains { file.path.hasPrefix($0.0) } })
        #expect(outside.files() == job.files.map(\.path))
    }

    /// More names than the C library reads at once, the last of which end where its memory ends.
    @Test func allNamesOfALargeFolderAreSeen() throws {
        let path = NSTemporaryDirectory() + "/assay-names-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let names = (0..<3000).map { "name-\($0)" }
        for name in names { try Data().write(to: URL(filePath: "\(path)/\(name)")) }
        #expect(try Set(Folder.root(path).names()) == Set(names))
    }

    @Test func anEmptyStoreHasNoGarbage() async throws {
        let path = NSTemporaryDirectory() + "/assay-empty-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        _ = try await Store.create(root: path)
        for name in ["datasets", "runs", "reports"] { try FileManager.default.removeItem(atPath: "\(path)/\(name)") }
        let store = try await Store(root: path, access: .read)
        #expect(try await store.collectGarbage(olderThan: .zero, dryRun: false) { $0 }.isEmpty)
    }
}
