internal import Evaluation

/// One group's lines in the table of groups.
struct GroupView {
    var groupTitle: String
    var scores: [ScoreView]

    init(_ report: GroupReport, withModels: Bool) {
        self.groupTitle = Printable.text(report.title)
        self.scores = report.scores.map { score in
            var view = ScoreView(
                Score(metric: score.metric, estimate: score.estimate), model: score.model, withModel: withModels)
            view.tasks = NumberText.count(score.tasks)
            return view
        }
        if !self.scores.isEmpty { self.scores[0].isFirst = true }
    }
}
