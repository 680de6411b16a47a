internal import Jinja

/// What becomes of a task file of lm-eval.
public struct ImportedFile: Sendable, Hashable, Encodable {
    public enum Outcome: String, Sendable, Hashable, Encodable, CaseIterable {
        /// Runs as it is.
        case pure
        /// Runs as it is, with functions that are built in.
        case native
        /// Names other tasks.
        case group
        /// Has no task: other files include it.
        case template
        case refused
    }

    public var file: String
    public var task: String?
    public var outcome: Outcome
    /// The functions that are built in, or a group's members.
    public var names: [String]
    /// What has no effect.
    public var notes: [String]
    /// Why it is refused, with line and what to write instead.
    public var reason: String?
    /// Nothing in the file or in what it includes calls Python.
    public var callsNoPython: Bool
}

extension ImportedFile {
    /// Reads a task file, and tries its templates on a row of unknown columns.
    public init(path: String) {
        self.init(file: path, outcome: .refused, names: [], notes: [], reason: nil, callsNoPython: true)
        do throws(TaskError) {
            try self.read(try ConfigurationNode.load(path: path).includingOthers())
        } catch {
            self.outcome = .refused
            self.reason = "\(error)"
        }
    }

    private mutating func read(_ node: ConfigurationNode) throws(TaskError) {
        let functions = node.functions
        let notes = node.notes
        self.callsNoPython = functions.isEmpty
        let node = try node.expandingClass()
        guard case .mapping(let members) = node.content else {
            throw node.error(.invalidValue, "a task file must be a mapping (key: value)")
        }
        if node.groupName != nil {
            let group = try TaskGroup(node)
            self.task = group.name
            self.outcome = .group
            self.names = group.members
            return
        }
        guard members.contains(where: { $0.key == "task" }) else {
            self.outcome = .template
            return
        }
        self.task = members.first { $0.key == "task" }?.node.value.string
        // Where rows are comes later: this is about what is done with them.
        let own = members.filter { !["dataset_path", "dataset_name", "dataset_kwargs"].contains($0.key) }
        let task = try TaskConfiguration(
            ConfigurationNode(.mapping(own), place: node.place), file: self.file, isResolved: true)
        try task.probe()
        self.notes = notes + task.notes
        self.outcome = functions.isEmpty ? .pure : .native
        self.names = functions
    }
}

extension ConfigurationNode {
    /// What stands behind the tags !function in it.
    var functions: [String] {
        switch self.content {
        case .scalar: []
        case .function(let name): [name]
        case .list(let nodes): nodes.flatMap(\.functions)
        case .mapping(let members): members.flatMap(\.node.functions)
        }
    }
}

extension TaskConfiguration {
    /// Tries every template without knowing the columns.
    ///
    /// - Throws: `TaskError` for what Assay's templates do not have.
    func probe() throws(TaskError) {
        var templates = [("description", self.taskDescription)]
        if case .text(let text) = self.docToText { templates.append(("doc_to_text", text)) }
        if case .text(let text) = self.docToTarget { templates.append(("doc_to_target", text)) }
        if case .text(let text)? = self.docToChoice { templates.append(("doc_to_choice", text)) }
        if case .text(let text)? = self.fewShot.docToText { templates.append(("fewshot_config.doc_to_text", text)) }
        if case .text(let text)? = self.fewShot.docToTarget { templates.append(("fewshot_config.doc_to_target", text)) }
        if let prefix = self.genPrefix { templates.append(("gen_prefix", prefix)) }
        for (key, source) in templates {
            do throws(JinjaError) {
                try Template(source).probe()
            } catch {
                throw TaskError(.invalidTemplate, "\(key): \(error)", file: self.file)
            }
        }
        // Filters and metrics are put together as for scoring.
        _ = try CompiledPipeline.compiled(self.usedFilters)
        for metric in self.metrics { _ = try ExactMatch(metric.normalization) }
    }
}
