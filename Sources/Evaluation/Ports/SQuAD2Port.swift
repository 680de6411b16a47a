#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// What the class task squadv2 does with documents and responses; metrics as in the official script, in per cent.
enum SQuAD2Port {
    /// What squadv2 `SQuAD2.construct_requests` asks for besides a text.
    static let unanswerable = " unanswerable"

    /// squadv2 `SQuAD2.doc_to_text`.
    static func prompt(_ document: JSONValue) throws(TaskError) -> String {
        let columns = ColumnReader(document)
        let (title, context) = (try columns.string("title"), try columns.string("context"))
        return "Title: \(title)\n\nBackground: \(context)\n\nQuestion: \(try columns.string("question"))\n\nAnswer:"
    }

    /// squadv2 `SQuAD2.doc_to_target`.
    static func target(_ document: JSONValue) throws(TaskError) -> JSONValue {
        .string(" " + (try ColumnReader(document).mapping("answers").strings("text").first ?? "unanswerable"))
    }

    /// squadv2 `SQuAD2.process_results`, and what the metric squad_v2 makes of one prediction.
    static func results(_ document: JSONValue, _ answers: NativeAnswers) throws(TaskError) -> [NativeResult] {
        let golds = try ColumnReader(document).mapping("answers").strings("text")
        guard let text = answers.texts.first, let unanswerable = answers.scores.first else {
            throw TaskError(
                .invalidResponse,
                "the log-likelihood of \"\(Self.unanswerable)\" is not there; it is kept with logits: choices")
        }
        let hasAnswer = !golds.isEmpty
        var references = golds.filter { !SquadAnswer.tokens($0).isEmpty }
        if references.isEmpty { references = [""] }
        let exact = references.map { SquadAnswer.exact(text, gold: $0) }.max() ?? 0
        let f1 = references.map { SquadAnswer.f1(text, gold: $0) }.max() ?? 0
        // The metric's data type has 32 bits, which decides about order.
        let probability = Double(Float(exp(unanswerable.logProb)))
        let terms = [hasAnswer ? 1 : 0, text.isEmpty ? 1 : 0, probability]
        // A probability above the metric's threshold of 1 counts as the answer "unanswerable".
        func answered(_ score: Double) -> Double { probability > 1 ? hasAnswer ? 0 : 1 : score }
        func part(_ score: Double, _ isCounted: Bool) -> (value: Double, weight: Double) {
            isCounted ? (100 * score, 1) : (0, 0)
        }
        return [("exact", exact), ("f1", f1)].flatMap { name, score in
            let (answerable, other) = (part(answered(score), hasAnswer), part(answered(score), !hasAnswer))
            return [
                NativeResult(name: name, value: 100 * answered(score)),
                NativeResult(name: "HasAns_\(name)", value: answerable.value, weight: answerable.weight),
                NativeResult(name: "NoAns_\(name)", value: other.value, weight: other.weight),
                NativeResult(name: "best_\(name)", value: score, terms: terms),
            ]
        }
    }

    /// A prediction for which refusing to answer is an alternative.
    struct Threshold {
        /// From 0 to 1.
        var score: Double
        var hasAnswer: Bool
        /// Whether the prediction is empty.
        var isEmpty: Bool
        var noAnswerProbability: Double
    }

    /// The best score in per cent that a threshold of the probability gives, above which nothing is answered, and what each
    /// prediction then has, in per cent, in their order.
    static func best(_ predictions: [Threshold]) -> (score: Double, values: [Double]) {
        var current = Double(predictions.count { !$0.hasAnswer })
        var (best, answered) = (current, 0)
        let ordered = predictions.enumerated().sorted {
            ($0.element.noAnswerProbability, $0.offset) < ($1.element.noAnswerProbability, $1.offset)
        }
        for (number, (_, prediction)) in ordered.enumerated() {
            current += prediction.hasAnswer ? prediction.score : prediction.isEmpty ? 0 : -1
            if current > best { (best, answered) = (current, number + 1) }
        }
        var values = predictions.map { $0.hasAnswer ? 0.0 : 100 }
        for (index, prediction) in ordered.prefix(answered) {
            values[index] = prediction.hasAnswer ? 100 * prediction.score : prediction.isEmpty ? 100 : 0
        }
        return (100 * best / Double(predictions.count), values)
    }
}
