/// A filter pipeline with parsed regular expressions.
struct CompiledPipeline: Sendable {
    private enum Step {
        case regex(PythonRegex, group: Int, fallback: String)
        case removeWhitespace
    }

    private let steps: [Step]

    /// One pipeline for each of `pipelines`; one that changes nothing if there are none.
    static func compiled(_ pipelines: [FilterPipeline]) throws(TaskError) -> [CompiledPipeline] {
        guard !pipelines.isEmpty else { return [CompiledPipeline(steps: [])] }
        return try pipelines.map { pipeline throws(TaskError) in
            var steps: [Step] = []
            for filter in pipeline.filters {
                switch filter {
                case .takeFirst: break  // There is one answer.
                case .removeWhitespace: steps.append(.removeWhitespace)
                case .regex(let pattern, let group, let fallback):
                    do throws(PatternError) {
                        steps.append(.regex(try PythonRegex(pattern), group: group, fallback: fallback))
                    } catch {
                        throw TaskError(.invalidValue, "the filter \(pipeline.name): \(error.message)")
                    }
                }
            }
            return CompiledPipeline(steps: steps)
        }
    }

    /// The filtered text, and whether a regular expression found nothing and its fallback stands in.
    func apply(_ text: String) throws(PatternError) -> (text: String, fellBack: Bool) {
        var text = text
        var fellBack = false
        for step in self.steps {
            switch step {
            case .removeWhitespace: text = PythonText.strip(text)
            case .regex(let regex, let group, let fallback):
                let matches = try regex.findAll(text)
                let index = group < 0 ? matches.count + group : group
                if matches.isEmpty {
                    (text, fellBack) = (fallback, true)
                } else if !matches.indices.contains(index) {
                    // lm-eval stops here with an error; the answer is as little there as without a match.
                    (text, fellBack) = (fallback, true)
                } else if matches[index].count == 1 {
                    text = PythonText.strip(matches[index][0])
                } else if let found = matches[index].first(where: { !$0.isEmpty }) {
                    text = PythonText.strip(found)
                } else {
                    (text, fellBack) = (PythonText.strip(fallback), true)
                }
            }
        }
        return (text, fellBack)
    }
}
