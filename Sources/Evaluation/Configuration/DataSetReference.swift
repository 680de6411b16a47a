/// A data set that a task file names, as on the Hugging Face Hub; where its rows are is a catalog's business.
public struct DataSetReference: Sendable, Hashable, CustomStringConvertible {
    /// The task file's `dataset_path`: "allenai/ai2_arc".
    public var path: String
    /// The task file's `dataset_name`: "ARC-Easy".
    public var name: String?

    public init(path: String, name: String? = nil) {
        self.path = path
        self.name = name
    }

    public var description: String { self.name.map { "\(self.path) (\($0))" } ?? self.path }

    /// What `dataset_path` may be without being a data set's name: how files are to be read.
    public static let fileFormats: Set<String> = ["arrow", "csv", "json", "parquet", "text"]
}

extension DataSetReference {
    /// Reads what else a task file says of the data set `path`.
    init(_ path: String, _ reader: inout MappingReader, notes: inout [String]) throws(TaskError) {
        self.init(path: path, name: try reader.string("dataset_name"))
        guard let arguments = reader.node("dataset_kwargs") else { return }
        guard case .mapping(let members) = arguments.content else {
            throw reader.wrong("dataset_kwargs", arguments, "a mapping (key: value)")
        }
        guard !members.isEmpty else { return }
        notes.append(
            "dataset_kwargs (\(members.map(\.key).joined(separator: ", "))) has no effect: the rows are those that are "
                + "registered as \(self)")
    }
}
