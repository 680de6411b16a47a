extension FilterPipeline {
    private enum Function: String, CaseIterable {
        case regex
        case removeWhitespace = "remove_whitespace"
        case takeFirst = "take_first"
    }

    static func list(_ reader: inout MappingReader, outputType: OutputType) throws(TaskError) -> [FilterPipeline] {
        guard let node = reader.node("filter_list") else { return [] }
        guard outputType == .generateUntil else {
            throw node.error(.unsupported, "filter_list is for output_type generate_until, not \(outputType.rawValue)")
        }
        guard case .list(let nodes) = node.content, !nodes.isEmpty else {
            throw reader.wrong("filter_list", node, "a list of {name, filter}")
        }
        var pipelines: [FilterPipeline] = []
        for node in nodes {
            var inner = try MappingReader(node, name: "an entry of filter_list")
            guard let name = try inner.string("name"), !name.isEmpty, !name.contains(",") else {
                throw inner.missing("name", "give each filter a name of its own without commas")
            }
            guard !pipelines.contains(where: { $0.name == name }) else {
                throw node.error(.invalidValue, "the filter \(name) is there twice")
            }
            guard let steps = try inner.list("filter") else {
                throw inner.missing("filter", "list functions such as {function: take_first}")
            }
            try inner.finish()
            var filters: [Filter] = []
            for step in steps {
                guard filters.last != .takeFirst else {
                    throw step.error(.invalidValue, "take_first must be the last function of a filter")
                }
                filters.append(try Self.filter(step))
            }
            pipelines.append(FilterPipeline(name: name, filters: filters))
        }
        return pipelines
    }

    private static func filter(_ node: ConfigurationNode) throws(TaskError) -> Filter {
        var reader = try MappingReader(node, name: "a filter")
        guard let function = try reader.choice("function", of: Function.self) else {
            throw reader.missing("function", "name regex, remove_whitespace or take_first")
        }
        var filter: Filter
        switch function {
        case .removeWhitespace: filter = .removeWhitespace
        case .takeFirst: filter = .takeFirst
        case .regex:
            let pattern = try reader.regex("regex_pattern") ?? #"#### (\-?[0-9\.\,]+)"#
            let group = try reader.integer("group_select", in: -1_000_000...1_000_000) ?? 0
            filter = .regex(
                pattern: pattern, group: group, fallback: try reader.string("fallback") ?? "[invalid]")
        }
        try reader.finish()
        return filter
    }
}

extension MappingReader {
    /// A regular expression that can be parsed.
    mutating func regex(_ key: String) throws(TaskError) -> String? {
        guard let node = self.node(key) else { return nil }
        guard case .scalar(.string(let pattern)) = node.content else {
            throw self.wrong(key, node, "a regular expression in quotes")
        }
        try Self.checkRegex(pattern, node)
        return pattern
    }

    static func checkRegex(_ pattern: String, _ node: ConfigurationNode) throws(TaskError) {
        do throws(PatternError) {
            _ = try PythonRegex(pattern)
        } catch {
            let place = error.offset.map { " at character \($0 + 1)" } ?? ""
            throw node.error(.invalidValue, "the regular expression \"\(pattern)\" is wrong\(place): \(error.message)")
        }
    }
}
