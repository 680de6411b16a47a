import Evaluation
import Foundation
import ResultStore
import Testing

@Suite struct GarbageTests {
    private static let leftovers = [
        ".probe.0a1b2c3d.tmp", "datasets/.import.0a1b2c3d.tmp", "runs/k3f9m2ab/k3f9m2ab.1/.shard-0.h5.0a1b2c3d.tmp",
    ]

    /// A job with one shard that no row names, a job file, leftovers and a file of the user's.
    private static func prepare() async throws -> (TemporaryStore, published: Set<String>, orphan: String) {
        let place = try await TemporaryStore()
        let job = try await PublishedJob(in: place, counts: [3, 5], mode: .none)
        _ = try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files)
        let orphan = try await place.store.publishShard(
            .sample(count: 3), samples: SampleResult.random(3, seed: 9), epoch: 7, incarnation: UUID())
        for path in leftovers + ["runs/k3f9m2ab/k3f9m2ab.1/notes.txt"] {
            try Data("x".utf8).write(to: place.url(path))
        }
        return (place, Set(job.files.map(\.path)), orphan.path)
    }

    @Test func onlyWhatNoRowNamesIsRemoved() async throws {
        let (place, published, orphan) = try await Self.prepare()
        let before = place.files()
        let expected = Set(Self.leftovers + [orphan])
        let found = try await place.store.collectGarbage(published: published, olderThan: .zero, dryRun: true)
        #expect(Set(found.map(\.path)) == expected)
        #expect(place.files() == before)
        let removed = try await place.store.collectGarbage(published: published, olderThan: .zero, dryRun: false)
        #expect(removed == found)
        #expect(Set(place.files()) == Set(before).subtracting(expected))
        #expect(try await place.store.collectGarbage(published: published, olderThan: .zero, dryRun: false).isEmpty)
    }

    @Test func whatIsYoungIsKept() async throws {
        let (place, published, _) = try await Self.prepare()
        let before = place.files()
        #expect(try await place.store.collectGarbage(published: published, dryRun: false).isEmpty)
        #expect(place.files() == before)
    }

    @Test func linksAreNotFollowed() async throws {
        let (place, published, _) = try await Self.prepare()
        let outside = try await TemporaryStore()
        let job = try await PublishedJob(in: outside, counts: [3], mode: .none)
        try FileManager.default.createSymbolicLink(
            atPath: "\(place.path)/runs/outside", withDestinationPath: "\(outside.path)/runs/\(job.run)")
        _ = try await place.store.collectGarbage(published: published, olderThan: .zero, dryRun: false)
        #expect(outside.files() == job.files.map(\.path))
    }
}
