import Crypto
import Evaluation
import Files
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
        #expect(try await job.issues(in: place).isEmpty)
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
        let issues = try await job.issues(in: place, files)
        #expect(issues.map(\.kind) == [.missing, .wrongSHA256, .wrongSize, .wrongDigest])
        #expect(issues.map(\.path) == files.map(\.path) && issues.map(\.shard) == [0, 1, 2, 3])
        let all = try await place.store.verifyJobFile(file, shards: job.files)
        #expect(all.map(\.kind) == [.missing, .wrongSHA256, .wrongSize])
        let damaged = try place.bytes(file.path).dropLast()
        try Data(damaged).write(to: place.url(file.path), options: .atomic)
        #expect(try await place.store.verifyJobFile(file, shards: job.files).last?.kind == .wrongSize)
    }

    /// A row may name a file that is as published, but is another job's or another shard's.
    @Test func aFileOfAnotherJobOrShardIsReported() async throws {
        let place = try await TemporaryStore()
        let job = try await PublishedJob(in: place, counts: [3, 3, 3, 3, 3], mode: .none)
        let other = try await PublishedJob(in: place, run: "other", counts: [3, 3, 3, 3, 3], mode: .none)
        func copy(_ file: PublishedFile, to path: String) throws -> PublishedFile {
            var copied = file
            copied.path = path
            try? FileManager.default.removeItem(at: place.url(path))
            try FileManager.default.copyItem(at: place.url(file.path), to: place.url(path))
            return copied
        }
        var files = job.files
        // The first two stand where they belong, the others in this job's folder under its own names.
        files[0] = other.files[0]
        files[1] = job.files[2]
        files[3] = try copy(other.files[3], to: job.files[3].path)
        files[4] = try copy(job.files[0], to: job.files[4].path)
        let issues = try await job.issues(in: place, files)
        #expect(issues.map(\.kind) == [.foreign, .foreign, .foreign, .foreign])
        #expect(issues.map(\.shard) == [0, 1, 3, 4] && issues.map(\.path) == [0, 1, 3, 4].map { files[$0].path })
        #expect(
            issues.map(\.message) == [
                "this is no file of shard 0 of job k3f9m2ab.1 of run k3f9m2ab",
                "this is no file of shard 1 of job k3f9m2ab.1 of run k3f9m2ab",
                "what is in it is shard 3 of job other.1 of run other, not shard 3 of job k3f9m2ab.1 of run k3f9m2ab",
                "what is in it is shard 0 of job k3f9m2ab.1 of run k3f9m2ab, "
                    + "not shard 4 of job k3f9m2ab.1 of run k3f9m2ab",
            ])
        #expect(
            try await job.issues(in: place, [PublishedFile(path: "../x", bytes: 1, sha256: "", digest: "")])
                .map(\.kind) == [.foreign])
    }

    @Test func aMissingFolderIsSaidOfEachFileInIt() async throws {
        let place = try await TemporaryStore()
        let job = try await PublishedJob(in: place, counts: [3, 5], mode: .none)
        try FileManager.default.removeItem(at: place.url("runs/\(job.run)"))
        let issues = try await job.issues(in: place)
        #expect(issues.map(\.kind) == [.missing, .missing] && issues.map(\.path) == job.files.map(\.path))
        let folder = "\(place.path)/runs/\(job.run)"
        #expect(issues.allSatisfy { $0.message == "the file is not there, nor is the folder \(folder)" })
        let error = await #expect(throws: StoreError.self) {
            try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files)
        }
        #expect(error?.code == .missing && error?.path == job.files[0].path && error?.damagedJob == job.job)
        #expect(place.files().isEmpty)
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
        _ = try await Results.run("set", "\(place.path)/\(file.path)", "schema_version", "1")
        #expect(SHA256.text(of: try place.bytes(file.path)) != file.sha256)
        #expect(try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files) == file)
        #expect(SHA256.text(of: try place.bytes(file.path)) == file.sha256)
    }

    @Test(arguments: ["/samples/acc", "/choices/logprob_sum", "/index/choices", "/text/prompt_offsets"])
    func anElementThatDiffersFromTheShardsIsFound(column: String) async throws {
        let place = try await TemporaryStore()
        let job = try await PublishedJob(in: place, counts: [40, 50], mode: .choices)
        let file = try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files)
        _ = try await Results.run("set", "\(place.path)/\(file.path)", column, "17")
        // Who changes the file may have given its hash out, too.
        let changed = try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files)
        let issues = try await place.store.verifyJobFile(changed, shards: job.files)
        #expect(issues.map(\.kind) == [.wrongContent])
        #expect(issues.first?.message.hasPrefix("\(column) ") == true)
    }
}
