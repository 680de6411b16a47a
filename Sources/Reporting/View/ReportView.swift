internal import Evaluation
internal import Statistics

/// What the templates show of a report, every number a text; they see stored properties only.
struct ReportView {
    var title: String
    var name: String
    var runID: String
    var project: String
    var toolVersion: String
    var schemaVersion: Int
    var models: [String]
    var modelNames: String
    var hasManyModels: Bool
    var taskCount: String
    var sampleCount: String
    var command: String
    var hasRemarks: Bool
    var remarks: [RemarkView]
    var hasGroups: Bool
    var groups: [GroupView]
    var tasks: [TaskView]
    var methods: [MethodView]

    init(_ report: Report) {
        let jobs = report.tasks.flatMap(\.jobs)
        var models: [String] = []
        for job in jobs where !models.contains(job.job.model.name) { models.append(job.job.model.name) }
        let used =
            jobs.flatMap { job in job.scores.map(\.estimate.method) }
            + report.groups.flatMap { group in group.scores.map(\.estimate.method) }
        let remarks = report.tasks.flatMap(RemarkView.all) + report.groups.compactMap(RemarkView.init)
        let samples = jobs.reduce(0) { $0 + $1.health.samples }

        self.title = Printable.text(report.runName.isEmpty ? report.runID : report.runName)
        self.name = report.name.value
        self.runID = Printable.text(report.runID)
        self.project = Printable.text(report.project)
        self.toolVersion = Printable.text(report.toolVersion)
        self.schemaVersion = Report.schemaVersion
        self.models = models.map { Printable.text($0) }
        self.modelNames = self.models.joined(separator: ", ")
        self.hasManyModels = models.count > 1
        self.taskCount = "\(report.tasks.count) \(report.tasks.count == 1 ? "task" : "tasks")"
        self.sampleCount = "\(NumberText.count(samples)) \(samples == 1 ? "sample" : "samples")"
        self.command = report.rebuildCommand
        self.hasRemarks = !remarks.isEmpty
        self.remarks = remarks
        let groups = report.groups.filter { !$0.scores.isEmpty }
        self.hasGroups = !groups.isEmpty
        self.groups = groups.map { GroupView($0, withModels: models.count > 1) }
        self.tasks = report.tasks.enumerated().map { TaskView($1, number: $0 + 1, withModels: models.count > 1) }
        self.methods = EstimateMethod.allCases.filter(used.contains).map { MethodView(label: $0.label, note: $0.note) }
    }
}

/// How a kind of number was computed.
struct MethodView {
    var label: String
    var note: String
}

/// Something to look at before a score is believed.
struct RemarkView {
    var place: String
    var text: String

    /// A group without a score.
    init?(_ group: GroupReport) {
        guard group.scores.isEmpty else { return nil }
        self.place = Printable.text(group.title)
        self.text = "The group has no score: no task has its metrics with its filters, or the run has a task twice."
    }

    init(place: String, text: String) {
        self.place = place
        self.text = text
    }

    static func all(of task: TaskReport) -> [RemarkView] {
        task.jobs.flatMap { job in
            let place = Printable.text("\(task.title) · \(job.job.model.name)")
            let gaps = job.scores.compactMap { score in
                score.estimate.gap.map { "\(score.metric.title): \($0.note)" }
            }
            let doubt = job.job.model.tokenizerDoubt.map { ["The model's tokenizer is in doubt: \($0)."] } ?? []
            let origins = Self.engines(job.job) + Self.invariance(job.job)
            return (doubt + Self.findings(job.health) + origins + gaps).map {
                RemarkView(place: place, text: Printable.text($0))
            }
        }
    }

    /// A job's numbers depend on who computed which shard if engines differ.
    private static func engines(_ job: JobInput) -> [String] {
        guard job.engines.count > 1 else { return [] }
        let reason =
            job.allowsMixing
            ? "the job file allows that (mixed: allowed)"
            : "that was allowed after its submission (assay retry --any-engine), or a release did it that fixed no engine"
        return [
            "The results come from \(job.engines.count) different engines, so the numbers depend on which of them took which "
                + "shard; \(reason). The provenance names them."
        ]
    }

    /// Strict is for CPUs; elsewhere engines say what they did instead.
    private static func invariance(_ job: JobInput) -> [String] {
        let strict = #""invariance":"strict""#
        guard job.isStrict, job.engines.contains(where: { $0.settings?.contains(strict) != true }) else { return [] }
        return [
            "The job asks for strict numbers, which a GPU does not give: they depend on what was computed together, as with "
                + "invariance: plan."
        ]
    }

    private static func findings(_ health: Health) -> [String] {
        func finding(_ count: Int?, _ what: String) -> String? {
            guard let count, count > 0 else { return nil }
            return "\(NumberText.count(count)) of \(NumberText.count(health.samples)) \(what) "
                + "(\(NumberText.percent(health.share(count))))."
        }
        return [
            finding(health.unparsed, "answers hold nothing that a filter could read"),
            finding(health.hitMaxTokens, "generations ended at the limit of new tokens"),
            finding(health.truncated, "samples have a prompt cut on the left"),
        ].compactMap { $0 }
    }
}
