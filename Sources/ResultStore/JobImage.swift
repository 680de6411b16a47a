internal import Datasets
import Evaluation
import HDF5

/// A job's file: the columns of its shards joined, in the groups and with the attributes of a shard's file.
///
/// All of /samples, /choices and /index, and all offsets, are copies, so that the file says the same wherever it is.
/// Texts, token ids and log-probabilities are virtual data sets over the shards' files, which stand in the same folder;
/// the attribute `where_missing` of each says what they show where a shard's file is not found or cannot be opened.
/// Numbers and ids lie uncompressed and in one piece, because analysts read whole columns; longer strings and text are
/// compressed.
@HDF5Actor
enum JobImage {
    static let format = "assay-job"
    /// 1 had virtual data sets only, which showed 0 where a shard's file could not be opened.
    static let schemaVersion = 2
    private static let level = 4
    /// Strings that are wider than this are compressed: most of the padding of a column is then zeros.
    private static let widestPlain = 64

    /// Writes all but the copied columns' elements, for which it makes the data sets.
    static func writeFrame(_ layout: JobLayout, digest: String, into file: borrowing File) throws(HDF5Error) {
        guard let header = layout.header, let schema = layout.schema else { return }
        let root = try file.root()
        for (name, value) in attributes(of: layout, header, digest: digest) { try root.setAttribute(name, value) }
        try root.writeText("provenance", header.provenance)
        try JobManifest(layout.manifest).write(in: root)
        try Frame.makeGroups(schema, in: root)
        for column in schema.columns {
            switch column.joining {
            case .constant:
                try ShardImage.write(.strings(FinishReason.categories.map(\.rawValue)), as: column, in: root)
            case .linked: try self.link(column, layout, in: root)
            case .concatenated, .offsets:
                let (type, count) = (layout.type(of: column), layout.count(of: column))
                let group = try root.group(at: column.groups)
                let dataSet = try group.createDataSet(
                    column.name, type: type, shape: [count], storage: self.storage(of: type, count: count))
                try Frame.annotate(dataSet, as: column)
            }
        }
    }

    /// Marks the file as whole; the last thing that is written.
    static func complete(_ file: borrowing File) throws(HDF5Error) {
        try file.root().setAttribute("complete", 1)
    }

    /// What of the file is not as the layout says, but for the elements of the copied columns.
    static func differences(_ layout: JobLayout, digest: String, in file: borrowing File) throws(HDF5Error) -> [String]
    {
        guard let header = layout.header, let schema = layout.schema else { return ["/"] }
        let root = try file.root()
        var differences: [String] = []
        for (name, value) in attributes(of: layout, header, digest: digest)
        where try root.attribute(name) != value { differences.append("/@\(name)") }
        if try root.text("provenance", limit: ShardHeader.provenanceLimit) != header.provenance {
            differences.append("/provenance")
        }
        for column in schema.columns where column.joining != .constant {
            let isSame = try self.isSame(column, layout, in: root)
            if !isSame { differences.append(column.path) }
        }
        return differences
    }

    /// Whether a data set has the place, type, length and, if it is virtual, the sources that it should have.
    private static func isSame(
        _ column: ColumnSpecification, _ layout: JobLayout, in root: borrowing Group
    ) throws(HDF5Error) -> Bool {
        let group = try root.group(at: column.groups)
        guard try group.contains(column.name) else { return false }
        let dataSet = try group.dataSet(column.name, allowVirtual: true)
        let sources = try dataSet.virtualSources()
        let type = layout.type(of: column)
        guard column.joining == .linked else {
            return sources == nil && dataSet.type == type && dataSet.shape == [layout.count(of: column)]
        }
        let expected = layout.sources(of: column)
        if expected.isEmpty { return sources == nil && dataSet.type == type && dataSet.shape == [0] }
        return dataSet.type == type && sources == expected
    }

    private static func link(
        _ column: ColumnSpecification, _ layout: JobLayout, in root: borrowing Group
    ) throws(HDF5Error) {
        let group = try root.group(at: column.groups)
        let sources = layout.sources(of: column)
        guard !sources.isEmpty, let fill = column.fill else {
            let empty = try group.createDataSet(column.name, type: layout.type(of: column), shape: [0])
            return try Frame.annotate(empty, as: column)
        }
        let dataSet = try group.createVirtualDataSet(
            column.name, type: layout.type(of: column), sources: sources, fill: fill)
        try dataSet.setAttribute(
            "where_missing",
            .text(
                "\(fill.isNaN ? "NaN" : "\(Int(fill))"): the shard's file, which /shards names, is not beside this one, or "
                    + "too many files are open"))
        try Frame.annotate(dataSet, as: column)
    }

    private static func storage(of type: ElementType, count: Int) -> HDF5.DataSet.Storage {
        let isText =
            switch type {
            case .uint8: true
            case .string(let width): width > widestPlain
            default: false
            }
        guard isText, count > 0 else { return .contiguous }
        return .compressed(rows: min(count, ShardJoiner.rows(of: type)), level: level)
    }

    private static func attributes(
        of layout: JobLayout, _ header: ShardHeader, digest: String
    ) -> [(String, AttributeValue)] {
        var attributes: [(String, AttributeValue)] = [
            ("format", .text(format)), ("schema_version", .integer(schemaVersion)), ("run_id", .text(header.runID)),
            ("job_id", .text(header.jobID)), ("digest", .text(digest)),
            ("shard_count", .integer(layout.manifest.count)), ("row_start", .integer(header.rowStart)),
            ("row_count", .integer(layout.rowCount)), ("model_sha256", .text(header.modelSHA256)),
            ("tokenizer_sha256", .text(header.tokenizerSHA256)), ("dataset_sha256", .text(header.datasetSHA256)),
            ("task_hash", .text(header.taskHash)), ("engine", .text(header.engine)),
            // One value where all are equal, else all there are.
            ("engine_build", .text(layout.engineBuilds.sorted().joined(separator: ", "))),
            ("device_kind", .text(layout.deviceKinds.sorted().joined(separator: ", "))),
            ("logits_mode", .text(header.logitsMode.rawValue)),
        ]
        if let promptsHash = layout.promptsHash {
            attributes.append(("engine_settings", .text(layout.engineSettings.sorted().joined(separator: "; "))))
            attributes.append(("prompts_hash", .text(promptsHash)))
        }
        if !layout.reusedFrom.isEmpty {
            attributes.append((ShardHeader.reusedFromName, .text(ShardHeader.text(layout.reusedFrom))))
        }
        return attributes
    }
}

/// Joins the copied columns of a job's shards and gives them out in parts of about a megabyte, so that no more than that
/// and one shard is in memory.
///
/// The parts of a column follow each other and begin at multiples of its chunk.
struct ShardJoiner {
    /// Takes a part of a column: its rows in the job's file and their bytes.
    typealias Sink = (ColumnSpecification, Range<Int>, [UInt8]) throws(HDF5Error) -> Void

    /// One column on its way.
    fileprivate struct Column {
        let specification: ColumnSpecification
        let type: ElementType
        /// How many elements it has in the job's file.
        let count: Int
        /// How many elements are given out at a time.
        let rows: Int
        var start = 0
        var bytes: [UInt8] = []
        /// The last offset of the shards before.
        var base: UInt64 = 0
    }

    private var columns: [Column]

    /// How many elements of a type are given out at a time: about a megabyte.
    static func rows(of type: ElementType) -> Int { max(1, (1 << 20) / type.byteCount) }

    init(_ layout: JobLayout, _ schema: ShardSchema) {
        self.columns = schema.columns.filter { $0.joining == .concatenated || $0.joining == .offsets }.map { column in
            let type = layout.type(of: column)
            return Column(
                specification: column, type: type, count: layout.count(of: column), rows: Self.rows(of: type))
        }
    }

    /// Adds a shard, of which the copied columns were read.
    mutating func add(
        _ table: ColumnTable, rowCount: Int, _ sink: Sink
    ) throws(HDF5Error) {
        for index in self.columns.indices {
            try self.columns[index].append(table, rowCount: rowCount)
            try self.columns[index].giveOut(atLeast: self.columns[index].rows, sink)
        }
    }

    /// Gives out what is left; throws unless every column is then full, for what is not written reads as 0.
    mutating func finish(_ sink: Sink) throws(HDF5Error) {
        for index in self.columns.indices {
            try self.columns[index].giveOut(atLeast: 1, sink)
            let (column, path) = (self.columns[index], self.columns[index].specification.path)
            guard column.start == column.count else {
                throw HDF5Error(
                    .malformed, operation: "joining shards", object: path,
                    detail: "the shards have \(column.start) of its \(column.count) elements")
            }
        }
    }
}

extension ShardJoiner.Column {
    fileprivate mutating func append(_ table: ColumnTable, rowCount: Int) throws(HDF5Error) {
        let path = self.specification.path
        if self.specification.joining == .offsets {
            // Texts of something that the shard has none of have no offsets, but every sample has.
            let none = [UInt64](repeating: 0, count: self.specification.groups == ["index"] ? rowCount + 1 : 1)
            var offsets = none
            if case .uint64(let found) = table[path] { offsets = found }
            let isFirst = self.start == 0 && self.bytes.isEmpty
            let base = self.base
            let moved = (isFirst ? offsets[...] : offsets.dropFirst()).map { base + $0 }
            self.base += offsets.last ?? 0
            self.bytes += try ColumnValues.uint64(moved).bytes(on: path)
        } else if case .string(let width) = self.type {
            var strings = [String](repeating: "", count: rowCount)
            if case .strings(let found) = table[path] { strings = found }
            self.bytes += try FixedStrings.pack(strings, width: width, on: path)
        } else if let values = table[path] {
            self.bytes += try values.bytes(on: path)
        } else if self.specification.groups == ["samples"] {
            // Of the numbers in /samples only weights can be missing, where all are 1.
            self.bytes += try ColumnValues.float64([Double](repeating: 1, count: rowCount)).bytes(on: path)
        }
    }

    fileprivate mutating func giveOut(atLeast minimum: Int, _ sink: ShardJoiner.Sink) throws(HDF5Error) {
        let width = self.type.byteCount
        var taken = 0
        while (self.bytes.count - taken) / width >= minimum {
            let count = min(self.rows, (self.bytes.count - taken) / width)
            let part = Array(self.bytes[taken..<taken + count * width])
            try sink(self.specification, self.start..<self.start + count, part)
            self.start += count
            taken += count * width
        }
        self.bytes.removeFirst(taken)
    }
}
