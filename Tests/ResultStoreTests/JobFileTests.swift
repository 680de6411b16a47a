import Evaluation
import Foundation
import Testing

@testable import ResultStore

@Suite struct JobFileTests {
    @Test func buildingAgainGivesTheSameFile() async throws {
        let place = try await TemporaryStore()
        let job = try await PublishedJob(in: place, counts: [3, 5], mode: .choices)
        let file = try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files)
        #expect(file.path == "runs/\(job.run)/\(job.job)/job.\(file.digest).h5")
        #expect(file.digest == Store.jobDigest(job.files.map(\.digest)))
        let bytes = try place.bytes(file.path)
        #expect(try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files) == file)
        try FileManager.default.removeItem(at: place.url(file.path))
        #expect(try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files) == file)
        #expect(try place.bytes(file.path) == bytes)
        #expect(place.files().count == 3)
    }

    @Test func theDigestDoesNotDependOnTheRun() async throws {
        let place = try await TemporaryStore()
        let one = try await PublishedJob(in: place, run: "one", counts: [3, 5], mode: .none)
        let two = try await PublishedJob(in: place, run: "two", counts: [3, 5], mode: .none)
        let first = try await place.store.buildJobFile(runID: one.run, jobID: one.job, shards: one.files)
        let second = try await place.store.buildJobFile(runID: two.run, jobID: two.job, shards: two.files)
        #expect(first.digest == second.digest && first.sha256 != second.sha256)
    }

    @Test func theSameWorkInOtherFilesReplacesTheJobFile() async throws {
        let place = try await TemporaryStore()
        let job = try await PublishedJob(in: place, counts: [3, 5], mode: .none)
        let first = try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files)
        let again = try await PublishedJob(in: place, counts: [3, 5], mode: .none)
        let second = try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: again.files)
        #expect(first.path == second.path && first.sha256 != second.sha256)
        #expect(try await place.store.verifyJobFile(second, shards: again.files).isEmpty)
        #expect(try await place.store.verifyJobFile(second, shards: job.files).map(\.kind) == [.wrongManifest])
    }

    @Test func shardsThatAreNotOneWholeJobAreRefused() async throws {
        let place = try await TemporaryStore()
        let job = try await PublishedJob(in: place, counts: [3, 5, 2], mode: .none)
        let other = try await PublishedJob(in: place, run: "other", counts: [3, 5, 2], mode: .none)
        let tokens = try await PublishedJob(in: place, counts: [3, 5, 2], mode: .tokens)
        // The job's own file under the name of one of another job.
        var renamed = job.files[1]
        renamed.path = renamed.path.replacing("/k3f9m2ab.1.shard-", with: "/k3f9m2ab.2.shard-")
        try FileManager.default.copyItem(at: place.url(job.files[1].path), to: place.url(renamed.path))
        for files in [
            [], [job.files[0], job.files[2]], [job.files[1], job.files[2]], [job.files[0], job.files[0]],
            [job.files[1], job.files[0], job.files[2]], [job.files[0], other.files[1], job.files[2]],
            [job.files[0], tokens.files[1], job.files[2]], [job.files[0], renamed, job.files[2]],
        ] {
            let error = await #expect(throws: StoreError.self) {
                try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: files)
            }
            #expect(error?.code == .invalidInput)
        }
        var wrong = job.files
        wrong[1].digest = wrong[0].digest
        let error = await #expect(throws: StoreError.self) {
            try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: wrong)
        }
        #expect(error?.code == .corrupt)
        #expect(!place.files().contains { $0.contains("/job.") })
    }

    @Test(arguments: LogitsMode.allCases)
    func aGoodJobVerifies(mode: LogitsMode) async throws {
        let place = try await TemporaryStore()
        let job = try await PublishedJob(in: place, counts: [40, 1, 2000], mode: mode, weighted: [2])
        let file = try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files)
        #expect(try await place.store.verifyShards(job.files).isEmpty)
        #expect(try await place.store.verifyJobFile(file, shards: job.files).isEmpty)
    }

    @Test func everyDamageIsReported() async throws {
        let place = try await TemporaryStore()
        let job = try await PublishedJob(in: place, counts: [3, 5, 2, 4], mode: .none)
        let file = try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files)
        try FileManager.default.removeItem(at: place.url(job.files[0].path))
        var bytes = try place.bytes(job.files[1].path)
        bytes[bytes.count / 2] ^= 1
        try Data(bytes).write(to: place.url(job.files[1].path), options: .atomic)
        try Data(try place.bytes(job.files[2].path) + [0]).write(to: place.url(job.files[2].path), options: .atomic)
        var files = job.files
        files[3].digest = files[0].digest
        let issues = try await place.store.verifyShards(files)
        #expect(issues.map(\.kind) == [.missing, .wrongSHA256, .wrongSize, .wrongDigest])
        #expect(issues.map(\.path) == files.map(\.path))
        let all = try await place.store.verifyJobFile(file, shards: job.files)
        #expect(all.map(\.kind) == [.missing, .wrongSHA256, .wrongSize])
        let damaged = try place.bytes(file.path).dropLast()
        try Data(damaged).write(to: place.url(file.path), options: .atomic)
        #expect(try await place.store.verifyJobFile(file, shards: job.files).last?.kind == .wrongSize)
    }

    @Test func aMissingOrShortShardIsAnErrorThatNamesItAlsoWhereTheFileWasBuiltBefore() async throws {
        let place = try await TemporaryStore()
        let job = try await PublishedJob(in: place, counts: [3, 5, 2], mode: .none)
        for isBuilt in [false, true] {
            if isBuilt {
                _ = try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files)
            }
            let bytes = try place.bytes(job.files[1].path)
            try FileManager.default.removeItem(at: place.url(job.files[1].path))
            let missing = await #expect(throws: StoreError.self) {
                try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files)
            }
            #expect(missing?.code == .missing && missing?.path.hasSuffix(job.files[1].path) == true)
            #expect(missing?.damagedJob == job.job)
            try Data(bytes.dropLast()).write(to: place.url(job.files[1].path), options: .atomic)
            let short = await #expect(throws: StoreError.self) {
                try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files)
            }
            #expect(short?.code == .corrupt && short?.description.contains(job.files[1].path) == true)
            try FileManager.default.removeItem(at: place.url(job.files[1].path))
            try Data(bytes).write(to: place.url(job.files[1].path), options: .atomic)
        }
    }

    @Test func aFileOfAnotherVersionIsBuiltAgain() async throws {
        let place = try await TemporaryStore()
        let job = try await PublishedJob(in: place, counts: [3, 5], mode: .choices)
        let file = try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files)
        _ = try await Python.run("results.py", "set", "\(place.path)/\(file.path)", "schema_version", "1")
        #expect(SHA256Text.of(try place.bytes(file.path)) != file.sha256)
        #expect(try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files) == file)
        #expect(SHA256Text.of(try place.bytes(file.path)) == file.sha256)
    }

    @Test(arguments: ["/samples/acc", "/choices/logprob_sum", "/index/choices", "/text/prompt_offsets"])
    func anElementThatDiffersFromTheShardsIsFound(column: String) async throws {
        let place = try await TemporaryStore()
        let job = try await PublishedJob(in: place, counts: [40, 50], mode: .choices)
        let file = try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files)
        _ = try await Python.run("results.py", "set", "\(place.path)/\(file.path)", column, "17")
        // Who changes the file may have given its hash out, too.
        let changed = try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files)
        let issues = try await place.store.verifyJobFile(changed, shards: job.files)
        #expect(issues.map(\.kind) == [.wrongContent])
        #expect(issues.first?.message.hasPrefix("\(column) ") == true)
    }
}
