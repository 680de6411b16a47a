internal import ConfigFile
public import Evaluation
internal import JSON

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Tasks under one name, and how their scores become one.
public struct TaskGroup: Sendable, Hashable {
    /// How a metric of the members becomes the group's.
    public struct Metric: Sendable, Hashable {
        public var name: String
        /// The members' filters; `nil` for all that they have.
        public var filters: [String]?
        /// Each member counts by its samples, instead of all alike.
        public var weightBySize: Bool
    }

    public var name: String
    public var alias: String?
    /// Names of tasks, groups and tags, in the order of the file.
    public var members: [String]
    public var metrics: [Metric]
    /// Members to which the file gives keys of their own.
    var membersWithKeys: [String] = []

    /// Reads a group file.
    init(_ node: ConfigurationNode) throws(TaskError) {
        var reader = try MappingReader(node, name: "the group")
        guard let name = try reader.string("group"), !name.isEmpty else {
            throw reader.missing("group", "give the group a name")
        }
        self.name = name
        self.alias = try reader.string("group_alias")
        self.members = []
        for node in try reader.list("task") ?? [] {
            let name = try Self.member(node)
            self.members.append(name)
            if case .mapping(let members) = node.content, members.count > 1 { self.membersWithKeys.append(name) }
        }
        guard !self.members.isEmpty else { throw reader.missing("task", "list the group's tasks") }
        var metrics: [Metric] = []
        if let node = reader.node("aggregate_metric_list") {
            let nodes = if case .list(let nodes) = node.content { nodes } else { [node] }
            for node in nodes { metrics.append(try Metric(node)) }
        }
        self.metrics = metrics
        // What tasks share with their groups in some files, and lm-eval takes no notice of.
        for key in ["metadata", "tag", "metric_list"] { _ = reader.node(key) }
        try reader.finish()
    }

    private static func member(_ node: ConfigurationNode) throws(TaskError) -> String {
        switch node.content {
        case .scalar(.string(let name)): return name
        case .mapping(let members):
            for key in ["task", "group"] {
                if let name = members.first(where: { $0.key == key })?.node.value.string { return name }
            }
            throw node.error(.missingKey, "a member of a group needs a name in task or group")
        default: throw node.error(.invalidValue, "a member of a group is \(node.found); it must be a name")
        }
    }
}

extension TaskGroup.Metric {
    fileprivate init(_ node: ConfigurationNode) throws(TaskError) {
        var reader = try MappingReader(node, name: "an entry of aggregate_metric_list")
        guard let name = try reader.string("metric") else { throw reader.missing("metric", "name a metric") }
        self.name = name
        self.filters = try reader.strings("filter_list")
        self.weightBySize = try reader.boolean("weight_by_size") ?? true
        if let aggregation = try reader.string("aggregation"), aggregation != "mean" {
            throw reader.place.error(.unsupported, "aggregation is \(aggregation); groups have means only")
        }
        // Some files have it, and lm-eval takes no notice.
        _ = reader.node("higher_is_better")
        try reader.finish()
    }
}

/// A task file of a group.
public struct GroupMember: Sendable, Hashable {
    public var path: String
    /// The groups that it belongs to, the outermost first.
    public var groups: [JobSpecification.Group]
    /// To be told to the group's author.
    public var notes: [String] = []

    /// The task files that a file stands for: all of a group's, groups within groups included, or the file itself.
    ///
    /// Members are looked for by name below the group file's folder.
    public static func all(of path: String) throws(TaskError) -> [GroupMember] {
        guard let group = try Self.group(path) else { return [GroupMember(path: path, groups: [])] }
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        var expansion = Expansion(try TaskIndex(folder: folder))
        try expansion.add(group, path, within: [])
        return expansion.members
    }

    /// The group in a file; `nil` for a task.
    private static func group(_ path: String) throws(TaskError) -> TaskGroup? {
        let node = try ConfigurationNode.load(path: path)
        guard node.groupName != nil else { return nil }
        return try TaskGroup(try node.includingOthers())
    }

    private struct Expansion {
        let index: TaskIndex
        var members: [GroupMember] = []
        /// By path, the groups that led to it, each way by itself.
        private var ways: [String: [[JobSpecification.Group]]] = [:]

        static let depth = 8
        static let limit = 10_000

        init(_ index: TaskIndex) { self.index = index }

        mutating func add(
            _ group: TaskGroup, _ file: String, within outer: [JobSpecification.Group]
        ) throws(TaskError) {
            guard outer.count < Self.depth, !outer.contains(where: { $0.name == group.name }) else {
                throw TaskError(
                    .limitExceeded,
                    "the group \(group.name) is within itself, or groups are nested more than \(Self.depth) deep",
                    file: file)
            }
            if let name = group.membersWithKeys.first {
                throw TaskError(
                    .unsupported,
                    "the group \(group.name) gives its member \(name) keys of its own; write a task file that includes the "
                        + "other one, and name that", file: file)
            }
            let chain = outer + [JobSpecification.Group(group)]
            for name in group.members {
                for path in try self.index.paths(named: name, by: group.name, in: file) {
                    if let inner = try GroupMember.group(path) {
                        try self.add(inner, path, within: chain)
                    } else {
                        try self.add(path, chain, file)
                    }
                }
            }
        }

        private mutating func add(
            _ path: String, _ groups: [JobSpecification.Group], _ file: String
        ) throws(TaskError) {
            if let known = self.members.firstIndex(where: { $0.path == path }) {
                let own = self.members[known].groups
                if self.ways[path]?.contains(groups) == false, let shared = groups.first(where: { own.contains($0) }) {
                    self.members[known].notes.append(
                        "the group \(shared.name) has it in several ways; it counts once there, in lm-eval once for each"
                    )
                }
                self.ways[path]?.append(groups)
                self.members[known].groups += groups.filter { !own.contains($0) }
                return
            }
            guard self.members.count < Self.limit else {
                throw TaskError(.limitExceeded, "the group has more than \(Self.limit) tasks", file: file)
            }
            self.members.append(GroupMember(path: path, groups: groups))
            self.ways[path] = [groups]
        }
    }
}

extension JobSpecification.Group {
    fileprivate init(_ group: TaskGroup) {
        self.init(
            name: group.name, alias: group.alias,
            metrics: group.metrics.map {
                .init(name: $0.name, filters: $0.filters, weightBySize: $0.weightBySize)
            })
    }
}

/// The task and group files below a folder, by what groups call them.
struct TaskIndex {
    let folder: String
    /// Files by the task or group in them.
    private var files: [String: [String]] = [:]
    /// Task files by their tags, in the order of paths.
    private var tags: [String: [String]] = [:]

    private static let limit = 20_000

    /// Files that are no YAML are left out: they are in nobody's way until they are named.
    init(folder: String) throws(TaskError) {
        self.folder = folder
        let names: [String]
        do {
            names = try FileManager.default.subpathsOfDirectory(atPath: folder)
        } catch {
            throw TaskError(.unreadableFile, "can't look for the group's tasks in \(folder): \(error)", file: folder)
        }
        let paths = names.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.map { "\(folder)/\($0)" }
        guard paths.count <= Self.limit else {
            throw TaskError(
                .limitExceeded, "there are more than \(Self.limit) task files below \(folder); group fewer",
                file: folder)
        }
        for path in paths.sorted() { self.read(path) }
    }

    private mutating func read(_ path: String) {
        guard let node = try? ConfigurationNode.load(path: path).includingOthers(),
            case .mapping(let members) = node.content
        else { return }
        func value(_ key: String) -> JSONValue? { members.first { $0.key == key }?.node.value }
        guard let name = node.groupName ?? value("task")?.string else { return }
        self.files[name, default: []].append(path)
        // As in lm-eval, groups have no tags.
        guard node.groupName == nil else { return }
        var tags: [String] = []
        switch value("tag") {
        case .string(let tag)?: tags = [tag]
        case .array(let items)?: tags = items.compactMap(\.string)
        default: break
        }
        for tag in tags { self.tags[tag, default: []].append(path) }
    }

    /// The files that a member of a group stands for: one task or group, or all tasks with the tag.
    func paths(named name: String, by group: String, in file: String) throws(TaskError) -> [String] {
        if let paths = self.files[name] {
            guard paths.count == 1 else {
                throw TaskError(
                    .invalidValue, "the group \(group) names \(name), which is in \(paths.joined(separator: " and "))",
                    file: file)
            }
            return paths
        }
        guard let paths = self.tags[name] else {
            throw TaskError(
                .invalidValue,
                "the group \(group) names \(name), but no task file below \(self.folder) has such a task, group or tag",
                file: file)
        }
        return paths
    }
}

extension ConfigurationNode {
    /// The group that the file defines; `nil` for a task.
    var groupName: String? {
        guard case .mapping(let members) = self.content,
            case .list? = members.first(where: { $0.key == "task" })?.node.content
        else { return nil }
        return members.first { $0.key == "group" }?.node.value.string
    }
}
