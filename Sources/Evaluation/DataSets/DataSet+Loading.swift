internal import FoundationEssentials
internal import Glibc

extension DataSet {
    /// Reads a file: `.csv` as CSV with a header row, `.json` as a list of objects unless its lines are objects, anything
    /// else as JSON Lines.
    ///
    /// - Throws: `TaskError` with file and line.
    public static func load(path: String) throws(TaskError) -> DataSet {
        let bytes = try readFile(path, limit: Limit.fileBytes)
        let name = path.lowercased()
        if name.hasSuffix(".parquet") || bytes.starts(with: "PAR1".utf8) { throw self.parquet(path) }
        if name.hasSuffix(".csv") { return try DataSet(jsonl: try CSVTable(bytes, file: path).jsonl(), file: path) }
        let table = JSONTable(bytes, file: path)
        guard name.hasSuffix(".json"), !table.isJSONLines else { return try DataSet(jsonl: bytes, file: path) }
        return try DataSet(jsonl: try table.jsonl(), file: path)
    }

    private static func parquet(_ path: String) -> TaskError {
        TaskError(
            .unsupported,
            "this is a Parquet file, which is not read; make JSON Lines of it: python3 -c \"import sys, pandas; "
                + "pandas.read_parquet(sys.argv[1]).to_json(sys.argv[2], orient='records', lines=True)\" FILE.parquet "
                + "FILE.jsonl", file: path)
    }
}

/// A file's bytes.
///
/// - Throws: `TaskError` with the reason the system gives.
func readFile(_ path: String, limit: Int) throws(TaskError) -> [UInt8] {
    var status = stat()
    guard stat(path, &status) == 0 else {
        throw TaskError(.unreadableFile, "there is no such file", file: path)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
        throw TaskError(.unreadableFile, "this is no regular file", file: path)
    }
    guard Int(status.st_size) <= limit else {
        throw TaskError(.limitExceeded, "the file is larger than \(limit) bytes", file: path)
    }
    do {
        return Array(try Data(contentsOf: URL(filePath: path)))
    } catch {
        throw TaskError(.unreadableFile, "can't read the file: \(error)", file: path)
    }
}
