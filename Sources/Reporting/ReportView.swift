internal import Evaluation
internal import JSON
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

/// One job's health, provenance and files.
struct JobView {
    var jobName: String
    var jobModel: String
    var health: [HealthView]
    var provenance: [FactView]
    var settings: String
    var samplesFile: String
    var resultPath: String
    /// The HDF5 file, from the version's folder.
    var resultLink: String
    /// Three lines that read the scores.
    var python: [String]

    init(_ report: JobReport) {
        let job = report.job
        self.jobName = Printable.text(job.name)
        self.jobModel = Printable.text(job.model.name)
        self.health = HealthView.all(of: report.health)
        self.provenance = FactView.provenance(of: job)
        self.settings = report.settings.text(.indented)
        self.samplesFile = report.samplesFile
        self.resultPath = Printable.text(job.resultPath)
        self.resultLink = "../../../" + Self.percentEncoded(job.resultPath)
        // JSON's strings are Python's, too.
        let file = JSONValue.string(job.resultPath).text(.oneLine)
        let column = JSONValue.string("samples/\(job.metrics.first?.name ?? "")").text(.oneLine)
        self.python = ["import h5py", "with h5py.File(\(file)) as file:", "    scores = file[\(column)][:]"]
    }

    private static func percentEncoded(_ path: String) -> String {
        var text = ""
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"),
                UInt8(ascii: "/"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                text += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return text
    }
}

/// A count of what makes a score doubtful.
struct HealthView {
    var what: String
    var amount: String
    var part: String
    var hasPart: Bool
    /// Whether there is something to look at.
    var isRaised: Bool

    static func all(of health: Health) -> [HealthView] {
        func doubt(_ count: Int?, _ what: String) -> HealthView? {
            count.map { count in
                HealthView(
                    what: what, amount: NumberText.count(count), part: NumberText.percent(health.share(count)),
                    hasPart: true, isRaised: count > 0)
            }
        }
        func total(_ count: Int, _ what: String) -> HealthView {
            HealthView(what: what, amount: NumberText.count(count), part: "", hasPart: false, isRaised: false)
        }
        let doubts = [
            doubt(health.unparsed, "unparsed"), doubt(health.hitMaxTokens, "hit max tokens"),
            doubt(health.truncated, "truncated"),
        ]
        let tokens = [
            total(health.promptTokens, "prompt tokens"),
            health.hitMaxTokens == nil ? nil : total(health.generatedTokens, "generated tokens"),
        ]
        return [total(health.samples, "samples")] + (doubts + tokens).compactMap { $0 }
    }
}

/// A name and what it stands for.
struct FactView {
    var fact: String
    var content: String
    /// Whether the content is a hash or path.
    var isCode: Bool

    static func provenance(of job: JobInput) -> [FactView] {
        func fact(_ fact: String, _ content: String?) -> FactView? {
            content.map { .init(fact: fact, content: Printable.text($0), isCode: false) }
        }
        func code(_ fact: String, _ content: String?) -> FactView? {
            content.map { .init(fact: fact, content: Printable.text($0), isCode: true) }
        }
        let engines = job.engines.flatMap { engine in
            [
                fact("Engine", engine.name), code("Engine build", engine.build),
                fact("Device kind", engine.deviceKind), code("Engine settings", engine.settings),
            ].compactMap { $0 }
        }
        return [
            fact("Job", job.name), code("Logical digest", job.digest), fact("Model", job.model.name),
            code("Model sha256", job.model.sha256), code("Tokenizer sha256", job.model.tokenizerSHA256),
            fact("Task", job.task.name), fact("Task version", job.task.version), code("Task hash", job.task.hash),
            code("Data set sha256", job.datasetSHA256), code("Prompts hash", job.promptsHash),
        ].compactMap { $0 } + engines
            + [
                fact("Logits mode", job.logitsMode), fact("Shards", String(job.shardCount)),
                fact("Samples taken over", Self.reused(job.reusedFrom)),
            ].compactMap { $0 }
    }

    /// From which jobs, and how many.
    private static func reused(_ reused: [String: Int]) -> String? {
        guard !reused.isEmpty else { return nil }
        return reused.sorted { $0.key < $1.key }.map { "\($0.value) from \($0.key)" }.joined(separator: ", ")
    }
}

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
