#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// What the class task squadv2 does with documents and responses; metrics as in the official script.
enum SQuAD2Port {
    /// One document's scores; the task's metrics need them all.
    struct Outcome: Sendable, Hashable {
        var id: String
        var hasAnswer: Bool
        var isEmptyPrediction: Bool
        var exact: Double
        var f1: Double
        /// The metric's data type has 32 bits, which decides about order.
        var noAnswerProbability: Float
    }

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

    /// squadv2 `SQuAD2.process_results` and what the metric squad_v2 makes of one prediction.
    static func outcome(
        _ document: JSONValue, continuation: String, unanswerableLogProb: Double
    ) throws(TaskError) -> Outcome {
        let columns = ColumnReader(document)
        let answers = try columns.mapping("answers").strings("text")
        var golds = answers.filter { !SquadAnswer.tokens($0).isEmpty }
        if golds.isEmpty { golds = [""] }
        return Outcome(
            id: try columns.string("id"), hasAnswer: !answers.isEmpty, isEmptyPrediction: continuation.isEmpty,
            exact: golds.map { SquadAnswer.exact(continuation, gold: $0) }.max() ?? 0,
            f1: golds.map { SquadAnswer.f1(continuation, gold: $0) }.max() ?? 0,
            noAnswerProbability: Float(exp(unanswerableLogProb)))
    }

    /// squadv2 `SQuAD2.aggregation`, in percent; 0 for a kind of question that is not there.
    static func aggregate(_ outcomes: [Outcome]) -> [(name: String, value: Double)] {
        let outcomes = Self.lastOfEachID(outcomes)
        // A probability above the metric's threshold of 1 counts as the answer "unanswerable".
        let exact = outcomes.map { $0.noAnswerProbability > 1 ? $0.hasAnswer ? 0 : 1 : $0.exact }
        let f1 = outcomes.map { $0.noAnswerProbability > 1 ? $0.hasAnswer ? 0 : 1 : $0.f1 }
        func percent(_ scores: [Double], hasAnswer: Bool) -> Double {
            let scores = zip(scores, outcomes).filter { $1.hasAnswer == hasAnswer }.map(\.0)
            return scores.isEmpty ? 0 : Self.percent(scores)
        }
        return [
            ("exact", Self.percent(exact)), ("f1", Self.percent(f1)),
            ("HasAns_exact", percent(exact, hasAnswer: true)), ("HasAns_f1", percent(f1, hasAnswer: true)),
            ("NoAns_exact", percent(exact, hasAnswer: false)), ("NoAns_f1", percent(f1, hasAnswer: false)),
            ("best_exact", Self.best(outcomes, \.exact)), ("best_f1", Self.best(outcomes, \.f1)),
        ]
    }

    private static func percent(_ scores: [Double]) -> Double { 100 * scores.reduce(0, +) / Double(scores.count) }

    private static func lastOfEachID(_ outcomes: [Outcome]) -> [Outcome] {
        var places: [ExactText: Int] = [:]
        var kept: [Outcome] = []
        for outcome in outcomes {
            if let place = places[ExactText(outcome.id)] {
                kept[place] = outcome
            } else {
                places[ExactText(outcome.id)] = kept.count
                kept.append(outcome)
            }
        }
        return kept
    }

    /// The best score in percent that a threshold of the probability gives, above which nothing is answered.
    private static func best(_ outcomes: [Outcome], _ score: (Outcome) -> Double) -> Double {
        var current = Double(outcomes.count { !$0.hasAnswer })
        var best = current
        let ordered = outcomes.enumerated().sorted {
            ($0.element.noAnswerProbability, $0.offset) < ($1.element.noAnswerProbability, $1.offset)
        }
        for (_, outcome) in ordered {
            current += outcome.hasAnswer ? score(outcome) : outcome.isEmptyPrediction ? 0 : -1
            best = max(best, current)
        }
        return 100 * best / Double(outcomes.count)
    }
}
