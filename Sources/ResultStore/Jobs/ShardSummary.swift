import Evaluation
import HDF5

/// What a job's file needs to know of one of its shards.
struct ShardSummary: Sendable {
    let file: PublishedFile
    let header: ShardHeader
    let schema: ShardSchema
    /// Of every column by its path.
    let counts: [String: Int]
    let types: [String: ElementType]
    /// Of every column of offsets.
    let offsets: [String: [UInt64]]

    init(_ file: PublishedFile, header: ShardHeader, table: ColumnTable) {
        self.file = file
        self.header = header
        self.schema = table.schema
        self.counts = table.values.mapValues(\.count)
        self.types = table.values.mapValues(\.elementType)
        self.offsets = table.values.compactMapValues { values in
            if case .uint64(let offsets) = values { offsets } else { nil }
        }
    }

    /// The file's name without its folder.
    var fileName: String { self.file.path.split(separator: "/").last.map(String.init) ?? "" }
}

extension [ShardSummary] {
    /// Throws `invalidInput` unless these are one job's shards, complete and in order.
    func check(run: String, job: String, folder: [String]) throws(StoreError) {
        guard let first = self.first else {
            throw StoreError(.invalidInput, path: "\(run)/\(job)", "a job without shards has no file.")
        }
        var next = first.header.rowStart
        for (index, shard) in self.enumerated() {
            let path = shard.file.path
            guard try StorePath(parsing: path).folder == folder, shard.header.runID == run, shard.header.jobID == job
            else { throw StoreError(.invalidInput, path: path, "this is no shard of job \(job) of run \(run).") }
            guard shard.header.shardIndex == index, shard.header.rowStart == next else {
                throw StoreError(
                    .invalidInput, path: path,
                    "shard \(shard.header.shardIndex) starts at row \(shard.header.rowStart) where shard \(index) "
                        + "with row \(next) must follow; one is missing or given twice.")
            }
            guard shard.header.work == first.header.work, shard.schema.names == first.schema.names else {
                throw StoreError(
                    .invalidInput, path: path,
                    "model, tokenizer, data set, task, engine, logits mode or metrics differ from those of shard 0.")
            }
            next += shard.header.rowCount
        }
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
}
