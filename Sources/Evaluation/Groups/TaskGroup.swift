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
