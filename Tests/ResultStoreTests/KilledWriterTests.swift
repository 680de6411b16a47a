import Evaluation
import Foundation
import Testing

@testable import ResultStore

@Suite struct KilledWriterTests {
    @Test func aWriterKilledAtAnyTimeLeavesNothingThatPassesAsComplete() async throws {
        let root = NSTemporaryDirectory() + "/assay-killed-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        let store = try await Store(root: root)
        for delay in [1, 20, 60, 150, 400] {
            await #expect(processExitsWith: .signal(SIGKILL)) { [root = root as String, delay = delay as Int] in
                let store = try await Store(root: root)
                let samples = SampleResult.random(300, seed: UInt64(delay))
                // The kill falls wherever the writer happens to be after this much work.
                let killer = Thread {
                    usleep(UInt32(delay) * 1000)
                    kill(getpid(), SIGKILL)
                }
                killer.start()
                for index in 0... {
                    _ = try await store.publishShard(
                        .sample(run: "killed\(delay)", index: index, count: 300), samples: samples, epoch: 1,
                        incarnation: UUID())
                }
            }
        }
        let paths = FileManager.default.enumerator(atPath: root)?.allObjects as? [String] ?? []
        for path in paths where path.hasSuffix(".h5") {
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(root)/\(path)")))
            let shard = try await store.readShard(path, sha256: SHA256Text.of(bytes))
            #expect(shard.samples.count == 300)
        }
        #expect(paths.contains { $0.hasSuffix(".h5") })
        let removed = try await store.collectGarbage(published: [], olderThan: .seconds(-10), dryRun: false)
        #expect(removed.allSatisfy { $0.path.hasSuffix(".h5") || $0.path.hasSuffix(".tmp") })
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
                try Data(part).write(to: place.url("runs/part.h5"))
                let known = await #expect(throws: StoreError.self) {
                    try await place.store.readShard("runs/part.h5", sha256: file.sha256)
                }
                #expect(known?.code == .corrupt)
            }
            try Data(bytes[..<length]).write(to: place.url("runs/part.h5"))
            let error = await #expect(throws: StoreError.self) {
                try await place.store.readShard("runs/part.h5", sha256: SHA256Text.of(Array(bytes[..<length])))
            }
            #expect(error?.code == .malformed)
        }
    }
}
