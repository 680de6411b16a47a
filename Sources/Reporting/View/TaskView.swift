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
        self.scores = report.jobs.flatMap { job in
            job.scores.map { ScoreView($0, model: job.job.model.name, withModel: withModels) }
        }
        if !self.scores.isEmpty { self.scores[0].isFirst = true }
        self.plots = Self.plots(report, withModels: withModels)
        self.jobs = report.jobs.map(JobView.init)
    }

    /// Shares have one axis together; every other metric has its own.
    private static func plots(_ report: TaskReport, withModels: Bool) -> [IntervalPlot] {
        let all = report.jobs.flatMap { job in job.scores.map { (score: $0, model: job.job.model.name) } }
        let shown = all.filter { $0.score.estimate.value != nil }
        let shares = shown.filter(\.score.isShare)
        var groups = shares.isEmpty ? [] : [shares]
        for entry in shown where !entry.score.isShare {
            let same = groups.firstIndex { $0[0].score.metric == entry.score.metric && !$0[0].score.isShare }
            if let same { groups[same].append(entry) } else { groups.append([entry]) }
        }
        return groups.map { group in
            let rows = group.compactMap { entry in
                entry.score.estimate.value.map { value in
                    IntervalPlot.Row(
                        label: Printable.text(entry.score.metric.title),
                        detail: withModels ? Printable.text(entry.model) : "", value: value,
                        interval: entry.score.estimate.interval, text: ScoreTexts(entry.score.estimate).plusMinus)
                }
            }
            let metric = group[0].score.metric
            let isShare = group[0].score.isShare
            let scale = isShare ? "share of samples, from 0 to 1" : metric.aggregation.summary
            return IntervalPlot(caption: "\(scale); \(metric.direction)", rows: rows, isShare: isShare)
        }
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

/// One line of the score table.
struct ScoreView {
    /// Whether it is the task's first line.
    var isFirst = false
    var model: String
    var withModel: Bool
    var metric: String
    var arrow: String
    var direction: String
    var n: String
    var value: String
    var standardError: String
    var interval: String
    var method: String

    init(_ score: Score, model: String, withModel: Bool) {
        let texts = ScoreTexts(score.estimate)
        self.model = Printable.text(model)
        self.withModel = withModel
        self.metric = Printable.text(score.metric.title)
        self.arrow = score.metric.arrow
        self.direction = score.metric.direction
        self.n = NumberText.count(score.estimate.count)
        self.value = texts.value
        self.standardError = texts.standardError
        self.interval = texts.interval
        self.method = score.estimate.method.label
    }
}
