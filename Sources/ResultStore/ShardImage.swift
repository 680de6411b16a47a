import HDF5

/// What is read of a shard's file.
enum ShardPart {
    case everything
    case samples
    /// What a job's file has a copy of.
    case copied

    func columns(of schema: ShardSchema) -> [ColumnSpecification] {
        switch self {
        case .everything: schema.columns
        case .samples: schema.sampleColumns
        case .copied: schema.columns.filter { $0.joining != .linked }
        }
    }
}

extension ShardImage {
    /// What all data sets of a file together may take in memory.
    private static let memoryLimit = 4 << 30

    /// Reads a shard's file from its bytes, which may be anybody's.
    ///
    /// Only what the schema names is opened, only in the types, layouts and filters that `make` uses, and only within
    /// `memoryLimit`; any further object makes the file invalid.
    static func read(
        _ bytes: [UInt8], part: ShardPart, name: String
    ) throws(HDF5Error) -> (header: ShardHeader, table: ColumnTable) {
        let file = try File.open(image: bytes, name: name)
        let content = try read(file, part: part)
        try file.close()
        return content
    }

    private static func read(
        _ file: borrowing File, part: ShardPart
    ) throws(HDF5Error) -> (header: ShardHeader, table: ColumnTable) {
        let root = try file.root()
        let header = try ShardHeader(reading: root)
        let schema = try readSchema(header, root)
        try checkNames(schema, root)
        guard header.schemaVersion == header.version(of: schema) else {
            throw malformed(
                "/@schema_version", "it is not \(header.version(of: schema)), which files with its columns have")
        }
        var table = ColumnTable(schema: schema)
        var budget = memoryLimit
        for column in part.columns(of: schema) {
            table[column.path] = try read(column, in: root, budget: &budget)
        }
        return (header, table)
    }

    private static func readSchema(
        _ header: ShardHeader, _ root: borrowing Group
    ) throws(HDF5Error) -> ShardSchema {
        let samples = try root.group("samples")
        guard case .texts(let columns) = try samples.attribute("column-order"), columns.count >= 8 else {
            throw malformed("/samples@column-order", "it does not name the columns")
        }
        let hasClusters = columns[3] == "cluster"
        let metrics = MetricName.metrics(in: Array(columns.dropFirst(hasClusters ? 4 : 3).dropLast(5)))
        let schema = ShardSchema(
            metrics: metrics, logitsMode: header.logitsMode, hasGenerations: try root.contains("generations"),
            hasEpochs: try root.contains("epochs"), hasClusters: hasClusters)
        guard schema.columnOrder == columns, MetricName.problem(with: metrics.map(\.name)) == nil else {
            throw malformed("/samples@column-order", "the columns \(columns) are none that are written")
        }
        return schema
    }

    /// Throws unless every group has just the objects of the schema.
    private static func checkNames(_ schema: ShardSchema, _ root: borrowing Group) throws(HDF5Error) {
        try checkNames(of: root, are: schema.groups + ["provenance"])
        for name in schema.groups {
            let group = try root.group(name)
            let columns = schema.columns.filter { $0.groups == [name] }.map(\.name)
            try checkNames(of: group, are: columns + (name == "samples" ? ["finish_reason"] : []))
        }
        try checkNames(of: try root.group(at: ["samples", "finish_reason"]), are: ["codes", "categories"])
    }

    private static func checkNames(of group: borrowing Group, are expected: [String]) throws(HDF5Error) {
        let found = try group.names(limit: expected.count)
        guard Set(found) == Set(expected) else {
            throw malformed(group.path, "it holds \(found.sorted()), expected is \(expected.sorted())")
        }
    }

    static func read(
        _ column: ColumnSpecification, in root: borrowing Group, budget: inout Int
    ) throws(HDF5Error) -> ColumnValues {
        let group = try root.group(at: column.groups)
        let dataSet = try group.dataSet(column.name)
        guard dataSet.shape.count == 1 else { throw malformed(dataSet.path, "it is not one-dimensional") }
        let limit = budget
        let values: ColumnValues =
            switch column.kind {
            case .int8: .int8(try dataSet.read(Int8.self, limit: limit))
            case .uint8: .uint8(try dataSet.read(UInt8.self, limit: limit))
            case .int32: .int32(try dataSet.read(Int32.self, limit: limit))
            case .int64: .int64(try dataSet.read(Int64.self, limit: limit))
            case .uint64: .uint64(try dataSet.read(UInt64.self, limit: limit))
            case .float32: .float32(try dataSet.read(Float.self, limit: limit))
            case .float64: .float64(try dataSet.read(Double.self, limit: limit))
            case .bool: .bool(try dataSet.readBools(limit: limit))
            case .strings: .strings(try dataSet.readStrings(limit: limit))
            }
        guard values.elementType == dataSet.type else {
            throw malformed(dataSet.path, "its strings are wider than the longest")
        }
        budget -= dataSet.byteCount
        return values
    }

    private static func malformed(_ object: String, _ detail: String) -> HDF5Error {
        HDF5Error(.malformed, operation: "reading a shard", object: object, detail: detail)
    }
}

/// The bytes of a shard's file: how they are made and read.
@HDF5Actor
enum ShardImage {
    /// Smaller data sets are stored as they are; chunks and filters would cost more than they gain.
    private static let compressionThreshold = 1024
    private static let chunkRows = 65_536
    private static let chunkBytes = 1 << 20
    private static let level = 4

    /// Makes a shard's file; the same header and columns give the same bytes.
    static func make(_ header: ShardHeader, _ table: ColumnTable) throws(HDF5Error) -> [UInt8] {
        let file = try File.createInMemory(name: "shard-\(header.shardIndex)")
        try write(header, table, into: file)
        return try file.closeToImage()
    }

    private static func write(
        _ header: ShardHeader, _ table: ColumnTable, into file: borrowing File
    ) throws(HDF5Error) {
        let root = try file.root()
        for name in ShardHeader.attributeOrder {
            if let value = header.attributes[name] { try root.setAttribute(name, value) }
        }
        try root.writeText("provenance", header.provenance)
        try Frame.makeGroups(table.schema, in: root)
        for column in table.schema.columns {
            guard let values = table[column.path] else { continue }
            try write(values, as: column, in: root)
        }
        try root.setAttribute("complete", 1)
    }

    static func write(
        _ values: ColumnValues, as column: ColumnSpecification, in root: borrowing Group
    ) throws(HDF5Error) {
        let type = values.elementType
        let isSmall = values.count * type.byteCount < compressionThreshold
        let rows = min(values.count, chunkRows, max(1, chunkBytes / type.byteCount))
        let group = try root.group(at: column.groups)
        let dataSet = try group.createDataSet(
            column.name, type: type, shape: [values.count],
            storage: isSmall ? .contiguous : .compressed(rows: rows, level: level))
        switch values {
        case .int8(let values): try dataSet.write(values.span)
        case .uint8(let values): try dataSet.write(values.span)
        case .int32(let values): try dataSet.write(values.span)
        case .int64(let values): try dataSet.write(values.span)
        case .uint64(let values): try dataSet.write(values.span)
        case .float32(let values): try dataSet.write(values.span)
        case .float64(let values): try dataSet.write(values.span)
        case .bool(let values): try dataSet.write(values)
        case .strings(let values): try dataSet.write(values)
        }
        try Frame.annotate(dataSet, as: column)
    }
}

extension Group {
    /// Opens the group at a path below this one.
    @HDF5Actor
    func group(at path: [String]) throws(HDF5Error) -> Group {
        guard let first = path.first else {
            throw HDF5Error(.notFound, operation: "opening", object: self.path, detail: "the path is empty")
        }
        let child = try self.group(first)
        return path.count == 1 ? child : try child.group(at: Array(path.dropFirst()))
    }
}

/// The groups of a result file and the attributes that make /samples a data frame for AnnData.
///
/// Encoding "dataframe" 0.2.0: https://anndata.readthedocs.io/en/stable/fileformat-prose.html
@HDF5Actor
enum Frame {
    private static let version = "0.2.0"

    /// Makes the groups that hold the columns of a schema.
    static func makeGroups(_ schema: ShardSchema, in root: borrowing Group) throws(HDF5Error) {
        let samples = try root.createGroup("samples")
        try samples.setAttribute("encoding-type", "dataframe")
        try samples.setAttribute("encoding-version", .text(version))
        try samples.setAttribute("_index", "_index")
        try samples.setAttribute("column-order", .texts(schema.columnOrder))
        let finishReason = try samples.createGroup("finish_reason")
        try finishReason.setAttribute("encoding-type", "categorical")
        try finishReason.setAttribute("encoding-version", .text(version))
        try finishReason.setAttribute("ordered", .flag(false))
        for name in schema.groups.dropFirst() {
            _ = try root.createGroup(name)
        }
    }

    /// Adds to a data set what readers need to know of it.
    static func annotate(_ dataSet: borrowing DataSet, as column: ColumnSpecification) throws(HDF5Error) {
        if column.groups.first == "samples" {
            try dataSet.setAttribute("encoding-type", column.kind == .strings ? "string-array" : "array")
            try dataSet.setAttribute("encoding-version", .text(version))
        }
        if column.name == "logprob" || column.name == "logprob_sum" {
            try dataSet.setAttribute("units", "nat")
        }
    }
}

extension ShardSchema {
    /// The groups of the root, /samples first.
    var groups: [String] {
        ["samples", "text"] + (self.hasChoices || self.hasGenerations || self.hasEpochs ? ["index"] : [])
            + (self.hasChoices ? ["choices"] : []) + (self.hasTokens ? ["tokens"] : [])
            + (self.hasGenerations ? ["generations"] : []) + (self.hasEpochs ? ["epochs"] : [])
    }
}
