public import FoundationEssentials

/// Data sets by name.
public protocol DataSetRegistry: Sendable {
    /// Adds splits to a data set, all or none; a split with the same rows again changes nothing.
    ///
    /// - Parameter replacing: Let the splits mean these rows from now on; jobs submitted before keep theirs.
    /// - Throws: `conflict` when a split stands for other rows.
    @discardableResult
    func addDataSet(_ dataSet: DataSetRecord, replacing: Bool) async throws(QueueError) -> DataSetAddition

    /// All data sets by name.
    func dataSets() async throws(QueueError) -> [DataSetRecord]

    /// The data set of this name, with these splits at least.
    ///
    /// - Throws: `notFound` with what exists and the command that adds what is missing.
    func dataSet(_ name: DataSetName, with splits: [String]) async throws(QueueError) -> DataSetRecord

    /// Forgets the name; the rows stay in the store.
    func removeDataSet(_ name: DataSetName) async throws(QueueError)
}

extension DataSetRegistry {
    @discardableResult
    public func addDataSet(_ dataSet: DataSetRecord) async throws(QueueError) -> DataSetAddition {
        try await addDataSet(dataSet, replacing: false)
    }

    public func dataSet(_ name: DataSetName) async throws(QueueError) -> DataSetRecord {
        try await dataSet(name, with: [])
    }
}

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

extension DataSetRecord {
    /// What the database would refuse too.
    public func validate() throws(QueueError) {
        guard !splits.isEmpty else {
            throw QueueError(.invalid, "data set '\(name)' has no splits: name one at least, such as test")
        }
        var known: Set<String> = []
        for split in splits {
            try QueueError.check(split: split.name, of: name)
            guard known.insert(split.name).inserted else {
                throw QueueError(.invalid, "the split \(split.name) of data set '\(name)' is there twice: keep one")
            }
            try split.validate("split \(split.name) of data set '\(name)'")
        }
    }
}

extension DataSetRecord.Split {
    private static let mostColumns = 10_000

    fileprivate func validate(_ what: String) throws(QueueError) {
        try QueueError.check(sha256: sha256, "the sha256 of \(what)")
        guard rows > 0 else { throw QueueError(.invalid, "\(what) has \(rows) rows: it must have one at least") }
        guard columns.count <= Self.mostColumns else {
            throw QueueError(
                .invalid, "\(what) has \(columns.count) columns: it must have at most \(Self.mostColumns)")
        }
        for column in columns { try QueueError.check(column, "the name of a column of \(what)", 0...1000) }
        try QueueError.check(source, "the source of \(what)", 1...4096)
        try QueueError.check(user, "the user's name", 1...200)
    }
}

/// What a task file calls a data set: a name, and with many data sets a configuration.
///
/// Both are text in messages and commands, so neither holds anything that a terminal, a shell or a path takes for more.
public struct DataSetName: Sendable, Hashable, Comparable {
    /// As on the Hugging Face Hub: "allenai/ai2_arc".
    public let name: String
    /// "ARC-Easy"; nil for a data set without configurations.
    public let config: String?

    /// - Throws: `invalid` for what can be no name.
    public init(_ name: String, config: String? = nil) throws(QueueError) {
        try QueueError.check(name, "the data set's name", 1...200)
        guard name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy(isPlainName) else {
            throw QueueError(
                .invalid,
                "'\(printable(name))' is no name of a data set: letters, digits, '.', '_' and '-', in parts that '/' "
                    + "separates and that start with a letter, a digit or '_', such as allenai/ai2_arc")
        }
        if let config {
            try QueueError.check(config, "the configuration of data set '\(name)'", 1...200)
            let isPlain = config.utf8.allSatisfy { byte in
                (0x20...0x7E).contains(byte) && byte != UInt8(ascii: "/") && byte != UInt8(ascii: "\\")
            }
            guard isPlain else {
                throw QueueError(
                    .invalid,
                    "'\(printable(config))' is no configuration of data set '\(name)': printable ASCII characters but "
                        + "'/' and '\\', such as ARC-Easy")
            }
        }
        self.name = name
        self.config = config
    }

    /// What the database holds, which has checked it.
    public init(unchecked name: String, config: String) {
        self.name = name
        self.config = config.isEmpty ? nil : config
    }

    /// The command that registers these splits, for messages.
    func addCommand(splits: [String]) -> String {
        let options = splits.map { " --split \($0)=FILE" }.joined()
        return "assay dataset add \(self.arguments)\(options)"
    }

    /// Name and configuration as a command takes them.
    var arguments: String {
        guard let config else { return name }
        let isPlain = config.utf8.allSatisfy { isPlainByte($0) }
        return "\(name) --config \(isPlain ? config : "'\(config.replacing("'", with: #"'\''"#))'")"
    }

    public static func < (left: DataSetName, right: DataSetName) -> Bool {
        (left.name, left.config ?? "") < (right.name, right.config ?? "")
    }
}

extension DataSetName: CustomStringConvertible {
    public var description: String { config.map { "\(name) (\($0))" } ?? name }
}

extension QueueError {
    /// Checks the name of a split: "test", "validation_matched".
    public static func check(split: String, of dataSet: DataSetName) throws(QueueError) {
        try QueueError.check(split, "the name of a split of data set '\(dataSet)'", 1...100)
        guard isPlainName(split[...]) else {
            throw QueueError(
                .invalid,
                "'\(printable(split))' is no name of a split of data set '\(dataSet)': letters, digits, '.', '_' and '-', "
                    + "such as test")
        }
    }
}

private func isPlainName(_ text: Substring) -> Bool {
    guard let first = text.utf8.first, first != UInt8(ascii: "."), first != UInt8(ascii: "-") else { return false }
    return text.utf8.allSatisfy(isPlainByte)
}

private func isPlainByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
        true
    default: false
    }
}

/// Text for a message, without what a terminal would obey.
private func printable(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
}

// The sentences that both implementations say.
extension QueueError {
    public static func dataSetNotFound(
        _ name: DataSetName, splits: [String], existing: [DataSetName]
    ) -> QueueError {
        // Of many, those that are meant most likely.
        let configs = existing.filter { $0.name == name.name }
        let others = configs.isEmpty ? existing : configs
        let shown = others.prefix(20).map(\.description) + (others.count > 20 ? ["..."] : [])
        let known = others.isEmpty ? "none was added yet" : "there are \(shown.joined(separator: ", "))"
        return QueueError(
            .notFound,
            "there is no data set '\(name)' (\(known)): add it with "
                + "`\(name.addCommand(splits: splits.isEmpty ? ["test"] : splits))`")
    }

    static func splitsNotFound(_ splits: [String], of dataSet: DataSetRecord) -> QueueError {
        QueueError(
            .notFound,
            "data set '\(dataSet.name)' has no split \(splits.joined(separator: ", ")) (there are "
                + "\(dataSet.splits.map(\.name).joined(separator: ", "))): add it with "
                + "`\(dataSet.name.addCommand(splits: splits))`")
    }

    static func dataSetConflict(
        _ name: DataSetName, _ existing: DataSetRecord.Split, _ new: DataSetRecord.Split
    ) -> QueueError {
        QueueError(
            .conflict,
            "the split \(new.name) of data set '\(name)' is \(existing.source) (rows: \(existing.rows), sha256 "
                + "\(existing.sha256.prefix(12))...), not \(new.source) (rows: \(new.rows), sha256 "
                + "\(new.sha256.prefix(12))...): replace it (--replace), or choose another name")
    }
}

extension DataSetRecord {
    /// Refuses a data set that lacks one of `splits`.
    public func checkSplits(_ splits: [String]) throws(QueueError) {
        let missing = splits.filter { self[$0] == nil }
        guard missing.isEmpty else { throw QueueError.splitsNotFound(missing, of: self) }
    }

    /// Refuses a data set in which a split of `wanted` stands for other rows.
    public func checkContent(_ wanted: DataSetRecord) throws(QueueError) {
        for split in wanted.splits {
            guard let existing = self[split.name], existing.sha256 != split.sha256 else { continue }
            throw QueueError.dataSetConflict(name, existing, split)
        }
    }
}
