import Foundation

/// A folder that lasts as long as a test's use of it.
final class Folder: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "reporting-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        self.path = url.path(percentEncoded: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: self.path) }

    func entries(_ path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(self.path)/\(path)").sorted()
    }

    func read(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: "\(self.path)/\(path)")))
    }

    func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: "\(self.path)/\(path)"), options: .atomic)
    }

    func remove(_ path: String) throws {
        try FileManager.default.removeItem(atPath: "\(self.path)/\(path)")
    }
}
