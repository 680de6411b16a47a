import HDF5

/// The list of a job's shards in the job's file, /shards: what it was made of, and the files of its virtual data sets,
/// which do not tell themselves that a file is missing.
struct JobManifest: Sendable, Hashable {
    struct Entry: Sendable, Hashable {
        let file: String
        let bytes: Int
        let sha256: String
        let digest: String
        let rowStart: Int
        let rowCount: Int
    }

    let entries: [Entry]

    init(_ entries: [Entry]) {
        self.entries = entries
    }

    private static let columns: [ColumnSpecification] = [
        .init("/shards/file", .strings), .init("/shards/bytes", .int64), .init("/shards/sha256", .strings),
        .init("/shards/digest", .strings), .init("/shards/row_start", .int64), .init("/shards/row_count", .int64),
    ]

    @HDF5Actor
    func write(in root: borrowing Group) throws(HDF5Error) {
        _ = try root.createGroup("shards")
        let values: [ColumnValues] = [
            .strings(self.entries.map(\.file)), .int64(self.entries.map { Int64($0.bytes) }),
            .strings(self.entries.map(\.sha256)), .strings(self.entries.map(\.digest)),
            .int64(self.entries.map { Int64($0.rowStart) }), .int64(self.entries.map { Int64($0.rowCount) }),
        ]
        for (column, values) in zip(Self.columns, values) {
            try ShardImage.write(values, as: column, in: root)
        }
    }

    /// Reads the list, and nothing else, from a job's file; throws `malformed` if it is no complete one.
    @HDF5Actor
    init(descriptor: Int32, byteCount: Int, name: String) throws(HDF5Error) {
        let file = try File.open(descriptor: descriptor, byteCount: byteCount, name: name)
        self = try Self.read(file)
        try file.close()
    }

    @HDF5Actor
    private static func read(_ file: borrowing File) throws(HDF5Error) -> JobManifest {
        let root = try file.root()
        let attributes = try AttributeReader(root, names: ["format", "schema_version", "complete"])
        guard try attributes.text("format") == JobImage.format, try attributes.integer("complete") == 1,
            try attributes.integer("schema_version") == JobImage.schemaVersion
        else { throw malformed("/", "this is no complete job file of this version") }
        var budget = 1 << 30
        var strings: [[String]] = []
        var numbers: [[Int]] = []
        for column in Self.columns {
            switch try ShardImage.read(column, in: root, budget: &budget) {
            case .strings(let values): strings.append(values)
            case .int64(let values): numbers.append(values.map { Int($0) })
            default: throw malformed(column.path, "it has another type")
            }
        }
        let counts = Set(strings.map(\.count) + numbers.map(\.count))
        guard counts.count == 1, let count = counts.first, strings.count == 3, numbers.count == 3 else {
            throw malformed("/shards", "its columns differ in length")
        }
        return JobManifest(
            (0..<count).map { index in
                Entry(
                    file: strings[0][index], bytes: numbers[0][index], sha256: strings[1][index],
                    digest: strings[2][index], rowStart: numbers[1][index], rowCount: numbers[2][index])
            })
    }

    /// Whether these are just the given files, in order, and all in this folder.
    func lists(_ files: [PublishedFile], in folder: [String]) -> Bool {
        let folder = folder.joined(separator: "/")
        return self.entries.count == files.count
            && zip(self.entries, files).allSatisfy { entry, file in
                file.path == "\(folder)/\(entry.file)" && file.bytes == entry.bytes && file.sha256 == entry.sha256
                    && file.digest == entry.digest
            }
    }

    private static func malformed(_ object: String, _ detail: String) -> HDF5Error {
        HDF5Error(.malformed, operation: "reading a job's file", object: object, detail: detail)
    }
}
