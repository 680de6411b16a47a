internal import Evaluation
internal import FoundationEssentials
internal import JobQueue
internal import Yams

extension JobFile {
    /// A job file is written by hand: more than this is a mistake.
    static let maximumBytes = 1 << 20

    /// Reads a job file; every error names the file and the line.
    public static func read(path: String) throws(PlanningError) -> JobFile {
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch {
            let reason = FileManager.default.fileExists(atPath: path) ? "it can't be read" : "there is no such file"
            throw PlanningError(.jobFile, at: path, "\(reason); give the path of a job file such as jobs/demo.yaml")
        }
        guard data.count <= Self.maximumBytes else {
            throw PlanningError(.jobFile, at: path, "it has \(data.count) bytes; a job file has at most 1 MiB")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
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
