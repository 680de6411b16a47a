import Evaluation
import HDF5

/// One data set that a shard's file has: where, of what kind, and how those of several shards are joined.
struct ColumnSpecification: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case int8, uint8, int32, int64, uint64, float32, float64, bool, strings
    }

    /// How the same column of several shards becomes one.
    enum Joining: Sendable, Hashable {
        /// Copied one behind the other.
        case concatenated
        /// Shown one behind the other by a virtual data set, since copying them would double the results. Where a
        /// shard's file is missing readers get the kind's `fill`, which is no value of these columns.
        case linked
        /// Offsets into a concatenated column, n + 1 of them, which are moved on.
        case offsets
        /// The same in every shard.
        case constant
    }

    /// The groups from the root.
    let groups: [String]
    let name: String
    let kind: Kind
    let joining: Joining

    init(_ path: String, _ kind: Kind, _ joining: Joining = .concatenated) {
        let components = path.split(separator: "/").map(String.init)
        self.groups = components.dropLast()
        self.name = components.last ?? ""
        self.kind = kind
        self.joining = joining
    }

    /// What a virtual data set shows where a file is missing: a token id and a number of a request that there are not,
    /// a byte that no UTF-8 has.
    ///
    /// `nil` for kinds of which any value could be a result.
    var fill: Double? {
        switch self.kind {
        case .int32: -1
        case .float32: .nan
        case .uint8: 255
        case .int8, .int64, .uint64, .float64, .bool, .strings: nil
        }
    }

    /// The absolute path in the file.
    var path: String { "/" + (self.groups + [self.name]).joined(separator: "/") }
}

/// Which columns a shard's file has, given its metrics and logits mode.
struct ShardSchema: Sendable, Hashable {
    /// A metric, and what is stored besides its values.
    struct Metric: Sendable, Hashable {
        let name: String
        var hasWeights: Bool
        /// What they are called within the metric.
        var terms: [String] = []

        var weightName: String { MetricName.weight(of: self.name) }
        var termNames: [String] { self.terms.map { MetricName.term($0, of: self.name) } }
        /// Value, weight and terms.
        var columnNames: [String] { [self.name] + (self.hasWeights ? [self.weightName] : []) + self.termNames }
    }

    let metrics: [Metric]
    let logitsMode: LogitsMode
    /// Several texts were generated for each sample.
    var hasGenerations = false
    /// Samples were generated and scored in several epochs.
    var hasEpochs = false
    /// Samples come in clusters.
    var hasClusters = false

    var hasChoices: Bool { self.logitsMode != .none }
    var hasTokens: Bool { self.logitsMode == .tokens }

    /// The columns of the data frame, in its order; `finish_reason` is a group.
    var columnOrder: [String] {
        ["row", "target", "prediction"] + (self.hasClusters ? ["cluster"] : [])
            + self.metrics.flatMap(\.columnNames)
            + ["finish_reason", "n_prompt", "n_generated", "is_truncated", "is_unparsed"]
    }

    /// Every data set but /provenance.
    var columns: [ColumnSpecification] {
        self.sampleColumns + self.textColumns + (self.hasChoices ? Self.choiceColumns : [])
            + (self.hasTokens ? Self.tokenColumns : []) + (self.hasGenerations ? Self.generationColumns : [])
            + self.epochColumns
    }

    /// The data sets of /samples.
    var sampleColumns: [ColumnSpecification] {
        var columns: [ColumnSpecification] = [
            .init("/samples/_index", .strings), .init("/samples/row", .int64), .init("/samples/target", .strings),
            .init("/samples/prediction", .strings),
        ]
        if self.hasClusters { columns.append(.init("/samples/cluster", .strings)) }
        for name in self.metrics.flatMap(\.columnNames) { columns.append(.init("/samples/\(name)", .float64)) }
        return columns + [
            .init("/samples/finish_reason/codes", .int8),
            .init("/samples/finish_reason/categories", .strings, .constant), .init("/samples/n_prompt", .int64),
            .init("/samples/n_generated", .int64), .init("/samples/is_truncated", .bool),
            .init("/samples/is_unparsed", .bool),
        ]
    }

    private var textColumns: [ColumnSpecification] {
        [
            .init("/text/prompt", .uint8, .linked), .init("/text/prompt_offsets", .uint64, .offsets),
            .init("/text/generation", .uint8, .linked), .init("/text/generation_offsets", .uint64, .offsets),
        ]
    }

    private static let choiceColumns: [ColumnSpecification] = [
        .init("/index/choices", .uint64, .offsets), .init("/choices/logprob_sum", .float64),
        .init("/choices/n_tokens", .int32), .init("/choices/n_bytes", .int32), .init("/choices/n_chars", .int32),
        .init("/choices/is_greedy", .bool), .init("/choices/text", .uint8),
        .init("/choices/text_offsets", .uint64, .offsets),
    ]

    private static let generationColumns: [ColumnSpecification] = [
        .init("/index/generations", .uint64, .offsets), .init("/generations/n_tokens", .int32),
        .init("/generations/finish_reason", .int8), .init("/generations/text", .uint8, .linked),
        .init("/generations/text_offsets", .uint64, .offsets),
    ]

    /// One value a sample, epoch and metric: samples one after the other, and the epochs of each.
    private var epochColumns: [ColumnSpecification] {
        guard self.hasEpochs else { return [] }
        return [.init("/index/epochs", .uint64, .offsets)]
            + self.metrics.map { .init("/epochs/\($0.name)", .float64) }
    }

    private static let tokenColumns: [ColumnSpecification] = [
        .init("/index/tokens", .uint64, .offsets), .init("/tokens/token_id", .int32, .linked),
        .init("/tokens/logprob", .float32, .linked), .init("/tokens/is_prompt", .bool),
        .init("/tokens/request", .int32, .linked),
    ]
}

/// The elements of one data set, in memory.
enum ColumnValues: Sendable, Hashable {
    case int8([Int8])
    case uint8([UInt8])
    case int32([Int32])
    case int64([Int64])
    case uint64([UInt64])
    case float32([Float])
    case float64([Double])
    case bool([Bool])
    case strings([String])

    var count: Int {
        switch self {
        case .int8(let values): values.count
        case .uint8(let values): values.count
        case .int32(let values): values.count
        case .int64(let values): values.count
        case .uint64(let values): values.count
        case .float32(let values): values.count
        case .float64(let values): values.count
        case .bool(let values): values.count
        case .strings(let values): values.count
        }
    }

    /// The type in the file; the width of strings is that of the longest.
    var elementType: ElementType {
        switch self {
        case .int8: .int8
        case .uint8: .uint8
        case .int32: .int32
        case .int64: .int64
        case .uint64: .uint64
        case .float32: .float32
        case .float64: .float64
        case .bool: .bool
        case .strings(let values): .string(width: FixedStrings.width(values))
        }
    }

    /// The bytes as they stand in the file before filters.
    func bytes(on path: String) throws(HDF5Error) -> [UInt8] {
        switch self {
        case .int8(let values): Self.bytes(values)
        case .uint8(let values): values
        case .int32(let values): Self.bytes(values)
        case .int64(let values): Self.bytes(values)
        case .uint64(let values): Self.bytes(values)
        case .float32(let values): Self.bytes(values)
        case .float64(let values): Self.bytes(values)
        case .bool(let values): values.map { $0 ? 1 : 0 }
        case .strings(let values): try FixedStrings.pack(values, width: self.elementType.byteCount, on: path)
        }
    }

    private static func bytes<Value: Element>(_ values: [Value]) -> [UInt8] {
        values.withUnsafeBytes { Array($0) }
    }
}

/// What a metric may be called, so that it can be a column of /samples.
public enum MetricName {
    private static let reserved: Set<String> = [
        "_index", "row", "target", "prediction", "cluster", "finish_reason", "n_prompt", "n_generated", "is_truncated",
        "is_unparsed",
    ]

    /// What is wrong with the metrics' names of a task; `nil` if they can be stored.
    public static func problem(with names: [String]) -> String? {
        for name in names {
            if name.isEmpty || name == "." || name.utf8.count > 200 {
                return "the metric's name \"\(name)\" is empty, \".\" or longer than 200 bytes"
            }
            if name.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ":") || $0 < 0x20 }) {
                return "the metric's name \"\(name)\" has \"/\", \":\" or a control character in it"
            }
            if reserved.contains(name) { return "\"\(name)\" is a column of every result and cannot name a metric" }
        }
        for name in names where names.contains(weight(of: name)) {
            return "the metric \"\(weight(of: name))\" has the name of the weights of \"\(name)\""
        }
        return Set(names).count == names.count ? nil : "two metrics have the same name: \(names)"
    }

    static func weight(of metric: String) -> String { "\(metric)_weight" }

    static func term(_ term: String, of metric: String) -> String { "\(metric):\(term)" }

    /// Finds metrics, their weights and their terms again in the names of columns.
    static func metrics(in columns: [String]) -> [ShardSchema.Metric] {
        var metrics: [ShardSchema.Metric] = []
        for column in columns {
            if let last = metrics.last, column == last.weightName {
                metrics[metrics.count - 1].hasWeights = true
            } else if let last = metrics.last, column.hasPrefix(term("", of: last.name)) {
                metrics[metrics.count - 1].terms.append(String(column.dropFirst(last.name.count + 1)))
            } else {
                metrics.append(ShardSchema.Metric(name: column, hasWeights: false))
            }
        }
        return metrics
    }
}
