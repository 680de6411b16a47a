import Foundation
import Glibc
import Testing

@testable import ResultStore

/// A name that may not be on the disk: only the process that could not flush the folder knows of that.
@Suite struct TemporaryFileTests {
    /// A folder in which everything can be done but flushing it.
    private final class Place {
        let path = NSTemporaryDirectory() + "/assay-names-\(UUID().uuidString)"
        /// O_PATH, which opens a place and not what is there: names can be used below it, but fsync refuses it.
        private static let onlyPlace: Int32 = 0o10_000_000

        init() throws {
            try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: false)
        }

        deinit { try? FileManager.default.removeItem(atPath: self.path) }

        func folder() throws -> Folder {
            let descriptor = open(self.path, Self.onlyPlace | O_DIRECTORY | O_CLOEXEC)
            try #require(descriptor >= 0)
            return Folder(descriptor: descriptor, path: self.path)
        }

        /// A file that is complete but for its name.
        func file(_ text: String) throws -> TemporaryFile {
            let file = try TemporaryFile(for: "name", in: try self.folder())
            try file.write(Array(text.utf8))
            try file.flush()
            return file
        }

        func put(_ text: String) throws {
            try Data(text.utf8).write(to: URL(filePath: "\(self.path)/name"))
        }

        /// All there is in the folder, by name.
        func files() throws -> [String: String] {
            var files: [String: String] = [:]
            for name in try FileManager.default.contentsOfDirectory(atPath: self.path) {
                files[name] = try String(contentsOfFile: "\(self.path)/\(name)", encoding: .utf8)
            }
            return files
        }
    }

    @Test func aNewNameIsTakenBackWhenItMayNotBeOnTheDisk() throws {
        let place = try Place()
        let error = Self.refusal { try place.file("new").commit(as: "name") }
        #expect(error?.code == .inputOutput)
        #expect(try place.files().isEmpty)
    }

    /// What others may have relied on for long does not go because a process could not write it once more.
    @Test func aNameThatWasThereBeforeStays() throws {
        let place = try Place()
        try place.put("old")
        let error = Self.refusal { try place.file("new").commit(as: "name") }
        #expect(error?.code == .inputOutput)
        #expect(try place.files() == ["name": "new"])
    }

    @Test func aNameThatIsOnlyGivenOnceIsTakenBackToo() throws {
        let place = try Place()
        let error = Self.refusal { _ = try place.file("new").commit(asNew: "name") }
        #expect(error?.code == .inputOutput)
        #expect(try place.files().isEmpty)
        try place.put("another's")
        let isGiven = try place.file("new").commit(asNew: "name")
        #expect(!isGiven)
        #expect(try place.files() == ["name": "another's"])
    }

    /// The error of the store that `body` throws.
    private static func refusal(_ body: () throws -> Void) -> StoreError? {
        #expect(throws: StoreError.self) { try body() }
    }
}
