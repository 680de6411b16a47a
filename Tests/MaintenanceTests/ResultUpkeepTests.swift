import Foundation
import JobQueue
import Maintenance
import MemoryQueue
import ResultStore
import Testing

/// Removing results, and having lost ones computed again.
@Suite struct ResultUpkeepTests {
    private static func selection(_ bench: MaintainedStore) async throws -> RunSelection {
        try await RunSelection(bench.run.text, in: bench.queue)
    }

    private static func removal(
        _ bench: MaintainedStore, evenIfReported: Bool = false
    ) async throws -> ResultRemoval {
        try await ResultRemoval(
            try await Self.selection(bench), queue: bench.queue, store: bench.store, evenIfReported: evenIfReported)
    }

    private static func repair(_ bench: MaintainedStore, dryRun: Bool = false) async throws -> ResultRepair.Report {
        try await ResultRepair(try await Self.selection(bench), queue: bench.queue, store: bench.store)
            .perform(user: "ann", dryRun: dryRun)
    }

    // MARK: Removal

    @Test func rowsAndFilesAreRemovedTogether() async throws {
        let bench = try await MaintainedStore(shards: 3)
        let files = try await bench.compute()
        let removal = try await Self.removal(bench)
        #expect(removal.count == 3 && removal.bytes == files.reduce(0) { $0 + Int64($1.bytes) })
        // So far nothing was.
        #expect(try await bench.queue.results(of: bench.job).count == 3)
        let removed = try await removal.perform(user: "ann", queue: bench.queue)
        #expect(removed.run == bench.run.text && removed.results == 3 && removed.files == 3)
        #expect(Int64(removed.bytes) == removal.bytes)
        #expect(try await bench.queue.results(of: bench.job).isEmpty)
        #expect(files.allSatisfy { !bench.hasFile($0.path) })
        // The job is over until somebody retries it, and it is told who did that.
        #expect(try await bench.record().state == .cancelled)
        #expect(
            try await bench.queue.withdrawnResults(of: bench.job).map(\.reason)
                == Array(repeating: "removed by ann", count: 3))
    }

    @Test func aJobWithoutResultsIsNotComputedAgainEither() async throws {
        let bench = try await MaintainedStore(shards: 1)
        try await bench.queue.cancel(bench.run)
        let removed = try await Self.removal(bench).perform(user: "ann", queue: bench.queue)
        #expect(removed.results == 0 && removed.files == 0)
        #expect(try await bench.record().state == .cancelled)
    }

    @Test func aRunThatIsNotOverIsLeftAlone() async throws {
        let bench = try await MaintainedStore(shards: 2)
        let shard = try await bench.claim()
        try await bench.commit(shard, try await bench.publish(shard))
        let error = await #expect(throws: UpkeepError.self) { try await Self.removal(bench) }
        #expect(error?.code == .notOver)
        #expect(error?.message.hasPrefix("job \(bench.job) is ") == true, "\(String(describing: error))")
        #expect(try await bench.queue.results(of: bench.job).count == 1)
    }

    // MARK: Repair

    @Test func whatIsAsPublishedStays() async throws {
        let bench = try await MaintainedStore(shards: 2)
        _ = try await bench.compute()
        let report = try await Self.repair(bench)
        #expect(report.checked == 2 && report.damaged.isEmpty && report.withdrawn == 0 && report.notes.isEmpty)
        #expect(try await bench.queue.results(of: bench.job).count == 2)
    }

    @Test func lostAndDamagedResultsAreComputedAgain() async throws {
        let bench = try await MaintainedStore(shards: 3)
        let files = try await bench.compute()
        try FileManager.default.removeItem(atPath: "\(bench.folder)/\(files[0].path)")
        let damaged = "\(bench.folder)/\(files[1].path)"
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: damaged)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: damaged))
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: URL(fileURLWithPath: damaged))

        let shown = try await Self.repair(bench, dryRun: true)
        #expect(shown.checked == 3 && shown.withdrawn == 0)
        #expect(shown.damaged.map(\.path).sorted() == [files[0].path, files[1].path].sorted())
        #expect(shown.damaged.allSatisfy { $0.isCertain && $0.job == bench.job.name })
        #expect(try await bench.queue.results(of: bench.job).count == 3)

        let report = try await Self.repair(bench)
        #expect(report.damaged == shown.damaged && report.withdrawn == 2 && report.notes.isEmpty)
        #expect(try await bench.queue.results(of: bench.job).map(\.publication.path) == [files[2].path])
        #expect(try await bench.queue.openShardCount(run: bench.run) == 2)
        let again = try await bench.compute()
        #expect(again.count == 2 && Set(again.map(\.path)).isDisjoint(with: files.map(\.path)))
        #expect(try await Self.repair(bench).damaged.isEmpty)
    }

    @Test func whatStandsInTheWayIsSaid() async throws {
        let bench = try await MaintainedStore(shards: 1)
        let shard = try await bench.claim()
        // What runs goes on.
        try await bench.queue.hold(.run(bench.run), reason: "why not")
        let file = try await bench.publish(shard)
        try await bench.commit(shard, file)
        try FileManager.default.removeItem(atPath: "\(bench.folder)/\(file.path)")
        let sets = try FileManager.default.contentsOfDirectory(atPath: "\(bench.folder)/datasets")
        let name = try #require(sets.first { $0.hasSuffix(".jsonl") })
        try FileManager.default.removeItem(atPath: "\(bench.folder)/datasets/\(name)")
        let report = try await Self.repair(bench)
        #expect(report.withdrawn == 1 && report.notes.count == 2)
        #expect(report.notes.first == .isHeld(bench.job))
        guard case .damagedDataSet(let sha256, let job, _)? = report.notes.last else {
            Issue.record("\(report.notes)")
            return
        }
        #expect("\(sha256).jsonl" == name && job == bench.job)
    }
}
