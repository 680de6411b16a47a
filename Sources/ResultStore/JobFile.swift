import Evaluation
import Glibc
import HDF5

extension Store {
    /// Makes the one file over all shards of a job, named by the job's digest, unless it is there.
    ///
    /// `shards` are all shards of the job in the order of their numbers; each is read and verified, or, where the file is
    /// there, looked for with its size. Throws `missing` or `corrupt` for a shard that is not as published,
    /// `invalidInput` if they are not one whole job. The shards pass through memory one by one.
    public func buildJobFile(
        runID: String, jobID: String, shards: [PublishedFile]
    ) async throws(StoreError) -> PublishedFile {
        try await self.build(run: runID, job: jobID, shards)
    }

    /// Whether a file over all shards of a job is there, whatever is in it.
    @HDF5Actor
    public func hasJobFile(runID: String, jobID: String, shards: [PublishedFile]) throws(StoreError) -> Bool {
        let path = try Layout.jobFile(run: runID, job: jobID, digest: Self.jobDigest(shards.map(\.digest)))
        return try self.place.folder(path.folder).status(path.name) != nil
    }

    @HDF5Actor
    private func build(run: String, job: String, _ files: [PublishedFile]) async throws(StoreError) -> PublishedFile {
        let digest = Self.jobDigest(files.map(\.digest))
        let path = try Layout.jobFile(run: run, job: job, digest: digest)
        if let existing = try self.existing(path, digest: digest, shards: files) { return existing }
        var layout = JobLayout(run: run, job: job)
        for file in files {
            // Others may use the thread between two shards.
            await Task.yield()
            let content = try self.read(file.path, sha256: file.sha256, part: .everything)
            let found = try Self.digest(content.header, content.table, path: file.path)
            guard found == file.digest else {
                throw StoreError(
                    .corrupt, path: file.path, "the shard's logical digest is \(found), published was \(file.digest).")
            }
            // Decoding checks every offset before they are joined.
            _ = try content.table.samples(content.header)
            try layout.add(file, content.header, content.table)
        }
        try self.place.check()
        let folder = try self.place.folder(path.folder, create: true)
        let temporary = try TemporaryFile(for: path.name, in: folder)
        try await self.write(layout, of: files, digest: digest, to: temporary.descriptor, path: path.text)
        try temporary.flush()
        let written = try folder.sha256(temporary.name)
        guard
            try Self.manifest(temporary.descriptor, byteCount: written.bytes, path: path.text).lists(
                files, in: path.folder)
        else {
            throw StoreError(
                .corrupt, path: "\(folder.path)/\(temporary.name)",
                "what was written reads back differently; nothing was kept. Check the disk and the file system.")
        }
        // The same work may have been published again in other files, so that an older file over them is replaced.
        try self.place.commit(temporary, as: path.name, in: folder)
        return PublishedFile(path: path.text, bytes: written.bytes, sha256: written.sha256, digest: digest)
    }

    @HDF5Actor
    private func write(
        _ layout: JobLayout, of files: [PublishedFile], digest: String, to descriptor: Int32, path: String
    ) async throws(StoreError) {
        let (header, schema) = try layout.complete()
        let file = try translating(path: path) { () throws(HDF5Error) in
            let file = try File.create(descriptor: descriptor, name: "job \(header.jobID)")
            try JobImage.writeFrame(layout, digest: digest, into: file)
            return file
        }
        var joiner = ShardJoiner(layout, schema)
        for shard in files {
            await Task.yield()
            let content = try self.read(shard.path, sha256: shard.sha256, part: .copied)
            try translating(path: path) { () throws(HDF5Error) in
                try joiner.add(content.table, rowCount: content.header.rowCount) {
                    (column, rows, bytes) throws(HDF5Error) in
                    try Self.write(bytes, to: column, rows: rows, of: file)
                }
                // A full disk is noticed here and not after hours of joining.
                try file.checkWrites()
            }
        }
        try translating(path: path) { () throws(HDF5Error) in
            try joiner.finish { (column, rows, bytes) throws(HDF5Error) in
                try Self.write(bytes, to: column, rows: rows, of: file)
            }
            try JobImage.complete(file)
        }
        do {
            try file.close()
        } catch {
            throw StoreError(error, path: path)
        }
    }

    @HDF5Actor
    private static func write(
        _ bytes: [UInt8], to column: ColumnSpecification, rows: Range<Int>, of file: borrowing File
    ) throws(HDF5Error) {
        let dataSet = try file.root().group(at: column.groups).dataSet(column.name, isBeingWritten: true)
        try dataSet.writeBytes(bytes, rows: rows)
    }

    /// The job's file if it is there, lists just these shards, and they are there too.
    @HDF5Actor
    private func existing(
        _ path: StorePath, digest: String, shards: [PublishedFile]
    ) throws(StoreError) -> PublishedFile? {
        let folder: Folder
        do {
            folder = try self.place.folder(path.folder)
        } catch  where error.code == .missing {
            // Whether a result is lost is told where the shards are read.
            return nil
        }
        guard try folder.status(path.name) != nil else { return nil }
        // One that cannot be read is made again.
        guard let manifest = try? self.manifest(of: path), manifest.lists(shards, in: path.folder) else { return nil }
        for shard in shards { try folder.check(shard) }
        guard self.place.isDurable(path.name, in: folder) else { return nil }
        let found = try folder.sha256(path.name)
        return PublishedFile(path: path.text, bytes: found.bytes, sha256: found.sha256, digest: digest)
    }

    /// The list of shards in a job's file; throws `malformed` if it is no complete one of this version.
    @HDF5Actor
    func manifest(of path: StorePath) throws(StoreError) -> JobManifest {
        let file = try OpenFile(in: try self.place.folder(path.folder), name: path.name)
        return try Self.manifest(file.descriptor, byteCount: file.byteCount, path: path.text)
    }

    @HDF5Actor
    private static func manifest(
        _ descriptor: Int32, byteCount: Int, path: String
    ) throws(StoreError) -> JobManifest {
        try translating(path: path) { () throws(HDF5Error) in
            try JobManifest(descriptor: descriptor, byteCount: byteCount, name: path)
        }
    }
}

extension Folder {
    /// Throws `missing` or `corrupt` unless a published file of this folder is there with its size.
    fileprivate func check(_ file: PublishedFile) throws(StoreError) {
        let name = try StorePath(parsing: file.path).name
        guard let status = try self.status(name) else {
            throw StoreError(
                .missing, path: file.path, "the file is not there, although it was published.")
        }
        guard status.isFile, Int(status.st_size) == file.bytes else {
            throw StoreError(
                .corrupt, path: file.path,
                "the file has \(status.st_size) bytes, published were \(file.bytes).")
        }
    }
}

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

/// What a job's file is made of, learned of one shard after the other: which columns it has, how long and how wide.
///
/// Holds a few numbers a shard, so that a job of 100,000 of them fits into memory.
struct JobLayout: Sendable {
    let run: String
    let job: String
    /// Of the first shard.
    private(set) var header: ShardHeader?
    private(set) var manifest: [JobManifest.Entry] = []
    private(set) var rowCount = 0
    private(set) var engineBuilds: Set<String> = []
    private(set) var deviceKinds: Set<String> = []
    private(set) var engineSettings: Set<String> = []
    /// Of the shards that name it, which are all but those of older releases.
    private(set) var promptsHash: String?
    /// Jobs that samples were taken over from, and how many.
    private(set) var reusedFrom: [String: Int] = [:]
    /// Of every linked column by its path: how many elements each shard has.
    private var linked: [String: [Int]] = [:]
    /// Of every other column by its path.
    private var counts: [String: Int] = [:]
    /// Of every column of strings by its path: the bytes of the longest.
    private var widths: [String: Int] = [:]
    private var schemas: ShardSchema?

    init(run: String, job: String) {
        self.run = run
        self.job = job
    }

    /// The columns of all shards: weights, generations and clusters are there where any shard has them.
    var schema: ShardSchema? { self.schemas }

    /// Takes the next shard; throws `invalidInput` unless it follows the last one and is of the same job and work.
    mutating func add(_ file: PublishedFile, _ header: ShardHeader, _ table: ColumnTable) throws(StoreError) {
        try self.check(file, header, table.schema)
        let index = self.manifest.count
        self.manifest.append(JobManifest.Entry(file, header))
        self.rowCount += header.rowCount
        self.engineBuilds.insert(header.engineBuild)
        self.deviceKinds.insert(header.deviceKind)
        if let settings = header.settings {
            self.engineSettings.insert(settings.engine)
            self.promptsHash = settings.promptsHash
        }
        self.reusedFrom.merge(header.reusedFrom, uniquingKeysWith: +)
        for column in table.schema.columns {
            guard let values = table[column.path] else { continue }
            switch column.joining {
            case .constant: break
            case .offsets: self.counts[column.path, default: 0] += values.count - 1
            case .concatenated:
                self.counts[column.path, default: 0] += values.count
                if case .string(let width) = values.elementType {
                    self.widths[column.path] = max(self.widths[column.path] ?? 1, width)
                }
            case .linked:
                // Shards without this column have none of its elements.
                let lacking = index - (self.linked[column.path]?.count ?? 0)
                if lacking > 0 {
                    self.linked[column.path, default: []].append(contentsOf: repeatElement(0, count: lacking))
                }
                self.linked[column.path, default: []].append(values.count)
            }
        }
        guard let first = self.header, let schema = self.schemas else {
            self.header = header
            self.schemas = table.schema
            return
        }
        self.schemas = schema.union(table.schema, logitsMode: first.logitsMode)
    }

    /// Throws `invalidInput` for a job without shards.
    func complete() throws(StoreError) -> (header: ShardHeader, schema: ShardSchema) {
        guard let header = self.header, let schema = self.schemas else {
            throw StoreError(.invalidInput, path: "\(self.run)/\(self.job)", "a job without shards has no file.")
        }
        return (header, schema)
    }

    /// How many elements a copied column has in the job's file.
    func count(of column: ColumnSpecification) -> Int {
        let counted = self.isOnePerSample(column) ? self.rowCount : self.counts[column.path] ?? 0
        return column.joining == .offsets ? counted + 1 : counted
    }

    /// The type that a copied column has in the job's file: strings are as wide as the longest of all shards.
    func type(of column: ColumnSpecification) -> ElementType {
        switch column.kind {
        case .int8: .int8
        case .uint8: .uint8
        case .int32: .int32
        case .int64: .int64
        case .uint64: .uint64
        case .float32: .float32
        case .float64: .float64
        case .bool: .bool
        case .strings: .string(width: self.widths[column.path] ?? 1)
        }
    }

    /// The parts of the shards' files that a linked column shows.
    func sources(of column: ColumnSpecification) -> [VirtualSource] {
        let counts = self.linked[column.path] ?? []
        return zip(self.manifest, counts).compactMap { entry, count in
            count > 0 ? VirtualSource(file: entry.file, dataSet: column.path, count: count) : nil
        }
    }

    /// Whether shards that lack the column still have one element of it for each of their samples.
    private func isOnePerSample(_ column: ColumnSpecification) -> Bool {
        column.groups.first == "samples" || column.groups == ["index"]
    }

    private func check(
        _ file: PublishedFile, _ header: ShardHeader, _ schema: ShardSchema
    ) throws(StoreError) {
        let name = ShardFileName(try StorePath(parsing: file.path))
        guard name?.run == self.run, name?.job == self.job, header.runID == self.run, header.jobID == self.job else {
            throw StoreError(.invalidInput, path: file.path, "this is no shard of job \(self.job) of run \(self.run).")
        }
        let (index, next) = (self.manifest.count, (self.header?.rowStart ?? header.rowStart) + self.rowCount)
        guard header.shardIndex == index, header.rowStart == next else {
            throw StoreError(
                .invalidInput, path: file.path,
                "shard \(header.shardIndex) starts at row \(header.rowStart) where shard \(index) with row \(next) must "
                    + "follow; one is missing or given twice.")
        }
        guard let first = self.header, let names = self.schemas?.names else { return }
        let prompts = header.settings?.promptsHash
        guard header.work == first.work, schema.names == names,
            prompts == nil || self.promptsHash == nil || prompts == self.promptsHash
        else {
            throw StoreError(
                .invalidInput, path: file.path,
                "model, tokenizer, data set, task, engine, prompts, logits mode or metrics differ from those of shard 0."
            )
        }
    }
}

extension JobManifest.Entry {
    fileprivate init(_ file: PublishedFile, _ header: ShardHeader) {
        self.init(
            file: file.path.split(separator: "/").last.map(String.init) ?? "", bytes: file.bytes, sha256: file.sha256,
            digest: file.digest, rowStart: header.rowStart, rowCount: header.rowCount)
    }
}

extension ShardHeader {
    /// What all shards of a job have in common; builds and devices may differ between workers.
    fileprivate var work: [String] {
        [
            self.modelSHA256, self.tokenizerSHA256, self.datasetSHA256, self.taskHash, self.engine,
            self.logitsMode.rawValue,
        ]
    }
}

extension ShardSchema {
    fileprivate var names: [String] { self.metrics.flatMap { [$0.name] + $0.termNames } }

    fileprivate func union(_ other: ShardSchema, logitsMode: LogitsMode) -> ShardSchema {
        var metrics = self.metrics
        for (index, metric) in other.metrics.enumerated() where metric.hasWeights { metrics[index].hasWeights = true }
        return ShardSchema(
            metrics: metrics, logitsMode: logitsMode, hasGenerations: self.hasGenerations || other.hasGenerations,
            hasEpochs: self.hasEpochs || other.hasEpochs, hasClusters: self.hasClusters || other.hasClusters)
    }
}

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
