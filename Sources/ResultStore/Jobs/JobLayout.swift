import Evaluation
import HDF5

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
