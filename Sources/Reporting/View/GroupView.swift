internal import Evaluation
internal import Statistics

/// One group's lines in the table of groups.
struct GroupView {
    var groupTitle: String
    var scores: [GroupScoreView]

    init(_ report: GroupReport, withModels: Bool) {
        let title = Printable.text(report.title)
        self.groupTitle = title
        self.scores = report.scores.map { GroupScoreView($0, title: title, withModel: withModels) }
        if !self.scores.isEmpty { self.scores[0].isFirst = true }
    }
}

struct GroupScoreView {
    var isFirst = false
    var title: String
    var model: String
    var withModel: Bool
    var metric: String
    var metricName: String
    var metricFilter: String
    var arrow: String
    var direction: String
    var tasks: String
    var n: String
    var value: String
    var standardError: String
    var interval: String
    var method: String

    init(_ score: GroupReport.Score, title: String, withModel: Bool) {
        let texts = ScoreTexts(score.estimate)
        self.title = title
        self.model = Printable.text(score.model)
        self.withModel = withModel
        self.metric = Printable.text(score.metric.title)
        self.metricName = Printable.text(score.metric.metric.name)
        self.metricFilter = Printable.text(score.metric.filterName ?? "")
        self.arrow = score.metric.arrow
        self.direction = score.metric.direction
        self.tasks = NumberText.count(score.tasks)
        self.n = NumberText.count(score.estimate.count)
        self.value = texts.value
        self.standardError = texts.standardError
        self.interval = texts.interval
        self.method = score.estimate.method.label
    }
}
