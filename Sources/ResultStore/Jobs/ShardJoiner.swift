import HDF5

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
