import HDF5

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
