internal import PythonCompat

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
            return .change(fallback: options.fallback, try NativeFunction.filter(function, options))
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
