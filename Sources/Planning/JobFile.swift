public import Evaluation
internal import Files
internal import JSON
public import JobQueue
internal import Yams

/// A job file as written: which tasks run on which models, and how.
public struct JobFile: Sendable, Hashable {
    /// Where it was read from; paths in it start at its folder.
    public var path: String
    public var name: String
    public var project: String
    public var priority: Priority
    /// Names of registered models; every task runs on each.
    public var models: [String]
    public var settings: JobSettings
    public var requirements = JobRequirements()
    /// Failures after which a shard is given up, and given-up shards after which a job is held.
    public var maxAttempts: Int?
    public var maxFailures: Int?
    /// The results of a job may come from several engines.
    public var isMixed = false
    /// Runs or jobs, as typed, that must end before this run begins.
    public var after: [Prerequisite] = []
    public var tasks: [TaskEntry]
    /// When `assay schedule add` has it run; a submit runs it once all the same.
    public var schedule: ScheduleTiming?

    /// One task of the file, with what it overrides.
    public struct TaskEntry: Sendable, Hashable {
        /// The task file, as written.
        public var path: String
        /// The line of the job file, from 1.
        public var line: Int
        public var limit: RowLimit?
        /// As many few-shot examples instead of what the task file says.
        public var fewShot: Int?
        /// How often each row's texts are generated and scored, instead of what the task file says.
        public var epochs: Int?
        public var settings: JobSettings
        /// Other task files of this job file, written before this one, whose jobs must be done first.
        public var after: [String] = []
    }

    /// Only the first rows.
    public enum RowLimit: Sendable, Hashable {
        case count(Int)
        /// Above 0 and below 1, of all rows; rounded up, as lm-eval does.
        case share(Double)

        /// How many of `count` rows.
        func rows(of count: Int) -> Int {
            switch self {
            case .count(let limit): min(limit, count)
            case .share(let share): Int((Double(count) * share).rounded(.up))
            }
        }
    }

    /// A run or a job of the queue that must end first.
    public struct Prerequisite: Sendable, Hashable {
        /// As typed: a run's or job's name, or its beginning.
        public var name: String
        public var condition: JobDependency.Condition

        public init(_ name: String, _ condition: JobDependency.Condition) {
            self.name = name
            self.condition = condition
        }
    }
}

/// What a worker must have to get the jobs of a file.
public struct JobRequirements: Sendable, Hashable {
    public var labels: [String] = []
    /// Memory of the device in megabytes.
    public var gpuMegabytes = 0
    /// "cpu", "cuda"; nil for any.
    public var device: String?
}

/// Settings of a job, all optional: what is not given comes from the level above.
public struct JobSettings: Sendable, Hashable {
    public var shardSize: Int?
    public var maxLength: Int?
    public var overflow: OverflowPolicy?
    public var batchTokens: Int?
    public var maxSequences: Int?
    public var generationSlots: Int?
    /// MiB that keys and values may take.
    public var cacheMegabytes: Int?
    public var logits: LogitsMode?
    /// Prompts go through the model's chat template.
    public var chatTemplate: Bool?
    /// Each few-shot example is a turn of its own; so unless said otherwise.
    public var fewShotAsMultiTurn: Bool?
    /// Stands before a task's description.
    public var systemInstruction: String?
    /// Programs that the model writes may be run, in a sandbox, for tasks that are scored so.
    public var runsCode: Bool?
    /// How texts become tokens, and tokens texts.
    public var tokens = TokenRules()
    /// Further variables of the chat template, as a JSON object.
    public var chatTemplateArguments: String?
    /// Whether the chat template lets the model think first.
    public var enablesThinking: Bool?
    /// What numbers may depend on besides the work itself.
    public var invariance: Invariance?
    /// Samples are taken over from results of equal work.
    public var reuse: Bool?

    public init(
        shardSize: Int? = nil, maxLength: Int? = nil, batchTokens: Int? = nil, maxSequences: Int? = nil,
        generationSlots: Int? = nil, logits: LogitsMode? = nil, overflow: OverflowPolicy? = nil,
        chatTemplate: Bool? = nil, fewShotAsMultiTurn: Bool? = nil, systemInstruction: String? = nil,
        runsCode: Bool? = nil, cacheMegabytes: Int? = nil, tokens: TokenRules = TokenRules(),
        chatTemplateArguments: String? = nil, enablesThinking: Bool? = nil, invariance: Invariance? = nil,
        reuse: Bool? = nil
    ) {
        self.invariance = invariance
        self.reuse = reuse
        self.tokens = tokens
        self.chatTemplateArguments = chatTemplateArguments
        self.enablesThinking = enablesThinking
        self.cacheMegabytes = cacheMegabytes
        self.runsCode = runsCode
        self.chatTemplate = chatTemplate
        self.fewShotAsMultiTurn = fewShotAsMultiTurn
        self.systemInstruction = systemInstruction
        self.shardSize = shardSize
        self.maxLength = maxLength
        self.overflow = overflow
        self.batchTokens = batchTokens
        self.maxSequences = maxSequences
        self.generationSlots = generationSlots
        self.logits = logits
    }

    /// These settings, with those of `base` where they say nothing.
    public func over(_ base: JobSettings) -> JobSettings {
        JobSettings(
            shardSize: self.shardSize ?? base.shardSize, maxLength: self.maxLength ?? base.maxLength,
            batchTokens: self.batchTokens ?? base.batchTokens, maxSequences: self.maxSequences ?? base.maxSequences,
            generationSlots: self.generationSlots ?? base.generationSlots, logits: self.logits ?? base.logits,
            overflow: self.overflow ?? base.overflow, chatTemplate: self.chatTemplate ?? base.chatTemplate,
            fewShotAsMultiTurn: self.fewShotAsMultiTurn ?? base.fewShotAsMultiTurn,
            systemInstruction: self.systemInstruction ?? base.systemInstruction,
            runsCode: self.runsCode ?? base.runsCode,
            cacheMegabytes: self.cacheMegabytes ?? base.cacheMegabytes, tokens: self.tokens.over(base.tokens),
            chatTemplateArguments: self.chatTemplateArguments ?? base.chatTemplateArguments,
            enablesThinking: self.enablesThinking ?? base.enablesThinking,
            invariance: self.invariance ?? base.invariance, reuse: self.reuse ?? base.reuse)
    }
}

extension JobFile {
    /// A job file is written by hand: more than this is a mistake.
    static let maximumBytes = 1 << 20

    /// Reads a job file; every error names the file and the line.
    public static func read(path: String) throws(PlanningError) -> JobFile {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try InputFile.bytes(of: path, limit: Self.maximumBytes)
        } catch {
            let advice = "give the path of a job file such as jobs/demo.yaml"
            throw PlanningError(
                .jobFile, at: path,
                error.isMissing ? "there is no such file; \(advice)" : "it \(error.reason); \(advice)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw PlanningError(.jobFile, at: path, "it is not UTF-8 text")
        }
        return try Self.parse(text, path: path)
    }

    /// Reads the text of a job file; `path` is used in messages and as the start of relative paths.
    public static func parse(_ text: String, path: String) throws(PlanningError) -> JobFile {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw PlanningError(.jobFile, at: path, "this is not YAML: \(error)\(Self.adviceOnQuotes(text))")
        }
        guard let root else { throw PlanningError(.jobFile, at: path, "the file is empty; it needs model and tasks") }
        let reader = try YAMLReader(
            root, path: path, prefix: "",
            known: [
                "name", "project", "priority", "model", "models", "settings", "requires", "max_attempts",
                "max_failures", "mixed", "after", "after_any", "tasks", "schedule",
            ])
        let one = try reader.string("model")
        let several = try reader.strings("models")
        let models = several ?? one.map { [$0] } ?? []
        guard !models.isEmpty else {
            throw reader.error("model", nil, "is missing; give the name of a model that `assay model list` shows")
        }
        if reader.node("models") != nil, reader.node("model") != nil {
            throw reader.error("model", reader.node("model"), "stands beside 'models'; keep one of them")
        }
        guard Set(models).count == models.count else {
            throw reader.error("models", reader.node("models"), "names a model twice")
        }
        return JobFile(
            path: path,
            name: try reader.string("name") ?? Self.stem(of: path),
            project: try reader.string("project") ?? "default",
            priority: try Self.priority(reader),
            models: models,
            settings: try JobSettings(reader.node("settings"), path: path, prefix: "settings"),
            requirements: try JobRequirements(reader.node("requires"), path: path),
            maxAttempts: try reader.integer("max_attempts", in: 1...100),
            maxFailures: try reader.integer("max_failures", in: 0...1_000_000_000),
            isMixed: try Self.isMixed(reader),
            after: (try reader.strings("after") ?? []).map { Prerequisite($0, .ok) }
                + (try reader.strings("after_any") ?? []).map { Prerequisite($0, .any) },
            tasks: try Self.tasks(reader),
            schedule: try Self.schedule(reader))
    }

    private static func priority(_ reader: YAMLReader) throws(PlanningError) -> Priority {
        guard let name = try reader.string("priority") else { return .normal }
        do {
            return try Priority(name: name)
        } catch {
            throw reader.error("priority", reader.node("priority"), "is wrong: \(error)")
        }
    }

    private static func isMixed(_ reader: YAMLReader) throws(PlanningError) -> Bool {
        switch try reader.string("mixed") {
        case nil, "forbidden": return false
        case "allowed": return true
        case let other?:
            throw reader.error(
                "mixed", reader.node("mixed"),
                "is '\(other)'; it must be forbidden (all results of a job come from one engine) or allowed")
        }
    }

    private static func schedule(_ reader: YAMLReader) throws(PlanningError) -> ScheduleTiming? {
        guard let node = reader.node("schedule") else { return nil }
        return try ScheduleTiming(node, path: reader.path)
    }

    private static func tasks(_ reader: YAMLReader) throws(PlanningError) -> [TaskEntry] {
        guard let list = reader.node("tasks")?.sequence, !list.isEmpty else {
            throw reader.error("tasks", reader.node("tasks"), "must be a list of task files, with one at least")
        }
        var entries: [TaskEntry] = []
        for (index, node) in list.enumerated() {
            let line = node.mark?.line ?? reader.line
            if let path = node.scalar?.string {
                entries.append(TaskEntry(path: path, line: line, settings: JobSettings()))
                continue
            }
            let prefix = "tasks[\(index)]"
            let entry = try YAMLReader(
                node, path: reader.path, prefix: prefix,
                known: ["task", "limit", "num_fewshot", "epochs", "settings", "after"])
            let after = try entry.strings("after") ?? []
            if let stranger = after.first(where: { name in !entries.contains { $0.path == name } }) {
                throw entry.error(
                    "after", entry.node("after"),
                    "names '\(stranger)', which is no task written before this one in the file")
            }
            entries.append(
                TaskEntry(
                    path: try entry.required("task"), line: line,
                    limit: try Self.limit(entry),
                    fewShot: try entry.integer("num_fewshot", in: 0...1000),
                    epochs: try entry.integer("epochs", in: 1...1000),
                    settings: try JobSettings(entry.node("settings"), path: reader.path, prefix: "\(prefix).settings"),
                    after: after))
        }
        return entries
    }

    private static func limit(_ entry: YAMLReader) throws(PlanningError) -> RowLimit? {
        guard let node = entry.node("limit") else { return nil }
        if let count = node.int, (1...1_000_000_000).contains(count) { return .count(count) }
        if let share = node.float, share > 0, share < 1 { return .share(share) }
        throw entry.error(
            "limit", node,
            "is '\(node.scalar?.string ?? "not a number")'; it must be a whole number from 1, or a share of the rows between 0 "
                + "and 1")
    }

    /// What YAML makes of a cron expression that begins with one of its own marks is hard to guess from its error.
    private static func adviceOnQuotes(_ text: String) -> String {
        let isUnquoted = text.split(whereSeparator: \.isNewline).contains { line in
            guard let key = line.firstRange(of: "cron:") else { return false }
            return ["*", "@"].contains(line[key.upperBound...].first { $0 != " " })
        }
        return isUnquoted ? "; a cron expression that begins with * or @ must stand in quotes" : ""
    }

    private static func stem(of path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return name.split(separator: ".").first.map(String.init) ?? name
    }
}

extension JobRequirements {
    fileprivate init(_ node: Node?, path: String) throws(PlanningError) {
        self.init()
        guard let node else { return }
        let reader = try YAMLReader(node, path: path, prefix: "requires", known: ["labels", "gpu_mb", "device"])
        self.labels = try reader.strings("labels") ?? []
        if let label = self.labels.first(where: { $0.hasPrefix(WorkerLabel.reservedPrefix) }) {
            throw reader.error(
                "labels", reader.node("labels"),
                "has '\(label)'; labels that begin with \(WorkerLabel.reservedPrefix) are reserved")
        }
        self.gpuMegabytes = try reader.integer("gpu_mb", in: 0...100_000_000) ?? 0
        self.device = try reader.string("device")
        if let device, !device.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) }) {
            throw reader.error("device", reader.node("device"), "is '\(device)'; it must be a word such as cpu or cuda")
        }
    }
}

extension JobSettings {
    init(_ node: Node?, path: String, prefix: String) throws(PlanningError) {
        self.init()
        guard let node else { return }
        let reader = try YAMLReader(
            node, path: path, prefix: prefix,
            known: [
                "shard_size", "max_length", "batch_tokens", "max_sequences", "generation_slots", "cache_mb", "logits",
                "overflow", "chat_template", "fewshot_as_multiturn", "system_instruction", "run_code", "add_bos_token",
                "prefix_token", "special_tokens", "score_bos", "end_tokens", "think_end_token", "enable_thinking",
                "chat_template_args", "space_prefix", "normalization", "invariance", "reuse",
            ])
        self.shardSize = try reader.integer("shard_size", in: 1...100_000)
        self.maxLength = try reader.integer("max_length", in: 16...10_000_000)
        self.batchTokens = try reader.integer("batch_tokens", in: 32...1_000_000)
        self.maxSequences = try reader.integer("max_sequences", in: 2...256)
        self.generationSlots = try reader.integer("generation_slots", in: 1...255)
        self.cacheMegabytes = try reader.integer("cache_mb", in: 1...100_000_000)
        self.logits = try reader.choice("logits")
        self.overflow = try reader.choice("overflow")
        self.chatTemplate = try reader.boolean("chat_template")
        self.fewShotAsMultiTurn = try reader.boolean("fewshot_as_multiturn")
        self.systemInstruction = try reader.string("system_instruction")
        self.runsCode = try reader.boolean("run_code")
        self.tokens = TokenRules(
            addsBeginning: try reader.boolean("add_bos_token"), prefixToken: try reader.string("prefix_token"),
            specialTokens: try reader.choice("special_tokens"), scoresBeginning: try reader.boolean("score_bos"),
            endTokens: try reader.strings("end_tokens"), thinkEndToken: try reader.string("think_end_token"),
            spacePrefix: try reader.choice("space_prefix"), normalization: try reader.choice("normalization"))
        self.enablesThinking = try reader.boolean("enable_thinking")
        self.invariance = try reader.choice("invariance")
        self.reuse = try reader.boolean("reuse")
        self.chatTemplateArguments = try reader.jsonObject("chat_template_args")
    }
}

/// Reads one map of a job file, key by key, and knows where each key stands.
struct YAMLReader {
    let path: String
    /// The keys above, for messages: "tasks[2].settings".
    let prefix: String
    private let mapping: Node.Mapping
    let line: Int

    init(_ node: Node, path: String, prefix: String, known: [String]) throws(PlanningError) {
        self.path = path
        self.prefix = prefix
        self.line = node.mark?.line ?? 1
        guard case .mapping(let mapping) = node else {
            throw PlanningError(
                .jobFile, at: "\(path):\(self.line)",
                "\(prefix.isEmpty ? "the file" : "'\(prefix)'") must be a map of \(known.joined(separator: ", "))")
        }
        self.mapping = mapping
        var seen: Set<String> = []
        for (key, _) in mapping {
            let name = key.scalar?.string ?? ""
            let place = "\(path):\(key.mark?.line ?? self.line)"
            guard known.contains(name) else {
                throw PlanningError(
                    .jobFile, at: place, "unknown key '\(name)'; known here are \(known.joined(separator: ", "))")
            }
            guard seen.insert(name).inserted else {
                throw PlanningError(.jobFile, at: place, "'\(name)' is here twice; keep one")
            }
        }
    }

    func node(_ key: String) -> Node? {
        guard let node = self.mapping[Node(key)] else { return nil }
        if node.scalar?.string == "" || node == Node("null", Tag(.null)) { return nil }
        return node
    }

    func error(_ key: String, _ node: Node?, _ message: String) -> PlanningError {
        let name = self.prefix.isEmpty ? key : "\(self.prefix).\(key)"
        return PlanningError(.jobFile, at: "\(self.path):\(node?.mark?.line ?? self.line)", "'\(name)' \(message)")
    }

    func string(_ key: String) throws(PlanningError) -> String? {
        guard let node = self.node(key) else { return nil }
        guard let value = node.scalar?.string else { throw self.error(key, node, "must be plain text") }
        return value
    }

    func required(_ key: String) throws(PlanningError) -> String {
        guard let value = try self.string(key) else { throw self.error(key, nil, "is missing") }
        return value
    }

    func integer(_ key: String, in range: ClosedRange<Int>) throws(PlanningError) -> Int? {
        guard let node = self.node(key) else { return nil }
        guard let value = Int.construct(from: node.scalar ?? Node.Scalar("")), range.contains(value) else {
            throw self.error(
                key, node,
                "is '\(node.scalar?.string ?? "not a number")'; it must be a whole number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return value
    }

    /// One of the names of an enumeration.
    func boolean(_ key: String) throws(PlanningError) -> Bool? {
        guard let node = self.node(key) else { return nil }
        guard let flag = node.bool else { throw self.error(key, node, "must be true or false") }
        return flag
    }

    func choice<Value: RawRepresentable<String> & CaseIterable>(_ key: String) throws(PlanningError) -> Value? {
        guard let name = try self.string(key) else { return nil }
        guard let value = Value(rawValue: name) else {
            let known = Value.allCases.map(\.rawValue).joined(separator: ", ")
            throw self.error(key, self.node(key), "is '\(name)'; it must be one of \(known)")
        }
        return value
    }

    /// A map, as a JSON text.
    func jsonObject(_ key: String) throws(PlanningError) -> String? {
        guard let node = self.node(key) else { return nil }
        guard case .mapping = node else { throw self.error(key, node, "must be a map of names and values") }
        var budget = 1000
        return try self.json(node, of: key, &budget)
    }

    private func json(_ node: Node, of key: String, _ budget: inout Int) throws(PlanningError) -> String {
        budget -= 1
        guard budget > 0 else { throw self.error(key, node, "has more than 1000 values") }
        switch node {
        case .scalar(let scalar):
            guard scalar.style == .plain else { return JSONValue.string(scalar.string).text() }
            if node.null != nil { return "null" }
            if let flag = node.bool { return "\(flag)" }
            if let number = node.int { return "\(number)" }
            if let number = node.float, number.isFinite { return "\(number)" }
            return JSONValue.string(scalar.string).text()
        case .sequence(let items):
            var parts: [String] = []
            for item in items { parts.append(try self.json(item, of: key, &budget)) }
            return "[\(parts.joined(separator: ","))]"
        case .mapping(let entries):
            var parts: [String] = []
            for (name, value) in entries {
                guard let name = name.scalar?.string else { throw self.error(key, name, "must have names as its keys") }
                parts.append("\(JSONValue.string(name).text()):\(try self.json(value, of: key, &budget))")
            }
            return "{\(parts.joined(separator: ","))}"
        case .alias: throw self.error(key, node, "must not have aliases (*name)")
        }
    }

    /// A list of plain text, or one text as a list of one.
    func strings(_ key: String) throws(PlanningError) -> [String]? {
        guard let node = self.node(key) else { return nil }
        if let one = node.scalar?.string { return [one] }
        var values: [String] = []
        for item in node.sequence ?? [] {
            guard let value = item.scalar?.string else { throw self.error(key, item, "must be a list of names") }
            values.append(value)
        }
        guard !values.isEmpty else { throw self.error(key, node, "must be a list of names, with one at least") }
        return values
    }
}
