import HDF5

extension Store {
    /// Compares a job's file with its shards, which were verified: every element of the copied columns, and that the
    /// virtual ones show the shards' files.
    @HDF5Actor
    func compare(
        _ file: PublishedFile, with shards: [PublishedFile], _ layout: JobLayout
    ) async throws(StoreError) -> [VerificationIssue] {
        let path = try StorePath(parsing: file.path)
        let (_, schema) = try layout.complete()
        let open = try OpenFile(in: try self.place.folder(path.folder), name: path.name)
        let image = try translating(path: file.path) { () throws(HDF5Error) in
            try File.open(descriptor: open.descriptor, byteCount: open.byteCount, name: file.path)
        }
        var differing = try translating(path: file.path) { () throws(HDF5Error) in
            try JobImage.differences(layout, digest: file.digest, in: image)
        }
        guard differing.isEmpty else { return [Self.issue(file, differing)] }
        var joiner = ShardJoiner(layout, schema)
        for shard in shards {
            await Task.yield()
            let content = try self.read(shard.path, sha256: shard.sha256, part: .copied)
            try translating(path: file.path) { () throws(HDF5Error) in
                try joiner.add(content.table, rowCount: content.header.rowCount) {
                    (column, rows, bytes) throws(HDF5Error) in
                    if try !Self.holds(bytes, column, rows: rows, image) { differing.append(column.path) }
                }
            }
        }
        try translating(path: file.path) { () throws(HDF5Error) in
            try joiner.finish { (column, rows, bytes) throws(HDF5Error) in
                if try !Self.holds(bytes, column, rows: rows, image) { differing.append(column.path) }
            }
        }
        return differing.isEmpty ? [] : [Self.issue(file, Set(differing).sorted())]
    }

    @HDF5Actor
    private static func holds(
        _ bytes: [UInt8], _ column: ColumnSpecification, rows: Range<Int>, _ file: borrowing File
    ) throws(HDF5Error) -> Bool {
        try file.root().group(at: column.groups).dataSet(column.name).readBytes(rows: rows) == bytes
    }

    private static func issue(_ file: PublishedFile, _ differing: [String]) -> VerificationIssue {
        VerificationIssue(
            .wrongContent, file,
            "\(differing.joined(separator: ", ")) are not what the shards hold; remove the file and it is built again")
    }
}
