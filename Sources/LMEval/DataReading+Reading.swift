internal import ConfigFile
internal import Datasets
internal import Evaluation
internal import JSON
internal import OrderedCollections

extension DataReading {
    /// Reads `dataset_kwargs` of files: which they are, and how they are read.
    static func read(
        _ format: Format, _ arguments: ConfigurationNode
    ) throws(TaskError) -> (DataReading, files: OrderedDictionary<String, [String]>) {
        var reader = try MappingReader(arguments, name: "dataset_kwargs")
        let example = "such as data_files: {test: questions.jsonl}"
        guard let files = reader.node("data_files") else { throw reader.missing("data_files", "write it \(example)") }
        var reading = DataReading(format: format)
        reading.typing = try reader.choice("typing", of: Typing.self) ?? .datasets
        switch format {
        case .json: reading.field = try reader.string("field")
        case .csv: try reading.dialect.read(&reader)
        }
        // What the loaders would do anyway.
        if let encoding = reader.node("encoding") {
            guard case .scalar(.string(let name)) = encoding.content,
                ["utf8", "utf8sig", "utf16"].contains(name.lowercased().filter { $0 != "-" && $0 != "_" })
            else {
                throw reader.wrong(
                    "encoding", encoding, "utf-8 or utf-16; convert other files (iconv -f LATIN1 -t UTF-8)")
            }
        }
        try reader.finish(refused: [
            "data_dir": "name the files in data_files", "features": "columns are typed by their values",
        ])
        switch files.content {
        // Files without a split are the split "train", as in the library that lm-eval uses.
        case .scalar, .list: return (reading, ["train": try Self.paths(files, "data_files")])
        case .mapping(let members):
            var paths: OrderedDictionary<String, [String]> = [:]
            for member in members { paths[member.key] = try Self.paths(member.node, "the split \(member.key)") }
            return (reading, paths)
        case .function:
            throw files.error(
                .invalidValue, "data_files is \(files.found); it must be a path or split: path, \(example)")
        }
    }

    /// One file's path, or several.
    private static func paths(_ node: ConfigurationNode, _ name: String) throws(TaskError) -> [String] {
        let nodes = if case .list(let nodes) = node.content { nodes } else { [node] }
        var paths: [String] = []
        for node in nodes {
            guard case .scalar(.string(let path)) = node.content, !path.isEmpty else {
                throw node.error(.invalidValue, "\(name) is \(node.found); it must be a file's path, or a list of such")
            }
            paths.append(path)
        }
        guard !paths.isEmpty else { throw node.error(.invalidValue, "\(name) names no file") }
        return paths
    }

    /// Reads what canonical JSON says of how the rows were made.
    init(resolved reader: inout MappingReader) throws(TaskError) {
        self.init()
        guard let arguments = reader.node("dataset_kwargs") else { return }
        var reader = try MappingReader(arguments, name: "dataset_kwargs")
        self.typing = try reader.choice("typing", of: Typing.self) ?? .datasets
        try reader.finish()
    }
}

extension CSVDialect {
    /// Reads those arguments of pandas' `read_csv` that are known here.
    mutating func read(_ reader: inout MappingReader) throws(TaskError) {
        for key in ["sep", "delimiter"] {
            guard let node = reader.node(key) else { continue }
            guard case .scalar(.string(let text)) = node.content, text.utf8.count == 1, let byte = text.utf8.first,
                byte < 0x80, ![UInt8(ascii: "\""), UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0].contains(byte)
            else { throw reader.wrong(key, node, "one character, such as \",\", \";\" or \"\\t\"") }
            self.separator = byte
        }
        if let keeps = try reader.boolean("keep_default_na") {
            (self.hasNullWords, self.hasEmptyNulls) = (keeps, keeps)
        }
        if try reader.boolean("na_filter") == false { (self.hasNullWords, self.hasEmptyNulls) = (false, false) }
    }
}
