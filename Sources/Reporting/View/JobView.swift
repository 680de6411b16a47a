internal import Evaluation

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
        self.settings = report.settings.text
        self.samplesFile = report.samplesFile
        self.resultPath = Printable.text(job.resultPath)
        self.resultLink = "../../../" + Self.percentEncoded(job.resultPath)
        // JSON's strings are Python's, too.
        let file = JSONValue.string(job.resultPath).line
        let column = JSONValue.string("samples/\(job.metrics.first?.name ?? "")").line
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
