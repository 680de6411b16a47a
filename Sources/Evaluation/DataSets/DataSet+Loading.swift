#if canImport(FoundationEssentials)
internal import FoundationEssentials
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
    guard FileManager.default.fileExists(atPath: path) else {
        throw TaskError(.unreadableFile, "there is no such file", file: path)
    }
    do {
        let attributes = try FileManager.default.attributesOfItem(
            atPath: URL(filePath: path).resolvingSymlinksInPath().path)
        guard attributes[.type] as? FileAttributeType == .typeRegular else {
            throw TaskError(.unreadableFile, "this is no regular file", file: path)
        }
        let size = (attributes[.size] as? UInt64).map(Int.init(clamping:)) ?? attributes[.size] as? Int ?? .max
        guard size <= limit else {
            throw TaskError(.limitExceeded, "the file is larger than \(limit) bytes", file: path)
        }
        return Array(try Data(contentsOf: URL(filePath: path)))
    } catch let error as TaskError {
        throw error
    } catch {
        throw TaskError(.unreadableFile, "can't read the file: \(error)", file: path)
    }
}
