internal import Evaluation
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
        task: String, model: String, metric: String, filter: String?, higherIsBetter: Bool, n: Int, value: Double?,
        standardError: Double?,
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

extension ScoreRow {
    /// The line of one score.
    public init(_ score: Score, task: String, model: String) {
        self.init(
            task: task, model: model, metric: score.metric.metric.name, filter: score.metric.filterName,
            higherIsBetter: score.metric.higherIsBetter, n: score.estimate.count, value: score.estimate.value,
            standardError: score.estimate.standardError, interval: score.estimate.interval)
    }
}

extension Report {
    /// All scores, in the report's order; those of groups come last.
    public var scoreRows: [ScoreRow] {
        self.tasks.flatMap { task in
            task.jobs.flatMap { job in
                job.scores.map { ScoreRow($0, task: task.task.name, model: job.job.model.name) }
            }
        }
            + self.groups.flatMap { group in
                group.scores.map { score in
                    ScoreRow(
                        .init(metric: score.metric, estimate: score.estimate),
                        task: "\(group.name) (\(score.tasks) \(score.tasks == 1 ? "task" : "tasks"))",
                        model: score.model)
                }
            }
    }
}

/// The scores of a run as a table for the terminal.
public enum ScoreTable {
    /// The table, each line ended by a newline; the model's column is there only if there are several models.
    public static func render(_ rows: [ScoreRow], style: TerminalStyle) -> String {
        let hasManyModels = Set(rows.map(\.model)).count > 1
        var columns = [TextTable.Column("task")]
        if hasManyModels { columns.append(.init("model")) }
        columns += [
            .init("metric"), .init("n", .right), .init("score", .right, isBold: true), .init("± SE", .right),
            .init("95 % interval", .right),
        ]
        var last: String?
        let cells = rows.map { row in
            let texts = ScoreTexts(value: row.value, standardError: row.standardError, interval: row.interval)
            let metric = MetricDefinition.title(row.metric, filter: row.filter) + (row.higherIsBetter ? " ↑" : " ↓")
            // A task's name is said once where its lines follow each other, so that tasks stand out.
            var cells = [row.task == last && style == .ansi ? "" : row.task]
            last = row.task
            if hasManyModels { cells.append(row.model) }
            return cells + [
                metric, String(row.n), texts.value,
                texts.spread, texts.interval,
            ]
        }
        return TextTable(columns: columns, rows: cells).render(style: style)
    }
}
