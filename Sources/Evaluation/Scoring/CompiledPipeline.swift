/// A filter pipeline with parsed regular expressions.
struct CompiledPipeline: Sendable {
    /// A filtered text.
    struct Answer: Sendable, Hashable {
        var text: String
        /// A filter found no answer and its fallback stands in.
        var fellBack: Bool
    }

    private enum Step {
        case regex(Expression)
        case multiChoice(MultiChoiceFilter)
        case change(@Sendable (String) -> String)
        case map([String: String], fallback: String?)
        case takeFirst(Int)
        case majorityVote
    }

    fileprivate struct Expression {
        let regex: PythonRegex
        let group: Int
        let fallback: String
    }

    private let steps: [Step]

    /// One pipeline for each of `pipelines`; one that takes the first text if there are none.
    static func compiled(_ pipelines: [FilterPipeline]) throws(TaskError) -> [CompiledPipeline] {
        guard !pipelines.isEmpty else { return [CompiledPipeline(steps: [.takeFirst(1)])] }
        return try pipelines.map { pipeline throws(TaskError) in
            do throws(PatternError) {
                return CompiledPipeline(
                    steps: try pipeline.filters.map { filter throws(PatternError) in try Self.step(filter) })
            } catch {
                throw TaskError(.invalidValue, "the filter \(pipeline.name): \(error.message)")
            }
        }
    }

    private static func step(_ filter: FilterPipeline.Filter) throws(PatternError) -> Step {
        switch filter {
        case .regex(let pattern, let group, let fallback):
            .regex(Expression(regex: try PythonRegex(pattern), group: group, fallback: fallback))
        case .multiChoiceRegex(let pattern, let group, let fallback, let normalization):
            .multiChoice(
                try MultiChoiceFilter(pattern, group: group, fallback: fallback, ignoring: normalization))
        case .removeWhitespace: .change(PythonText.strip)
        case .lowercase: .change(PythonText.lower)
        case .uppercase: .change { $0.uppercased() }
        case .map(let entries, let fallback):
            .map(
                .init(entries.map { ($0.text, $0.value) }, uniquingKeysWith: { first, _ in first }), fallback: fallback)
        case .takeFirst: .takeFirst(1)
        case .takeFirstK(let count): .takeFirst(count)
        case .majorityVote: .majorityVote
        }
    }

    /// What is left of a row's generated texts.
    func apply(_ texts: [String], _ document: JSONValue) throws(PatternError) -> [Answer] {
        var answers = texts.map { Answer(text: $0, fellBack: false) }
        for step in self.steps {
            switch step {
            case .takeFirst(let count): answers = Array(answers.prefix(count))
            case .majorityVote: answers = Self.mostFrequent(answers).map { [$0] } ?? []
            case .regex(let expression):
                answers = try answers.map { answer throws(PatternError) in try expression.apply(to: answer) }
            case .multiChoice(let filter): answers = try filter.apply(answers, document)
            case .change(let change):
                answers = answers.map { Answer(text: change($0.text), fellBack: $0.fellBack) }
            case .map(let map, let fallback):
                answers = answers.map { answer in
                    if let value = map[answer.text] { return Answer(text: value, fellBack: answer.fellBack) }
                    return Answer(text: fallback ?? "", fellBack: true)
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

extension CompiledPipeline.Expression {
    fileprivate func apply(to answer: CompiledPipeline.Answer) throws(PatternError) -> CompiledPipeline.Answer {
        let matches = try self.regex.findAll(answer.text)
        let index = self.group < 0 ? matches.count + self.group : self.group
        // Without so many matches lm-eval stops with an error; the answer is as little there as without any.
        guard matches.indices.contains(index) else { return .init(text: self.fallback, fellBack: true) }
        if matches[index].count == 1 {
            return .init(text: PythonText.strip(matches[index][0]), fellBack: answer.fellBack)
        }
        guard let found = matches[index].first(where: { !$0.isEmpty }) else {
            return .init(text: PythonText.strip(self.fallback), fellBack: true)
        }
        return .init(text: PythonText.strip(found), fellBack: answer.fellBack)
    }
}
