import HDF5

extension Store {
    /// Reads every column through the job's file and compares it with the shards.
    @HDF5Actor
    func compare(
        _ file: PublishedFile, with shards: [PublishedFile]
    ) async throws(StoreError) -> [VerificationIssue] {
        let path = try self.absolutePath(file.path)
        var issues: [VerificationIssue] = []
        var starts: [String: Int] = [:]
        for shard in shards {
            await Task.yield()
            let table = try self.read(shard.path, sha256: shard.sha256, part: .everything).table
            let differing = try translating(path: file.path) { () throws(HDF5Error) in
                try Self.differing(path, table, starts: &starts)
            }
            for column in differing {
                issues.append(.init(.wrongContent, file, "\(column) does not show what \(shard.path) holds"))
            }
        }
        return issues
    }

    /// The columns of which a shard's part is not seen through the job's file; moves `starts` on behind it.
    @HDF5Actor
    private static func differing(
        _ path: String, _ table: ColumnTable, starts: inout [String: Int]
    ) throws(HDF5Error) -> [String] {
        let file = try File.open(path: path)
        var differing: [String] = []
        for (column, values) in try self.columns(table, seenThrough: file) {
            let start = starts[column.path, default: 0]
            starts[column.path] = start + values.count
            if try !self.shows(file, column, values, from: start) { differing.append(column.path) }
        }
        try file.close()
        return differing
    }

    /// A shard's columns as the job's file must show them: with weights of 1 where only other shards have weights.
    @HDF5Actor
    private static func columns(
        _ table: ColumnTable, seenThrough file: borrowing File
    ) throws(HDF5Error) -> [(ColumnSpecification, ColumnValues)] {
        var columns: [(ColumnSpecification, ColumnValues)] = []
        for column in table.schema.columns where column.joining == .concatenated {
            if let values = table[column.path] { columns.append((column, values)) }
        }
        let samples = try file.root().group("samples")
        let rows = table["/samples/row"]?.count ?? 0
        for metric in table.schema.metrics where !metric.hasWeights {
            guard try samples.contains(metric.weightName) else { continue }
            let ones = ColumnValues.float64([Double](repeating: 1, count: rows))
            columns.append((ColumnSpecification("/samples/\(metric.weightName)", .float64), ones))
        }
        return columns
    }

    @HDF5Actor
    private static func shows(
        _ file: borrowing File, _ column: ColumnSpecification, _ values: ColumnValues, from start: Int
    ) throws(HDF5Error) -> Bool {
        let root = try file.root()
        let group = try root.group(at: column.groups)
        let dataSet = try group.dataSet(column.name, allowVirtual: true)
        guard start + values.count <= dataSet.count else { return false }
        let found = try dataSet.readBytes(rows: start..<start + values.count)
        if case .strings(let strings) = values, case .string(let width) = dataSet.type {
            guard width >= values.elementType.byteCount else { return false }
            let expected = try FixedStrings.pack(strings, width: width, on: column.path)
            return found == expected
        }
        let expected = try values.bytes(on: column.path)
        return dataSet.type == values.elementType && found == expected
    }
}
