#if canImport(FoundationEssentials)
internal import FoundationEssentials
internal import Glibc
#else
internal import Foundation
#endif

extension DataSet {
    /// Reads a file: `.csv` as CSV with a header row, anything else as JSON Lines.
    ///
    /// - Throws: `TaskError` with file and line.
    public static func load(path: String) throws(TaskError) -> DataSet {
        let bytes = try readFile(path, limit: Limit.fileBytes)
        guard path.lowercased().hasSuffix(".csv") else { return try DataSet(jsonl: bytes, file: path) }
        return try DataSet(jsonl: try CSVTable(bytes, file: path).jsonl(), file: path)
    }
}

/// A file's bytes.
///
/// - Throws: `TaskError` with the reason the system gives.
func readFile(_ path: String, limit: Int) throws(TaskError) -> [UInt8] {
    var isDirectory = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
        throw TaskError(.unreadableFile, "there is no such file", file: path)
    }
    guard !isDirectory else { throw TaskError(.unreadableFile, "this is a folder, not a file", file: path) }
    var status = stat()
    if stat(path, &status) == 0, Int(status.st_size) > limit {
        throw TaskError(.limitExceeded, "the file is larger than \(limit) bytes", file: path)
    }
    do {
        let data = try Data(contentsOf: URL(filePath: path))
        guard data.count <= limit else {
            throw TaskError(.limitExceeded, "the file is larger than \(limit) bytes", file: path)
        }
        return Array(data)
    } catch let error as TaskError {
        throw error
    } catch {
        throw TaskError(.unreadableFile, "can't read the file: \(error)", file: path)
    }
}
