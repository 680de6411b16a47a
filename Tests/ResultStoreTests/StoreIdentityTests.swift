import Evaluation
import Foundation
import Glibc
import Testing

@testable import ResultStore

/// A store is what says that it is one, and nothing is written in any other folder.
@Suite struct StoreIdentityTests {
    private static func names(_ path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }

    private static func publish(in store: Store) async throws -> PublishedFile {
        try await store.publishShard(
            .sample(count: 3), samples: SampleResult.random(3, seed: 1), epoch: 1, incarnation: UUID())
    }

    private static func refusal(_ body: () async throws -> Void) async -> StoreError? {
        await #expect(throws: StoreError.self) { try await body() }
    }

    @Test func aFolderThatIsNoStoreIsRefusedAndStaysAsItIs() async throws {
        let path = NSTemporaryDirectory() + "/assay-no-store-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        for access in [Store.Access.read, .readWrite] {
            #expect(await Self.refusal { _ = try await Store(root: path, access: access) }?.code == .unusableStore)
        }
        #expect(!FileManager.default.fileExists(atPath: path))
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        for access in [Store.Access.read, .readWrite] {
            let error = await Self.refusal { _ = try await Store(root: path, access: access) }
            #expect(error?.code == .unusableStore && error?.message.contains("`assay store adopt`") == true)
        }
        #expect(try Self.names(path).isEmpty)
        let adopted = try await Store.adopt(root: path, database: UUID())
        #expect(try await Store(root: path).identity == adopted.identity)
    }

    @Test func makingAStoreAgainFindsIt() async throws {
        let place = try await TemporaryStore()
        let known = place.store.identity
        #expect(known.database == nil)
        #expect(try await Store.create(root: place.path).identity == known)
        let made = try await withThrowingTaskGroup(of: StoreIdentity.self, returning: Set<StoreIdentity>.self) {
            group in
            let path = "\(place.path)-together"
            for _ in 0..<8 { group.addTask { try await Store.create(root: path).identity } }
            defer { try? FileManager.default.removeItem(atPath: path) }
            return try await group.reduce(into: []) { $0.insert($1) }
        }
        #expect(made.count == 1)
    }

    @Test func whatIsNoIdentityIsNotTakenForOne() async throws {
        let place = try await TemporaryStore()
        for text in ["", "{}", "[]", #"{"format":"assay-store"}"#, #"{"format":"x","uuid":"\#(UUID())"}"#] {
            try FileManager.default.removeItem(at: place.url(".assay-store"))
            try Data(text.utf8).write(to: place.url(".assay-store"), options: .atomic)
            #expect(await Self.refusal { _ = try await Store(root: place.path) }?.code == .malformed, "\(text)")
        }
    }

    /// A file system that is unmounted leaves the folder below it; one that is mounted again is another descriptor.
    @Test func nothingIsWrittenWhileAnotherFolderLiesAtTheStoresPlace() async throws {
        let place = try await TemporaryStore()
        let first = try await Self.publish(in: place.store)
        let before = place.files()
        let away = "\(place.path)-away"
        defer { try? FileManager.default.removeItem(atPath: away) }
        #expect(rename(place.path, away) == 0)
        func expectRefusals() async {
            #expect(await Self.refusal { _ = try await Self.publish(in: place.store) }?.code == .unavailableStore)
            #expect(
                await Self.refusal { _ = try await place.store.importDataSet(bytes: [1]) }?.code == .unavailableStore)
            #expect(
                await Self.refusal {
                    _ = try await place.store.collectGarbage(olderThan: .zero, dryRun: false) { $0 }
                }?.code == .unavailableStore)
        }
        await expectRefusals()
        #expect(!FileManager.default.fileExists(atPath: place.path))
        try FileManager.default.createDirectory(atPath: place.path, withIntermediateDirectories: false)
        await expectRefusals()
        #expect(try Self.names(place.path).isEmpty)
        #expect(rmdir(place.path) == 0)
        _ = try await Store.create(root: place.path)
        await expectRefusals()
        #expect(place.files().isEmpty)
        try FileManager.default.removeItem(atPath: place.path)
        // What is read meanwhile comes from the store that was opened.
        _ = try await place.store.readShard(first.path, sha256: first.sha256)
        #expect(rename(away, place.path) == 0)
        #expect(place.files() == before)
        _ = try await Self.publish(in: place.store)
        #expect(place.files().count == before.count + 1)
    }

    @Test func theSameStoreAtItsPlaceAgainIsOpenedAgain() async throws {
        let place = try await TemporaryStore()
        let copy = "\(place.path)-mounted"
        defer { try? FileManager.default.removeItem(atPath: copy) }
        try FileManager.default.copyItem(atPath: place.path, toPath: copy)
        try FileManager.default.removeItem(atPath: place.path)
        #expect(rename(copy, place.path) == 0)
        let file = try await Self.publish(in: place.store)
        #expect(place.files() == [file.path])
    }

    @Test func aStoreThatAnotherDatabaseAdoptedIsNotWrittenAnyMore() async throws {
        let place = try await TemporaryStore()
        let (ours, theirs) = (UUID(), UUID())
        let store = try await Store.adopt(root: place.path, database: ours)
        _ = try await Self.publish(in: store)
        let before = place.files()
        let other = try await Store.adopt(root: place.path, database: theirs)
        #expect(other.identity == StoreIdentity(store: store.identity.store, database: theirs))
        let error = await Self.refusal { _ = try await Self.publish(in: store) }
        #expect(error?.code == .unusableStore && error?.message.contains("`assay store adopt`") == true)
        #expect(place.files() == before)
        _ = try await Self.publish(in: other)
    }

    // MARK: Several users

    /// What others may do in the root, they may do everywhere in the store, whatever the umask of who writes.
    @Test(arguments: [0o2775, 0o2770, 0o755, 0o700] as [mode_t])
    func whatOthersMayDoIsHandedDownUnderAnyUmask(mode: mode_t) async throws {
        let root = NSTemporaryDirectory() + "/assay-modes-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: false)
        #expect(chmod(root, mode) == 0)
        await #expect(processExitsWith: .success) { [root = root as String] in
            umask(0o077)
            let store = try await Store.create(root: root)
            _ = try await store.importDataSet(bytes: [1, 2, 3])
            let samples = SampleResult.random(3, seed: 1)
            let file = try await store.publishShard(.sample(count: 3), samples: samples, epoch: 1, incarnation: UUID())
            _ = try await store.buildJobFile(runID: "k3f9m2ab", jobID: "k3f9m2ab.1", shards: [file])
        }
        let all = FileManager.default.enumerator(atPath: root)?.allObjects as? [String] ?? []
        #expect(all.count == 9, "\(all)")
        for path in all {
            var status = stat()
            #expect(lstat("\(root)/\(path)", &status) == 0)
            let expected = status.isFolder ? mode : mode & 0o444
            #expect(status.st_mode & 0o7777 == expected, "\(path): \(String(status.st_mode, radix: 8))")
        }
    }
}
