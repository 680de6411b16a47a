import Evaluation
import Foundation
import Testing

@testable import ResultStore

@Suite struct PublishTests {
    @Test func aShardStandsUnderItsNameAndNothingElseIsLeft() async throws {
        let place = try await TemporaryStore()
        let incarnation = UUID()
        let file = try await place.store.publishShard(
            .sample(index: 4, count: 3), samples: SampleResult.random(3, seed: 1), epoch: 2, incarnation: incarnation)
        let expected = "runs/k3f9m2ab/k3f9m2ab.1/k3f9m2ab.1.shard-4.e2.\(incarnation.uuidString.lowercased()).h5"
        #expect(file.path == expected)
        #expect(place.files() == [expected])
        #expect(try place.bytes(expected).count == file.bytes)
        #expect(try place.store.absolutePath(file.path) == "\(place.path)/\(expected)")
    }

    /// Stores have files that older releases named, which left the job out.
    @Test func bothFormsOfAFilesNameAreReadButForAnotherJobsNeither() throws {
        let uuid = "0f8fad5b-d9cb-469f-a165-70867728950e"
        let claim = ShardFileName(
            run: "k3f9m2ab", job: "k3f9m2ab.0", shard: 17, epoch: 2, incarnation: try #require(UUID(uuidString: uuid)))
        #expect(claim.name == "k3f9m2ab.0.shard-17.e2.\(uuid).h5")
        for name in ["k3f9m2ab.0.shard-17.e2.\(uuid).h5", "shard-17.e2.\(uuid).h5"] {
            for written in [name, ".\(name).0a1b2c3d.tmp"] {
                #expect(ShardFileName(run: claim.run, job: claim.job, name: written) == claim)
            }
            let path = "runs/k3f9m2ab/k3f9m2ab.0/\(name)"
            #expect(try ShardFileName(StorePath(parsing: path)) == claim)
            #expect(StoreError(.missing, path: "/mnt/runs/\(path)", "").damagedJob == "k3f9m2ab.0")
        }
        for name in [
            "k3f9m2ab.1.shard-17.e2.\(uuid).h5", "k3f9m2ab.shard-17.e2.\(uuid).h5", "0.shard-17.e2.\(uuid).h5",
            "k3f9m2ab.0.k3f9m2ab.0.shard-17.e2.\(uuid).h5", "k3f9m2ab.0shard-17.e2.\(uuid).h5",
            ".shard-17.e2.\(uuid).h5",
            "k3f9m2ab.0.shard-17.e2.\(uuid.uppercased()).h5", "shard-17.\(uuid).h5",
            "k3f9m2ab.0.shard-17.e0.\(uuid).h5",
        ] {
            #expect(ShardFileName(run: claim.run, job: claim.job, name: name) == nil, "\(name)")
        }
        let elsewhere = "runs/k3f9m2ab/k3f9m2ab.1/\(claim.name)"
        #expect(try ShardFileName(StorePath(parsing: elsewhere)) == nil)
        #expect(StoreError(.missing, path: elsewhere, "").damagedJob == nil)
    }

    @Test func publishingAgainChangesNothing() async throws {
        let place = try await TemporaryStore()
        let incarnation = UUID()
        let samples = SampleResult.random(3, seed: 1)
        let header = ShardHeader.sample(count: 3)
        let first = try await place.store.publishShard(header, samples: samples, epoch: 1, incarnation: incarnation)
        let again = try await place.store.publishShard(header, samples: samples, epoch: 1, incarnation: incarnation)
        #expect(first == again)
        let error = await #expect(throws: StoreError.self) {
            try await place.store.publishShard(
                header, samples: SampleResult.random(3, seed: 2), epoch: 1, incarnation: incarnation)
        }
        #expect(error?.code == .conflict)
        #expect(place.files() == [first.path])
    }

    @Test func whatCannotBeStoredIsRefusedBeforeAnythingIsWritten() async throws {
        let place = try await TemporaryStore()
        let good = SampleResult.random(3, seed: 1)
        func refusal(_ header: ShardHeader, _ samples: [SampleResult]) async -> StoreError? {
            await #expect(throws: StoreError.self) {
                try await place.store.publishShard(header, samples: samples, epoch: 1, incarnation: UUID())
            }
        }
        #expect(await refusal(.sample(count: 4), good)?.code == .invalidInput)
        #expect(await refusal(.sample(count: 0), [])?.code == .invalidInput)
        for run in ["../escape", "", ".", "..", "a/b", ".hidden", "a b", "a\0"] {
            #expect(await refusal(.sample(run: run, count: 3), good)?.code == .invalidInput)
        }
        for name in ["a/b", "", ".", "row", "prediction"] {
            let samples = SampleResult.random(3, seed: 1, metrics: ["acc", name])
            #expect(await refusal(.sample(count: 3), samples)?.code == .invalidInput)
        }
        let clash = SampleResult.random(3, seed: 1, metrics: ["acc_weight", "acc"])
        #expect(await refusal(.sample(count: 3), clash)?.code == .invalidInput)
        var twice = good
        twice[2].sampleID = twice[0].sampleID
        #expect(await refusal(.sample(count: 3), twice)?.message.contains("there twice") == true)
        var uneven = good
        uneven[2].metrics.removeLast()
        #expect(await refusal(.sample(count: 3), uneven)?.code == .invalidInput)
        #expect(place.files().isEmpty)
    }

    @Test func aLinkInThePlaceOfAFolderIsNotFollowed() async throws {
        let place = try await TemporaryStore()
        let outside = try await TemporaryStore()
        try FileManager.default.createSymbolicLink(
            atPath: "\(place.path)/runs/k3f9m2ab", withDestinationPath: outside.path)
        let error = await #expect(throws: StoreError.self) {
            try await place.store.publishShard(
                .sample(count: 3), samples: SampleResult.random(3, seed: 1), epoch: 1, incarnation: UUID())
        }
        #expect(error?.code == .malformed)
        #expect(outside.files().isEmpty)
    }

    @Test func aFullDiskIsAClearErrorAndLeavesNothing() async throws {
        await #expect(processExitsWith: .success) {
            // A limit on the size of files is to a writer what a full disk is, and needs no rights.
            signal(SIGXFSZ, SIG_IGN)
            let place = try await TemporaryStore()
            let small = SampleResult.random(10, seed: 1)
            let file = try await place.store.publishShard(
                .sample(count: 10), samples: small, epoch: 1, incarnation: UUID())
            var limit = rlimit(rlim_cur: 20_000, rlim_max: 20_000)
            try #require(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
            let error = try await #require(throws: StoreError.self) {
                try await place.store.publishShard(
                    .sample(index: 1, count: 3000), samples: SampleResult.random(3000, seed: 1), epoch: 1,
                    incarnation: UUID())
            }
            try #require(error.code == .noSpace && error.description.contains("ASSAY_STORE"))
            let bytes = [UInt8](repeating: 65, count: 100_000)
            let other = try await #require(throws: StoreError.self) {
                try await place.store.importDataSet(bytes: bytes)
            }
            try #require(other.code == .noSpace)
            try #require(place.files() == [file.path])
            // The process goes on: what fits is published, and what was there can be read.
            _ = try await place.store.publishShard(
                .sample(index: 2, count: 10), samples: small, epoch: 1, incarnation: UUID())
            _ = try await place.store.readShard(file.path, sha256: file.sha256)
        }
    }
}
