internal import Evaluation
public import Statistics

/// One score of a report, as a line of its score table says it.
public struct ScoreRow: Sendable, Hashable {
    /// The task's name, or the group's.
    public var task: String
    /// How many tasks a group's score is made of; `nil` for a task's.
    public var groupTasks: Int?
    public var model: String
    public var metric: String
    public var filter: String?
    public var higherIsBetter: Bool
    public var n: Int
    public var value: Double?
    public var standardError: Double?
    public var interval: ConfidenceInterval?

    public init(
        task: String, groupTasks: Int? = nil, model: String, metric: String, filter: String?, higherIsBetter: Bool,
        n: Int, value: Double?,
        standardError: Double?,
        interval: ConfidenceInterval?
    ) {
        self.task = task
        self.groupTasks = groupTasks
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
    public init(_ score: Score, task: String, groupTasks: Int? = nil, model: String) {
        self.init(
            task: task, groupTasks: groupTasks, model: model, metric: score.metric.metric.name,
            filter: score.metric.filterName,
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
                        .init(metric: score.metric, estimate: score.estimate), task: group.name,
                        groupTasks: score.tasks, model: score.model)
                }
            }
    }
}

/// What tables say of it.
extension ScoreRow {
    /// The task's or group's name, such as "mmlu (57 tasks)".
    public var title: String {
        self.groupTasks.map { "\(self.task) (\($0) \($0 == 1 ? "task" : "tasks"))" } ?? self.task
    }

    /// The metric with its filter and where better is, such as "exact_match (strict-match) ↑".
    public var metricTitle: String {
        MetricDefinition.title(self.metric, filter: self.filter) + (self.higherIsBetter ? " ↑" : " ↓")
    }

    /// Value, standard error and interval with the same number of decimals.
    public var texts: (value: String, spread: String, interval: String) {
        let texts = ScoreTexts(value: self.value, standardError: self.standardError, interval: self.interval)
        return (texts.value, texts.spread, texts.interval)
    }
}
