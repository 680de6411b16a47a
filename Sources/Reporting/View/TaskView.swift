internal import Evaluation
internal import Statistics

/// One task's part of a report.
struct TaskView {
    var anchor: String
    var taskTitle: String
    var taskName: String
    /// Whether the title does not say the name.
    var isAliased: Bool
    var hasVersion: Bool
    var taskVersion: String
    var scores: [ScoreView]
    var plots: [IntervalPlot]
    var jobs: [JobView]

    init(_ report: TaskReport, number: Int, withModels: Bool) {
        self.anchor = "task-\(number)"
        self.taskTitle = Printable.text(report.title)
        self.taskName = Printable.text(report.task.name)
        self.isAliased = report.title != report.task.name
        self.hasVersion = report.task.version != nil
        self.taskVersion = Printable.text(report.task.version ?? "")
        let groups = Self.groups(report)
        self.scores = groups.flatMap { group in
            group.enumerated().map { number, entry in
                ScoreView(entry.score, model: entry.model, withModel: withModels, isFirstOfMetric: number == 0)
            }
        }
        if !self.scores.isEmpty { self.scores[0].isFirst = true }
        self.plots = Self.plots(groups, withModels: withModels)
        self.jobs = report.jobs.map(JobView.init)
    }

    private typealias Entry = (score: Score, model: String)

    /// The scores by metric, so that models stand below each other.
    private static func groups(_ report: TaskReport) -> [[Entry]] {
        var groups: [[Entry]] = []
        for job in report.jobs {
            for score in job.scores {
                let same = groups.firstIndex { $0[0].score.metric == score.metric }
                if let same {
                    groups[same].append((score, job.job.model.name))
                } else {
                    groups.append([(score, job.job.model.name)])
                }
            }
        }
        return groups
    }

    /// Shares that are better in the same direction have one axis together; every other metric has its own.
    private static func plots(_ groups: [[Entry]], withModels: Bool) -> [IntervalPlot] {
        let shown = groups.map { $0.filter { $0.score.estimate.value != nil } }.filter { !$0.isEmpty }
        func isShare(_ group: [Entry]) -> Bool { group.allSatisfy(\.score.isShare) }
        let shares = [true, false].map { direction in
            shown.filter { isShare($0) && $0[0].score.metric.higherIsBetter == direction }
        }
        let axes = shares.filter { !$0.isEmpty } + shown.filter { !isShare($0) }.map { [$0] }
        return axes.map { groups in
            let metric = groups[0][0].score.metric
            let hasShares = isShare(groups[0])
            let scale = hasShares ? "Share of samples, from 0 to 1" : metric.aggregation.summary
            return IntervalPlot(
                caption: "\(scale); \(metric.direction)",
                sections: groups.map { Self.section($0, withModels: withModels) }, isShare: hasShares)
        }
    }

    private static func section(_ group: [Entry], withModels: Bool) -> IntervalPlot.Section {
        let metric = Printable.text(group[0].score.metric.title)
        let rows = group.compactMap { entry in
            entry.score.estimate.value.map { value in
                IntervalPlot.Row(
                    label: withModels ? Printable.text(entry.model) : metric, value: value,
                    interval: entry.score.estimate.interval, texts: ScoreTexts(entry.score.estimate))
            }
        }
        return .init(title: withModels ? metric : nil, rows: rows)
    }
}

extension Score {
    /// Whether the score and its interval stand between 0 and 1, and are means.
    fileprivate var isShare: Bool {
        guard self.metric.aggregation == .mean, let value = self.estimate.value else { return false }
        let ends = [value, self.estimate.interval?.lower ?? value, self.estimate.interval?.upper ?? value]
        return ends.allSatisfy { (0...1).contains($0) }
    }
}

/// One line of the tables of scores.
struct ScoreView {
    /// Whether it is the task's or group's first line.
    var isFirst = false
    /// Whether it is the first line of this metric in the task.
    var isFirstOfMetric: Bool
    /// How many tasks it is over; empty for a task's own.
    var tasks = ""
    var model: String
    var withModel: Bool
    var metric: String
    var metricName: String
    var metricFilter: String
    var arrow: String
    var direction: String
    var n: String
    var value: String
    var standardError: String
    var interval: String
    var method: String

    init(_ score: Score, model: String, withModel: Bool, isFirstOfMetric: Bool = true) {
        let texts = ScoreTexts(score.estimate)
        self.isFirstOfMetric = isFirstOfMetric
        self.model = Printable.text(model)
        self.withModel = withModel
        self.metric = Printable.text(score.metric.title)
        self.metricName = Printable.text(score.metric.metric.name)
        self.metricFilter = Printable.text(score.metric.filterName ?? "")
        self.arrow = score.metric.arrow
        self.direction = score.metric.direction
        self.n = NumberText.count(score.estimate.count)
        if let clusters = score.estimate.clusterCount {
            self.n += " in \(NumberText.count(clusters)) \(clusters == 1 ? "cluster" : "clusters")"
        }
        self.value = texts.value
        self.standardError = texts.standardError
        self.interval = texts.interval
        self.method = score.estimate.method.label
    }
}
