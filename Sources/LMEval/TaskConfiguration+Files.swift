internal import ConfigFile
public import Evaluation
internal import FoundationEssentials
internal import Glibc
internal import JSON
internal import Jinja
internal import OrderedCollections

extension ConfigurationNode {
    /// The task with the keys of the files it includes; its own keys win, and of several files the later one's, as in lm-eval.
    func includingOthers() throws(TaskError) -> ConfigurationNode {
        var budget = 64
        return try self.includingOthers(depth: 0, budget: &budget)
    }

    private func includingOthers(depth: Int, budget: inout Int) throws(TaskError) -> ConfigurationNode {
        guard case .mapping(var members) = self.content,
            let index = members.firstIndex(where: { $0.key == "include" })
        else { return self }
        let include = members.remove(at: index).node
        guard depth < 5 else { throw include.error(.limitExceeded, "files include each other more than 5 deep") }
        var notes = self.notes
        let names = if case .list(let nodes) = include.content { nodes } else { [include] }
        for name in names.reversed() {
            budget -= 1
            guard budget > 0 else { throw name.error(.limitExceeded, "more than 64 files are included") }
            let others = try name.included(from: self.place.file).includingOthers(depth: depth + 1, budget: &budget)
            notes += others.notes.filter { !notes.contains($0) }
            guard case .mapping(let others) = others.content else {
                throw others.error(.invalidValue, "a task file must be a mapping (key: value)")
            }
            members += others.filter { other in !members.contains { $0.key == other.key } }
        }
        var node = ConfigurationNode(.mapping(members), place: self.place)
        node.notes = notes
        return node
    }

    /// The file that this node names, relative to `file`.
    private func included(from file: String) throws(TaskError) -> ConfigurationNode {
        guard case .scalar(.string(let name)) = self.content, !name.isEmpty, !name.hasPrefix("/") else {
            throw self.error(
                .invalidValue, "include is \(self.found); it must be a path relative to this file, or a list of such")
        }
        let path = sibling(name, of: file)
        do throws(TaskError) {
            return try ConfigurationNode.load(path: path)
        } catch  where error.code == .unreadableFile {
            throw self.error(.unreadableFile, "can't include \(path): \(error.message)")
        }
    }
}

extension TaskConfiguration {
    /// The data files of a split: beside the task file, else in the first of `searchFolders` that has them.
    ///
    /// A name with `*` or `?` stands for all files that match, in the order of their names.
    /// - Throws: `TaskError` that names every place that was looked at.
    public func dataFiles(split: String, searchFolders: [String] = []) throws(TaskError) -> [String] {
        if let dataSet { throw dataSet.isNotLookedFor(in: self.file) }
        guard let names = self.dataFiles[split] else {
            throw TaskError(
                .invalidValue, "the task \(self.name) names no file for the split \(split)", file: self.file)
        }
        var files: [String] = []
        for name in names {
            var candidates = [sibling(name, of: self.file)]
            if !name.hasPrefix("/") {
                candidates += searchFolders.map { $0 + ($0.hasSuffix("/") ? "" : "/") + name }
            }
            guard let found = candidates.lazy.map(Self.matching).first(where: { !$0.isEmpty }) else {
                throw TaskError(
                    .unreadableFile,
                    "the data file of the split \(split) is missing; looked for \(candidates.joined(separator: ", "))",
                    file: self.file)
            }
            files += found
        }
        return files
    }

    private static func matching(_ path: String) -> [String] {
        if FileManager.default.fileExists(atPath: path) { return [path] }
        guard path.contains(where: { "*?[".contains($0) }) else { return [] }
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(path, 0, nil, &found) == 0 else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { index in
            found.gl_pathv[index].flatMap { String(validatingCString: $0) }
        }
    }
}

/// `name` in the folder of `file`.
func sibling(_ name: String, of file: String) -> String {
    guard !name.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return name }
    return String(file[...slash]) + name
}

/// How a task file of lm-eval can be used.
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
    /// The texts after the tags !function in it.
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
