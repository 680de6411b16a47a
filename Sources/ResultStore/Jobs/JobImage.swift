import Evaluation
import HDF5

/// The bytes of a job's file: virtual data sets over its shards, which stand in the same folder.
@HDF5Actor
enum JobImage {
    static let format = "assay-job"
    static let schemaVersion = 1

    /// Makes the file of shards that were checked and are in order.
    static func make(_ shards: [ShardSummary], digest: String) throws(HDF5Error) -> [UInt8] {
        let file = try File.createInMemory(name: "job-\(digest)")
        try write(shards, digest: digest, into: file)
        return try file.closeToImage()
    }

    private static func write(
        _ shards: [ShardSummary], digest: String, into file: borrowing File
    ) throws(HDF5Error) {
        guard let first = shards.first else { return }
        let root = try file.root()
        for (name, value) in attributes(of: shards, first.header, digest: digest) {
            try root.setAttribute(name, value)
        }
        try root.writeText("provenance", first.header.provenance)
        try JobManifest(shards).write(in: root)
        let schema = joined(shards.map(\.schema), logitsMode: first.header.logitsMode)
        try Frame.makeGroups(schema, in: root)
        for column in schema.columns {
            switch column.joining {
            case .constant:
                let categories = FinishReason.categories.map(\.rawValue)
                try ShardImage.write(.strings(categories), as: column, in: root)
            case .offsets:
                try ShardImage.write(.uint64(joinedOffsets(column, shards)), as: column, in: root)
            case .concatenated:
                try writeVirtual(column, shards, in: root)
            }
        }
        try root.setAttribute("complete", 1)
    }

    private static func attributes(
        of shards: [ShardSummary], _ header: ShardHeader, digest: String
    ) -> [(String, AttributeValue)] {
        [
            ("format", .text(format)), ("schema_version", .integer(schemaVersion)), ("run_id", .text(header.runID)),
            ("job_id", .text(header.jobID)), ("digest", .text(digest)), ("shard_count", .integer(shards.count)),
            ("row_start", .integer(header.rowStart)),
            ("row_count", .integer(shards.reduce(0) { $0 + $1.header.rowCount })),
            ("model_sha256", .text(header.modelSHA256)), ("tokenizer_sha256", .text(header.tokenizerSHA256)),
            ("dataset_sha256", .text(header.datasetSHA256)), ("task_hash", .text(header.taskHash)),
            ("engine", .text(header.engine)),
            ("engine_build", .text(distinct(shards.map(\.header.engineBuild)))),
            ("device_kind", .text(distinct(shards.map(\.header.deviceKind)))),
            ("logits_mode", .text(header.logitsMode.rawValue)),
        ]
    }

    /// One value where all are equal, else all there are.
    private static func distinct(_ values: [String]) -> String { Set(values).sorted().joined(separator: ", ") }

    /// The columns of all: weights are stored where any shard has them.
    private static func joined(_ schemas: [ShardSchema], logitsMode: LogitsMode) -> ShardSchema {
        let withWeights = Set(schemas.flatMap { $0.metrics.filter(\.hasWeights).map(\.name) })
        var metrics = schemas.first?.metrics ?? []
        for index in metrics.indices { metrics[index].hasWeights = withWeights.contains(metrics[index].name) }
        return ShardSchema(
            metrics: metrics, logitsMode: logitsMode, hasGenerations: schemas.contains(where: \.hasGenerations),
            hasClusters: schemas.contains(where: \.hasClusters))
    }

    /// The shards' offsets one behind the other, each moved on by what stands before.
    private static func joinedOffsets(_ column: ColumnSpecification, _ shards: [ShardSummary]) -> [UInt64] {
        var joined: [UInt64] = [0]
        for shard in shards {
            let start = joined.last ?? 0
            joined += (shard.offsets[column.path] ?? []).dropFirst().map { start + $0 }
        }
        return joined
    }

    private static func writeVirtual(
        _ column: ColumnSpecification, _ shards: [ShardSummary], in root: borrowing Group
    ) throws(HDF5Error) {
        // Of the columns only weights can be missing, where all are 1.
        let counts = shards.map { $0.counts[column.path] ?? $0.header.rowCount }
        let types = shards.compactMap { $0.types[column.path] }
        guard let type = types.max(by: { $0.byteCount < $1.byteCount }) else { return }
        let group = try root.group(at: column.groups)
        guard counts.contains(where: { $0 > 0 }) else {
            let empty = try group.createDataSet(column.name, type: type, shape: [0])
            return try Frame.annotate(empty, as: column)
        }
        let sources = zip(shards, counts).map { shard, count in
            shard.counts[column.path].map { _ in
                VirtualSource(file: shard.fileName, dataSet: column.path, count: count)
            }
        }
        let dataSet = try group.createVirtualDataSet(
            column.name, type: type, sources: sources, counts: counts, fill: sources.contains(nil) ? 1 : nil)
        try Frame.annotate(dataSet, as: column)
    }
}
