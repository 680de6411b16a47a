internal import ConfigFile
internal import Evaluation
public import JSON
internal import PythonCompat

/// Filters that a row's generated texts pass one after the other.
public struct FilterPipeline: Sendable, Hashable {
    public var name: String
    public var filters: [Filter]

    public enum Filter: Sendable, Hashable {
        /// The `group`-th match (negative: from the end), its first group that is not empty, stripped.
        case regex(pattern: String, group: Int, fallback: String)
        /// As `regex`; where it finds nothing the row's choices are looked for, by their texts and by their letters.
        case multiChoiceRegex(pattern: String, group: Int, fallback: String, ignoring: ExactMatchNormalization)
        case removeWhitespace
        case lowercase
        case uppercase
        /// Texts become others; those that are not named become `fallback`, or no answer.
        case map([MapEntry], fallback: JSONValue?)
        case takeFirst
        case takeFirstK(Int)
        /// The most frequent text, of equally frequent ones the first.
        case majorityVote
        case native(BuiltinFunction, BuiltinFilterOptions)
    }

    /// What task files call the filters.
    enum Function: String, CaseIterable {
        case regex
        case multiChoiceRegex = "multi_choice_regex"
        case removeWhitespace = "remove_whitespace"
        case lowercase
        case uppercase
        case map
        case takeFirst = "take_first"
        case takeFirstK = "take_first_k"
        case majorityVote = "majority_vote"
    }

    public struct MapEntry: Sendable, Hashable {
        public var text: String
        /// A text, a number or a boolean.
        public var value: JSONValue
    }

    /// Keeps all texts, or the first one.
    static func plain(takesFirst: Bool) -> FilterPipeline {
        FilterPipeline(name: "none", filters: takesFirst ? [.takeFirst] : [])
    }
}

extension FilterPipeline.Filter {
    /// `nil` for one that is a function.
    var function: FilterPipeline.Function? {
        switch self {
        case .native: nil
        case .regex: .regex
        case .multiChoiceRegex: .multiChoiceRegex
        case .removeWhitespace: .removeWhitespace
        case .lowercase: .lowercase
        case .uppercase: .uppercase
        case .map: .map
        case .takeFirst: .takeFirst
        case .takeFirstK: .takeFirstK
        case .majorityVote: .majorityVote
        }
    }
}

/// What exact_match ignores, applied in this order to both sides.
public struct ExactMatchNormalization: Sendable, Hashable {
    public var regexesToIgnore: [String] = []
    public var ignoreCase = false
    public var ignorePunctuation = false
    public var ignoreNumbers = false

    static let none = ExactMatchNormalization()
}

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
            guard BuiltinFunction.filters[function.name] != nil else {
                throw node.error(.unsupported, "\(function.name) is no filter")
            }
            let options = try BuiltinFilterOptions(&reader)
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

extension BuiltinFilterOptions {
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

/// A filter pipeline with parsed regular expressions.
struct CompiledPipeline: Sendable {
    /// A filtered text.
    struct Answer: Sendable, Hashable {
        var text: String
        /// A filter found no answer and its fallback stands in.
        var fellBack: Bool
        /// What a map made of it, where that is no text.
        var kind = AnswerKind.text
    }

    private enum Step {
        /// Each text becomes another one; a text that is the fallback counts as no answer.
        case change(fallback: String?, @Sendable ([String], JSONValue) throws(TaskError) -> [String])
        /// By the bytes of a text: what is canonically equivalent is another text in Python.
        case map([[UInt8]: JSONValue], fallback: JSONValue?)
        case takeFirst(Int)
        case majorityVote
    }

    private let steps: [Step]
    /// Whether a list is left, even of one answer: what the task file's filters do not end with take_first.
    let leavesList: Bool

    static func compiled(_ pipelines: [FilterPipeline]) throws(TaskError) -> [CompiledPipeline] {
        try pipelines.map { pipeline throws(TaskError) in
            do throws(TaskError) {
                return CompiledPipeline(
                    steps: try pipeline.filters.map { filter throws(TaskError) in try Self.step(filter) },
                    leavesList: pipeline.filters.last.map { $0 != .takeFirst } ?? false)
            } catch {
                throw TaskError(error.code, "the filter \(pipeline.name): \(error.message)")
            }
        }
    }

    private static func step(_ filter: FilterPipeline.Filter) throws(TaskError) -> Step {
        switch filter {
        case .regex(let pattern, let group, let fallback):
            let filter = try ExtendedRegexFilter(
                .init(regexPattern: pattern, groupSelect: group, fallback: fallback))
            return .change(fallback: fallback) { texts, _ throws(TaskError) in
                try texts.map { text throws(TaskError) in
                    let found = try ExtendedRegexFilter.matching { () throws(PatternError) in
                        try filter.regex.findAll(text)
                    }
                    return try filter.chosenOrFallback(found)
                }
            }
        case .multiChoiceRegex(let pattern, let group, let fallback, let normalization):
            let filter = try MultiChoiceRegexFilter(
                .init(pattern, group, fallback, normalization), choices: .column)
            return .change(fallback: fallback) { texts, document throws(TaskError) in
                try filter.apply(texts, document: document)
            }
        case .native(let function, let options):
            return .change(fallback: options.fallback, try BuiltinFunction.filter(function, options))
        case .removeWhitespace: return Self.each(PythonText.strip)
        case .lowercase: return Self.each(PythonText.lower)
        case .uppercase: return Self.each(PythonText.upper)
        case .map(let entries, let fallback):
            return .map(
                .init(entries.map { (Array($0.text.utf8), $0.value) }, uniquingKeysWith: { first, _ in first }),
                fallback: fallback)
        case .takeFirst: return .takeFirst(1)
        case .takeFirstK(let count): return .takeFirst(count)
        case .majorityVote: return .majorityVote
        }
    }

    private static func each(_ change: @escaping @Sendable (String) -> String) -> Step {
        .change(fallback: nil) { texts, _ throws(TaskError) in texts.map(change) }
    }

    /// What is left of a row's generated texts.
    func apply(_ texts: [String], _ document: JSONValue) throws(TaskError) -> [Answer] {
        var answers = texts.map { Answer(text: $0, fellBack: false) }
        for step in self.steps {
            switch step {
            case .takeFirst(let count): answers = Array(answers.prefix(count))
            case .majorityVote: answers = Self.mostFrequent(answers).map { [$0] } ?? []
            case .change(let fallback, let change):
                // Filters of texts take what is none for an empty one.
                let changed = try change(answers.map { $0.kind == .text ? $0.text : "" }, document)
                answers = zip(answers, changed).map { answer, text in
                    Answer(text: text, fellBack: answer.fellBack || fallback.map { PythonText.equal($0, text) } == true)
                }
            case .map(let map, let fallback):
                answers = answers.map { answer in
                    let found = answer.kind == .text ? map[Array(answer.text.utf8)] : nil
                    guard let value = found ?? fallback else { return Answer(text: "", fellBack: true) }
                    return Answer(
                        text: PythonText.str(value), fellBack: answer.fellBack || found == nil, kind: .init(value))
                }
            }
        }
        return answers
    }

    /// Of equally frequent ones the first.
    private static func mostFrequent(_ answers: [Answer]) -> Answer? {
        var counts: [[UInt8]: Int] = [:]
        for answer in answers { counts[Array(answer.text.utf8), default: 0] += 1 }
        guard let most = counts.values.max() else { return nil }
        return answers.first { counts[Array($0.text.utf8)] == most }
    }
}

extension ExtendedRegexFilter.Options {
    init(_ pattern: String, _ group: Int, _ fallback: String, _ normalization: ExactMatchNormalization) {
        self.init(
            regexPattern: pattern, groupSelect: group, fallback: fallback, ignoreCase: normalization.ignoreCase,
            ignorePunctuation: normalization.ignorePunctuation, regexesToIgnore: normalization.regexesToIgnore)
    }
}

extension ExtendedRegexFilter {
    /// What lm-eval's filter "regex" takes: the chosen match stripped, which may be empty, else the fallback.
    fileprivate func chosenOrFallback(_ matches: [[String]]) throws(TaskError) -> String {
        let group = self.options.groupSelect
        let index = group < 0 ? matches.count + group : group
        // Without so many matches lm-eval stops with an error; the answer is as little there as without any.
        guard matches.indices.contains(index) else { return self.options.fallback }
        if matches[index].count == 1 { return PythonText.strip(matches[index][0]) }
        return PythonText.strip(matches[index].first { !$0.isEmpty } ?? self.options.fallback)
    }
}
