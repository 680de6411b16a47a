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
        try check(name, "the data set's name", 1...200)
        guard name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy(isPlainName) else {
            throw QueueError(
                .invalid,
                "'\(printable(name))' is no name of a data set: letters, digits, '.', '_' and '-', in parts that '/' "
                    + "separates and that start with a letter, a digit or '_', such as allenai/ai2_arc")
        }
        if let config {
            try check(config, "the configuration of data set '\(name)'", 1...200)
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
    init(unchecked name: String, config: String) {
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

/// Checks the name of a split: "test", "validation_matched".
func check(split: String, of dataSet: DataSetName) throws(QueueError) {
    try check(split, "the name of a split of data set '\(dataSet)'", 1...100)
    guard isPlainName(split[...]) else {
        throw QueueError(
            .invalid,
            "'\(printable(split))' is no name of a split of data set '\(dataSet)': letters, digits, '.', '_' and '-', "
                + "such as test")
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
