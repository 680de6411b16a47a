import Foundation
import JobQueue
import Maintenance
import MemoryQueue
import ResultStore
import Testing

/// What in a store is garbage by what the queue knows.
@Suite struct GarbageJudgeTests {
    private static func collect(
        _ bench: MaintainedStore, olderThan age: Duration = .zero, dryRun: Bool = false
    ) async throws -> GarbageJudge.Garbage {
        try await GarbageJudge(bench.queue).collect(in: bench.store, olderThan: age, dryRun: dryRun)
    }

    @Test func whatMayStillCountStays() async throws {
        let bench = try await MaintainedStore(shards: 2)
        let committed = try await bench.claim()
        let file = try await bench.publish(committed)
        try await bench.commit(committed, file)
        let running = try await bench.publish(try await bench.claim())
        let garbage = try await Self.collect(bench)
        #expect(garbage.files.isEmpty)
        // They are known, so there is nothing to tell of.
        #expect(garbage.kept.isEmpty)
        #expect(bench.hasFile(file.path) && bench.hasFile(running.path))
    }

    @Test func aResultThatCanNeverCountGoes() async throws {
        let bench = try await MaintainedStore(shards: 1)
        let first = try await bench.claim()
        let late = try await bench.publish(first)
        try await bench.queue.release([first])
        // Nobody has claimed the shard since: it may be committed late.
        #expect(try await Self.collect(bench).files.isEmpty)
        let second = try await bench.claim()
        let file = try await bench.publish(second)
        try await bench.commit(second, file)

        #expect(try await Self.collect(bench, olderThan: .seconds(3600)).files.isEmpty, "it is too young")
        let shown = try await Self.collect(bench, dryRun: true)
        #expect(shown.files == [GarbageFile(path: late.path, bytes: late.bytes)] && bench.hasFile(late.path))
        let garbage = try await Self.collect(bench)
        #expect(garbage.files == shown.files && garbage.kept.isEmpty)
        #expect(!bench.hasFile(late.path) && bench.hasFile(file.path))
        #expect(try await Self.collect(bench).files.isEmpty)
    }

    /// A database that was restored from a copy knows less than the store: what it does not know proves nothing.
    @Test func whatTheQueueDoesNotKnowStaysAndIsCounted() async throws {
        let bench = try await MaintainedStore(shards: 1)
        let claimed = try await bench.claim()
        let files = [
            // The worker is unknown.
            try await bench.publish(shard: 0, epoch: claimed.epoch.rawValue, incarnation: UUID()),
            // The queue has not come so far.
            try await bench.publish(shard: 0, epoch: 9, incarnation: claimed.incarnation.uuid),
            // The job has no such shard, and the queue has no such run.
            try await bench.publish(shard: 7, epoch: 1, incarnation: claimed.incarnation.uuid),
            try await bench.publish(
                shard: 0, epoch: 1, incarnation: claimed.incarnation.uuid, job: "zzzzzzzz.0", run: RunID("zzzzzzzz")),
        ]
        let garbage = try await Self.collect(bench)
        #expect(garbage.files.isEmpty)
        #expect(garbage.kept == [.stranger: 1, .newer: 1, .unknown: 2])
        #expect(files.allSatisfy { bench.hasFile($0.path) })
    }

    /// Somebody copied a job's folder into another run's: its claims are not those that its names tell of.
    @Test func aJobInAnotherRunsFolderStays() async throws {
        let bench = try await MaintainedStore(shards: 1)
        let first = try await bench.claim()
        _ = try await bench.publish(first)
        try await bench.queue.release([first])
        let second = try await bench.claim()
        try await bench.commit(second, try await bench.publish(second))
        let other = "\(bench.folder)/runs/zzzzzzzz"
        try FileManager.default.moveItem(atPath: "\(bench.folder)/runs/\(bench.run)", toPath: other)
        let garbage = try await Self.collect(bench)
        #expect(garbage.files.isEmpty && garbage.kept == [.unknown: 2])
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(other)/\(bench.job.name)").count == 2)
    }

    @Test func onlyTheFileOverAllShardsOfTheFinishedJobStays() async throws {
        let bench = try await MaintainedStore(shards: 2)
        let shard = try await bench.claim()
        let first = try await bench.publish(shard)
        try await bench.commit(shard, first)
        let folder = "runs/\(bench.run)/\(bench.job.name)"
        let superseded = "\(folder)/job.\(hash("f")).h5"
        func copy(_ path: String, to other: String) throws {
            try FileManager.default.copyItem(atPath: "\(bench.folder)/\(path)", toPath: "\(bench.folder)/\(other)")
        }
        try copy(first.path, to: superseded)
        try copy(first.path, to: "\(folder)/job.\(hash("e")).h5")
        // While a shard is missing, nobody can tell which one is right.
        #expect(try await Self.collect(bench).files.isEmpty)
        try FileManager.default.removeItem(atPath: "\(bench.folder)/\(folder)/job.\(hash("e")).h5")

        let shards = [first] + (try await bench.compute())
        let whole = try await bench.store.buildJobFile(
            runID: bench.run.text, jobID: bench.job.name, shards: shards)
        let garbage = try await Self.collect(bench)
        #expect(garbage.files.map(\.path) == [superseded] && garbage.kept.isEmpty)
        #expect(bench.hasFile(whole.path) && shards.allSatisfy { bench.hasFile($0.path) })
    }
}
