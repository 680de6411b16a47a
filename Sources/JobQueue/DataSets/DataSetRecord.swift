public import FoundationEssentials

/// A data set that task files can name.
public struct DataSetRecord: Sendable, Hashable {
    public var name: DataSetName
    /// By their names.
    public var splits: [Split]

    public init(_ name: DataSetName, splits: [Split]) {
        self.name = name
        self.splits = splits
    }

    /// Rows under the name of a split.
    public struct Split: Sendable, Hashable, Encodable {
        public var name: String
        /// Of the rows as they lie in the store: 64 lower-case hexadecimal digits.
        public var sha256: String
        public var rows: Int
        /// The names of columns, in the order in which the rows have them.
        public var columns: [String]
        /// The file that was read, as the user named it.
        public var source: String
        public var user: String
        /// Set by the queue when the split is added.
        public var addedAt: Date

        public init(
            name: String, sha256: String, rows: Int, columns: [String], source: String, user: String,
            addedAt: Date = Date(timeIntervalSince1970: 0)
        ) {
            self.name = name
            self.sha256 = sha256
            self.rows = rows
            self.columns = columns
            self.source = source
            self.user = user
            self.addedAt = addedAt
        }
    }

    public subscript(split: String) -> Split? { splits.first { $0.name == split } }
}

extension DataSetRecord: Encodable {
    private enum Key: CodingKey { case name, config, splits }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(name.name, forKey: .name)
        try container.encode(name.config, forKey: .config)
        try container.encode(splits, forKey: .splits)
    }
}

/// The outcome of a request to add a data set.
public struct DataSetAddition: Sendable, Hashable {
    /// The data set with all its splits.
    public var record: DataSetRecord
    /// The splits that are new or stand for other rows now; the others of the request were there already.
    public var changed: [String]

    public init(record: DataSetRecord, changed: [String]) {
        self.record = record
        self.changed = changed
    }
}
