public import Statistics

/// One line of the score table.
public struct ScoreRow: Sendable, Hashable {
    public var task: String
    public var model: String
    public var metric: String
    public var filter: String?
    public var higherIsBetter: Bool
    public var n: Int
    public var value: Double?
    public var standardError: Double?
    public var interval: ConfidenceInterval?

    public init(
        task: String, model: String, metric: String, filter: String?, higherIsBetter: Bool, n: Int, value: Double?, standardError: Double?,
        interval: ConfidenceInterval?
    ) {
        self.task = task
        self.model = model
        self.metric = metric
        self.filter = filter
        self.higherIsBetter = higherIsBetter
        self.n = n
        self.value = value
        self.standardError = standardError
        self.interval = interval
    }
}

/// The scores of a run as a table for the terminal.
public enum ScoreTable {
    /// The table, each line ended by a newline.
    public static func render(_ rows: [ScoreRow], style: TerminalStyle) -> String { "" }
}
