import Evaluation
import Foundation
import Testing

@testable import ResultStore

/// What takes room, and how it goes when nothing needs it any more.
@Suite struct RetentionTests {
    private static let age = Duration.seconds(3600)

    private static func make(old paths: [String], in place: TemporaryStore) throws {
        for path in paths {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -7200)], ofItemAtPath: place.url(path).path)
        }
    }

    @Test func everyKindOfFileIsCounted() async throws {
        let place = try await TemporaryStore()
        let job = try await PublishedJob(in: place, counts: [3, 5], mode: .none)
        let file = try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files)
        let sha256 = try await place.store.importDataSet(bytes: [1, 2, 3])
        try Data("xy".utf8).write(to: place.url("runs/\(job.run)/\(job.job)/notes.txt"))
        let usage = try await place.store.usage()
        #expect(usage.dataSets == [DataSetFile(sha256: sha256, bytes: 3)])
        var expected = StoreUsage.Run(run: job.run)
        expected.results = .init(files: 2, bytes: job.files.reduce(0) { $0 + $1.bytes })
        expected.jobFiles = .init(files: 1, bytes: file.bytes)
        expected.others = .init(files: 1, bytes: 2)
        #expect(usage.runs == [expected])
        #expect(try await place.store.usage(ofRun: job.run).runs == [expected])
        #expect(try await place.store.usage(ofRun: "other").runs.isEmpty)
    }

    @Test func aRunsResultsAreRemovedAndNothingElse() async throws {
        let place = try await TemporaryStore()
        let job = try await PublishedJob(in: place, counts: [3, 5], mode: .none)
        _ = try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files)
        let other = try await PublishedJob(in: place, run: "other", counts: [3], mode: .none)
        #expect(try await place.store.removeResults(run: job.run, job: job.job).count == 3)
        #expect(place.files() == other.files.map(\.path))
        #expect(!FileManager.default.fileExists(atPath: place.url("runs/\(job.run)").path))
        #expect(try await place.store.removeResults(run: job.run, job: job.job).isEmpty)
        let notes = "runs/other/other.1/notes.txt"
        try Data("x".utf8).write(to: place.url(notes))
        #expect(try await place.store.removeResults(run: "other", job: "other.1").count == 1)
        #expect(place.files() == [notes])
    }

    @Test func onlyDataSetsThatNothingNamesAndThatAreOldGo() async throws {
        let place = try await TemporaryStore()
        var hashes: [String] = []
        for byte in UInt8(1)...4 { hashes.append(try await place.store.importDataSet(bytes: [byte])) }
        try Self.make(old: hashes.prefix(3).map { "datasets/\($0).jsonl" }, in: place)
        func collect(dryRun: Bool) async throws -> [String] {
            try await place.store.collectDataSets(olderThan: Self.age, dryRun: dryRun) { [hashes[0]] }.map(\.path)
        }
        let expected = hashes[1...2].map { "datasets/\($0).jsonl" }.sorted()
        let before = place.files()
        #expect(try await collect(dryRun: true) == expected)
        #expect(place.files() == before)
        #expect(try await collect(dryRun: false) == expected)
        #expect(place.files() == before.filter { !expected.contains($0) })
        // One that is imported again counts as new.
        try Self.make(old: ["datasets/\(hashes[3]).jsonl"], in: place)
        _ = try await place.store.importDataSet(bytes: [4])
        #expect(try await collect(dryRun: false).isEmpty)
    }

    /// Who submits copies the rows first and names them then.
    @Test func aDataSetThatIsNamedMeanwhileIsPutBack() async throws {
        let place = try await TemporaryStore()
        let sha256 = try await place.store.importDataSet(bytes: [1])
        var asked = 0
        let removed = try await place.store.collectDataSets(olderThan: .zero, dryRun: false) {
            asked += 1
            return asked == 1 ? [] : [sha256]
        }
        #expect(removed.isEmpty && asked == 2)
        #expect(place.files() == ["datasets/\(sha256).jsonl"])
        struct Gone: Error {}
        asked = 0
        await #expect(throws: Gone.self) {
            _ = try await place.store.collectDataSets(olderThan: .zero, dryRun: false) {
                asked += 1
                guard asked == 1 else { throw Gone() }
                return []
            }
        }
        #expect(try await place.store.dataSet(sha256: sha256) == [1])
    }

    /// As a collection leaves it that dies before it has decided.
    @Test func whatWasPutAsideAndNotDecidedOnIsThereForWhoNeedsIt() async throws {
        let place = try await TemporaryStore()
        let hashes = [
            try await place.store.importDataSet(bytes: [1]), try await place.store.importDataSet(bytes: [2]),
            try await place.store.importDataSet(bytes: [3]),
        ]
        for sha256 in hashes {
            try FileManager.default.moveItem(
                at: place.url("datasets/\(sha256).jsonl"), to: place.url("datasets/\(Layout.dataSetAside(sha256))"))
        }
        #expect(try await place.store.dataSet(sha256: hashes[0]) == [1])
        // Imported again meanwhile.
        #expect(try await place.store.importDataSet(bytes: [2]) == hashes[1])
        let dry = try await place.store.collectGarbage(olderThan: .zero, dryRun: true) { $0 }
        #expect(dry.isEmpty)
        let removed = try await place.store.collectGarbage(olderThan: .zero, dryRun: false) { $0 }
        #expect(removed.isEmpty)
        #expect(place.files() == hashes.map { "datasets/\($0).jsonl" }.sorted())
    }

    /// A process that named it before the second look finds it; one that named it later finds that it is gone.
    @Test func whatIsPutAsideIsNotThere() async throws {
        let place = try await TemporaryStore()
        let sha256 = try await place.store.importDataSet(bytes: [1])
        var seen: [Bool] = []
        _ = try await place.store.collectDataSets(olderThan: .zero, dryRun: false) {
            seen.append(try await place.store.hasDataSet(sha256: sha256))
            return []
        }
        #expect(seen == [true, false])
        #expect(place.files().isEmpty)
    }
}
