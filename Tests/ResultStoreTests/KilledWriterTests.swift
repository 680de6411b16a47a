import Crypto
import Evaluation
import Files
import Foundation
import Glibc
import Testing

@testable import ResultStore

@Suite struct KilledWriterTests {
    @Test func aWriterKilledWhileItWritesLeavesNothingThatPassesAsComplete() async throws {
        let root = NSTemporaryDirectory() + "/assay-killed-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        let store = try await Store.create(root: root)
        for last in [0, 1, 4] {
            await #expect(processExitsWith: .signal(SIGKILL)) { [root = root as String, last = last as Int] in
                let store = try await Store(root: root)
                let run = "killed\(last)"
                let samples = SampleResult.random(300, seed: 1)
                let watcher = Thread { Self.kill(in: "\(root)/runs/\(run)/\(run).1", whenWritingAfter: last) }
                watcher.start()
                for index in 0... {
                    _ = try await store.publishShard(
                        .sample(run: run, index: index, count: 300), samples: samples, epoch: 1, incarnation: UUID())
                }
            }
            let folder = "runs/killed\(last)/killed\(last).1"
            let names = try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(folder)")
            let shards = names.filter { $0.hasSuffix(".h5") }
            #expect(shards.count >= last)
            for name in shards {
                let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(root)/\(folder)/\(name)")))
                let shard = try await store.readShard("\(folder)/\(name)", sha256: SHA256.text(of: bytes))
                #expect(shard.samples == SampleResult.random(300, seed: 1))
            }
        }
        _ = try await store.collectGarbage(olderThan: .zero, dryRun: false) { $0 }
        let left = FileManager.default.enumerator(atPath: root)?.allObjects as? [String] ?? []
        #expect(!left.contains { $0.hasSuffix(".tmp") || $0.hasSuffix(".h5") })
    }

    /// Ends this process the hard way as soon as it is seen writing with that many shards done.
    private static func kill(in folder: String, whenWritingAfter shards: Int) {
        while true {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            let isWriting = names.contains { $0.hasSuffix(".tmp") }
            if isWriting, names.count(where: { $0.hasSuffix(".h5") }) >= shards { Glibc.kill(getpid(), SIGKILL) }
        }
    }

    @Test func aPartOfAShardIsNeverRead() async throws {
        let place = try await TemporaryStore()
        let file = try await place.store.publishShard(
            .sample(count: 50), samples: SampleResult.random(50, seed: 1), epoch: 1, incarnation: UUID())
        let bytes = try place.bytes(file.path)
        for length in stride(from: 0, to: bytes.count, by: 997) {
            // The second half of a file can be zeros after a power cut.
            let padded = Array(bytes[..<length]) + [UInt8](repeating: 0, count: bytes.count - length)
            for part in [Array(bytes[..<length]), padded] where part != bytes {
                try Data(part).write(to: place.url("runs/part.h5"), options: .atomic)
                let known = await #expect(throws: StoreError.self) {
                    try await place.store.readShard("runs/part.h5", sha256: file.sha256)
                }
                #expect(known?.code == .corrupt)
            }
            try Data(bytes[..<length]).write(to: place.url("runs/part.h5"), options: .atomic)
            let error = await #expect(throws: StoreError.self) {
                try await place.store.readShard("runs/part.h5", sha256: SHA256.text(of: Array(bytes[..<length])))
            }
            #expect(error?.code == .malformed)
        }
    }
}
