import Crypto
import Evaluation
import Files
import Foundation
import HDF5
import Testing

@testable import ResultStore

@Suite struct HostileFileTests {
    @Test func aFileThatIsNoShardOfOursIsRefused() async throws {
        let place = try await TemporaryStore()
        let file = try await place.store.publishShard(
            .sample(count: 9), samples: SampleResult.random(9, seed: 3), epoch: 1, incarnation: UUID())
        let folder = "runs/spoiled"
        try FileManager.default.createDirectory(at: place.url(folder), withIntermediateDirectories: false)
        _ = try await Results.run("spoil", "\(place.path)/\(file.path)", "\(place.path)/\(folder)")
        let spoiled = place.files().filter { $0.hasPrefix(folder) }
        #expect(spoiled.count == 35)
        for kind in spoiled {
            // Its name is the best thing about it.
            let name = ShardFileName(
                run: "k3f9m2ab", job: "k3f9m2ab.1", shard: 0, epoch: 1, incarnation: UUID())
            let path = "runs/k3f9m2ab/k3f9m2ab.1/\(name.name)"
            try FileManager.default.moveItem(at: place.url(kind), to: place.url(path))
            let bytes = try place.bytes(path)
            let sha256 = SHA256.text(of: bytes)
            let error = await #expect(throws: StoreError.self, "\(kind)") {
                try await place.store.readShard(path, sha256: sha256)
            }
            #expect(error?.code == .malformed, "\(kind): \(String(describing: error))")
            let published = PublishedFile(path: path, bytes: bytes.count, sha256: sha256, digest: file.digest)
            #expect(
                try await place.store.verifyShards([0: published], runID: "k3f9m2ab", jobID: "k3f9m2ab.1").map(\.kind)
                    == [.unreadable], "\(kind)")
        }
    }

    /// The hash keeps such files out; should it ever not, they must give errors and no crash.
    @HDF5Actor
    @Test func flippedBitsGiveErrorsOrOtherValuesButNoCrash() throws {
        let samples = SampleResult.random(20, seed: 3)
        let header = ShardHeader.sample(count: 20)
        let table = try ColumnTable(samples, logitsMode: .tokens)
        let image = try ShardImage.make(header, table)
        var generator = SeededGenerator(seed: 11)
        var refused = 0
        for _ in 0..<1500 {
            var damaged = image
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                damaged[Int.random(in: 0..<damaged.count, using: &generator)] ^=
                    1 << UInt8.random(in: 0...7, using: &generator)
            }
            do {
                let content = try Store.parse(damaged, part: .everything, path: "damaged")
                _ = try content.table.samples(content.header)
            } catch {
                refused += 1
            }
        }
        #expect(refused > 700)
    }

    @Test func aLinkInThePlaceOfAShardIsNotFollowed() async throws {
        let place = try await TemporaryStore()
        let file = try await place.store.publishShard(
            .sample(count: 9), samples: SampleResult.random(9, seed: 3), epoch: 1, incarnation: UUID())
        try FileManager.default.createSymbolicLink(
            atPath: "\(place.path)/runs/link.h5", withDestinationPath: "\(place.path)/\(file.path)")
        let error = await #expect(throws: StoreError.self) {
            try await place.store.readShard("runs/link.h5", sha256: file.sha256)
        }
        #expect(error?.code == .malformed)
    }

    @Test(arguments: ["../outside.h5", "/etc/passwd", "runs/../../x.h5", "runs//x.h5", "", "runs/.x.tmp"])
    func pathsThatLeaveTheStoreAreRefused(path: String) async throws {
        let place = try await TemporaryStore()
        let error = await #expect(throws: StoreError.self) {
            try await place.store.readShard(path, sha256: String(repeating: "0", count: 64))
        }
        #expect(error?.code == .invalidInput)
        #expect(throws: StoreError.self) { try place.store.absolutePath(path) }
    }

    @Test func aPipeInThePlaceOfAShardDoesNotBlock() async throws {
        let place = try await TemporaryStore()
        try #require(mkfifo("\(place.path)/runs/pipe.h5", 0o600) == 0)
        let error = await #expect(throws: StoreError.self) {
            try await place.store.readShard("runs/pipe.h5", sha256: String(repeating: "0", count: 64))
        }
        #expect(error?.code == .malformed)
    }
}
