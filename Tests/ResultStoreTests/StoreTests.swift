import Foundation
import ResultStore
import Testing

@Suite struct StoreTests {
    private static func refusal(_ root: String, access: Store.Access = .readWrite) async -> StoreError? {
        await #expect(throws: StoreError.self) { _ = try await Store(root: root, access: access) }
    }

    @Test func aNewStoreHasItsFolders() async throws {
        let place = try await TemporaryStore()
        let names = try FileManager.default.contentsOfDirectory(atPath: place.path).sorted()
        #expect(names == [".assay-store", "datasets", "reports", "runs"])
        _ = try await Store(root: place.path)
        _ = try await Store(root: place.path, access: .read)
    }

    @Test func aFolderThatCannotBeTheStoreIsRefusedWithItsNameAndARemedy() async throws {
        let place = try await TemporaryStore()
        try Data("x".utf8).write(to: place.url("file"), options: .atomic)
        for root in ["\(place.path)/file", "\(place.path)/not/there", "\(place.path)/file/below", "/proc/assay-store"] {
            let error = await Self.refusal(root)
            #expect(error?.code == .unusableStore)
            let made = await #expect(throws: StoreError.self) { try await Store.create(root: root) }
            #expect(made?.code == .unusableStore)
            #expect(error?.path == root && error?.message.contains("ASSAY_STORE") == true)
        }
        #expect(await Self.refusal("\(place.path)/missing", access: .read)?.code == .unusableStore)
        #expect(!FileManager.default.fileExists(atPath: "\(place.path)/missing"))
    }

    @Test func aDataSetIsStoredOnceUnderItsHash() async throws {
        let place = try await TemporaryStore()
        let bytes = Array(#"{"question":"1+1"}"#.utf8)
        let sha256 = try await place.store.importDataSet(bytes: bytes)
        #expect(sha256 == "a4b6b6cd46891452cca195890d33a35bb0fe5fdb1c29b28be3421d650b3a32be")
        #expect(place.files() == ["datasets/\(sha256).jsonl"])
        #expect(try await place.store.dataSet(sha256: sha256) == bytes)
        try Data(bytes).write(to: place.url("source"), options: .atomic)
        #expect(try await place.store.importDataSet(file: "\(place.path)/source") == sha256)
        #expect(try await place.store.importDataSet(bytes: bytes) == sha256)
        #expect(place.files() == ["datasets/\(sha256).jsonl", "source"])
    }

    @Test func aDamagedDataSetIsNeitherReadNorTakenForGood() async throws {
        let place = try await TemporaryStore()
        let bytes = Array(repeating: UInt8(65), count: 3_000_000)
        let sha256 = try await place.store.importDataSet(bytes: bytes)
        try Data(bytes.dropLast()).write(to: place.url("datasets/\(sha256).jsonl"), options: .atomic)
        for attempt in 0..<2 {
            let error = await #expect(throws: StoreError.self) {
                if attempt == 0 {
                    _ = try await place.store.dataSet(sha256: sha256)
                } else {
                    _ = try await place.store.importDataSet(bytes: bytes)
                }
            }
            #expect(error?.code == .corrupt)
        }
    }

    @Test func aMissingDataSetAndAMissingSourceAreSaidToBe() async throws {
        let place = try await TemporaryStore()
        let unknown = await #expect(throws: StoreError.self) {
            try await place.store.dataSet(sha256: String(repeating: "0", count: 64))
        }
        #expect(unknown?.code == .missing)
        let noHash = await #expect(throws: StoreError.self) { try await place.store.dataSet(sha256: "../../etc") }
        #expect(noHash?.code == .invalidInput)
        let source = await #expect(throws: StoreError.self) { try await place.store.importDataSet(file: "/not/there") }
        #expect(source?.code == .missing)
        let folder = await #expect(throws: StoreError.self) { try await place.store.importDataSet(file: place.path) }
        #expect(folder?.code == .malformed)
        #expect(place.files().isEmpty)
    }

    @Test func manyImportsOfOneDataSetAtOnceEndInOneFile() async throws {
        let place = try await TemporaryStore()
        let bytes = Array(repeating: UInt8(66), count: 500_000)
        let store = place.store
        let hashes = try await withThrowingTaskGroup(of: String.self, returning: Set<String>.self) { group in
            for _ in 0..<8 {
                group.addTask { try await store.importDataSet(bytes: bytes) }
            }
            return try await group.reduce(into: []) { $0.insert($1) }
        }
        #expect(hashes.count == 1 && place.files().count == 1)
    }
}
