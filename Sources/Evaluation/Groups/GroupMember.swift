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
