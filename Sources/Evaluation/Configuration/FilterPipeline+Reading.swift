internal import PythonCompat

extension FilterPipeline {
    static func list(_ reader: inout MappingReader, outputType: OutputType) throws(TaskError) -> [FilterPipeline] {
        guard let node = reader.node("filter_list") else { return [] }
        guard case .list(let nodes) = node.content, !nodes.isEmpty else {
            throw reader.wrong("filter_list", node, "a list of {name, filter}")
        }
        var pipelines: [FilterPipeline] = []
        for node in nodes {
            var inner = try MappingReader(node, name: "an entry of filter_list")
            guard let name = try inner.string("name"), !name.isEmpty, !name.contains(where: { ",/:".contains($0) })
            else {
                throw inner.missing("name", "give each filter a name of its own without commas, slashes and colons")
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
                let filter = try Self.filter(step)
                guard outputType == .generateUntil || filter == .takeFirst else {
                    throw step.error(
                        .unsupported,
                        "this filter is for output_type generate_until; \(outputType.rawValue) can have take_first alone"
                    )
                }
                filters.append(filter)
            }
            pipelines.append(FilterPipeline(name: name, filters: filters))
        }
        return pipelines
    }

    private static func filter(_ node: ConfigurationNode) throws(TaskError) -> Filter {
        var reader = try MappingReader(node, name: "a filter")
        // lm-eval's "custom" names a function beside it.
        let isCustom = reader.peek("function")?.value == .string("custom")
        if isCustom { _ = reader.node("function") }
        let function = try reader.function(isCustom ? "filter_fn" : "function")
        guard function != nil || !isCustom else {
            throw reader.missing("filter_fn", "name a function that is built in")
        }
        if let function {
            guard NativeFunction.filters[function.name] != nil else {
                throw node.error(.unsupported, "\(function.name) is no filter")
            }
            let options = try NativeFilterOptions(&reader)
            try reader.finish()
            return .native(function, options)
        }
        guard let function = try reader.choice("function", of: Function.self) else {
            let names = Function.allCases.map(\.rawValue).joined(separator: ", ")
            throw reader.missing("function", "name one of \(names)")
        }
        let filter = try Self.filter(function, &reader)
        try reader.finish()
        return filter
    }

    private static func filter(_ function: Function, _ reader: inout MappingReader) throws(TaskError) -> Filter {
        switch function {
        case .removeWhitespace: return .removeWhitespace
        case .lowercase: return .lowercase
        case .uppercase: return .uppercase
        case .takeFirst: return .takeFirst
        case .majorityVote: return .majorityVote
        case .takeFirstK:
            guard let count = try reader.integer("k", in: 1...10_000) else {
                throw reader.missing("k", "say how many of the texts are kept")
            }
            return .takeFirstK(count)
        case .map:
            guard let node = reader.node("mapping_dict"), case .mapping(let members) = node.content else {
                throw reader.missing("mapping_dict", "write it such as mapping_dict: {A: yes, B: no}")
            }
            // As in Python, where True and 1 are no texts.
            return .map(
                members.filter(\.isText).map { MapEntry(text: $0.key, value: $0.node.value.mapped) },
                fallback: reader.node("default_value").map(\.value.mapped))
        case .regex:
            let (pattern, group, fallback) = try Self.expression(&reader)
            return .regex(pattern: pattern, group: group, fallback: fallback)
        case .multiChoiceRegex:
            let (pattern, group, fallback) = try Self.expression(&reader)
            return .multiChoiceRegex(
                pattern: pattern, group: group, fallback: fallback,
                ignoring: try ExactMatchNormalization(&reader, numbers: false))
        }
    }

    static func expression(
        _ reader: inout MappingReader
    ) throws(TaskError) -> (pattern: String, group: Int, fallback: String) {
        (
            try reader.regex("regex_pattern") ?? #"#### (\-?[0-9\.\,]+)"#,
            try reader.integer("group_select", in: -1_000_000...1_000_000) ?? 0,
            try reader.string("fallback") ?? "[invalid]"
        )
    }
}

extension JSONValue {
    /// What a filter's map gives: a number or boolean as it is, all else as Python prints it.
    fileprivate var mapped: JSONValue {
        switch self {
        case .int, .double, .bool: self
        default: .string(PythonText.str(self))
        }
    }
}

extension ExactMatchNormalization {
    /// - Parameter numbers: Whether the key ignore_numbers is known.
    init(_ reader: inout MappingReader, numbers: Bool = true) throws(TaskError) {
        if let text = reader.peek("regexes_to_ignore")?.value.string {
            // lm-eval goes through what is there, and of a text that is its characters.
            _ = reader.node("regexes_to_ignore")
            self.regexesToIgnore = text.unicodeScalars.map { String(Character($0)) }
        } else {
            self.regexesToIgnore = try reader.strings("regexes_to_ignore") ?? []
        }
        for pattern in self.regexesToIgnore { try MappingReader.checkRegex(pattern, reader.place) }
        self.ignoreCase = try reader.boolean("ignore_case") ?? false
        self.ignorePunctuation = try reader.boolean("ignore_punctuation") ?? false
        if numbers { self.ignoreNumbers = try reader.boolean("ignore_numbers") ?? false }
    }
}

extension MappingReader {
    /// A regular expression that can be parsed.
    mutating func regex(_ key: String) throws(TaskError) -> String? {
        guard let node = self.node(key) else { return nil }
        guard case .scalar(.string(let pattern)) = node.content else {
            throw self.wrong(key, node, "a regular expression in quotes")
        }
        try Self.checkRegex(pattern, node.place)
        return pattern
    }

    static func checkRegex(_ pattern: String, _ place: ConfigurationNode.Place) throws(TaskError) {
        do throws(PatternError) {
            _ = try PythonRegex(pattern)
        } catch {
            let offset = error.offset.map { " at character \($0 + 1)" } ?? ""
            throw place.error(
                .invalidValue, "the regular expression \"\(pattern)\" is wrong\(offset): \(error.message)")
        }
    }
}

extension NativeFilterOptions {
    fileprivate init(_ reader: inout MappingReader) throws(TaskError) {
        let (pattern, group, fallback) = try FilterPipeline.expression(&reader)
        self.expression = .init(pattern, group, fallback, try ExactMatchNormalization(&reader, numbers: false))
        guard let node = reader.node("regex_pattern_to_value") else { return }
        guard case .mapping(let members) = node.content else {
            throw reader.wrong("regex_pattern_to_value", node, "a mapping (pattern: text)")
        }
        for member in members { try MappingReader.checkRegex(member.key, member.place) }
        self.values = members.map { .init(text: $0.key, value: PythonText.str($0.node.value)) }
    }
}
