internal import Datasets
internal import Evaluation
internal import IFEval
internal import JSON
internal import OrderedCollections
internal import PythonCompat
internal import ScoreMetrics

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// The Python functions of the task drop.
enum DropPort {
    /// drop `utils.process_docs`.
    static func process(_ document: JSONValue) throws(TaskError) -> JSONValue {
        let columns = ColumnReader(document)
        return try document.setting([
            "id": try columns.value("query_id", mustBe: "a string"), "passage": .string(try columns.string("passage")),
            "question": .string(try columns.string("question")),
            "answers": .array(try Self.answers(columns).map(JSONValue.strings)),
        ])
    }

    /// drop `utils.process_results`: the best exact match and F1 over all right answers.
    static func results(
        _ document: JSONValue, _ responses: [String]
    ) throws(TaskError) -> [(name: String, value: Double)] {
        let columns = ColumnReader(document)
        let predicted = responses.map(DropText.normalized)
        var (exact, f1) = (0.0, 0.0)
        for answers in try columns.stringLists("answers") {
            guard let first = answers.first else {
                throw columns.error("answers", mustBe: "a list of lists with strings", is: "one with an empty list")
            }
            guard !PythonText.strip(first).isEmpty else { continue }
            let scores = DropText.scores(predicted: predicted, gold: answers.map(DropText.normalized))
            exact = max(exact, scores.exact)
            f1 = max(f1, scores.f1)
        }
        return [("em", exact), ("f1", f1)]
    }

    /// drop `utils.get_answers`: the answer and the validated ones, each once.
    private static func answers(_ columns: ColumnReader) throws(TaskError) -> [[String]] {
        var candidates = [try columns.mapping("answer")]
        let validated = try columns.mapping("validated_answers")
        let (dates, spans) = (try validated.items("date"), try validated.items("spans"))
        for (index, number) in try validated.items("number").enumerated() {
            guard index < min(dates.count, spans.count) else {
                throw validated.error("date", mustBe: "as long as number and spans", is: "not")
            }
            candidates.append(
                validated.replacing(.object(["number": number, "date": dates[index], "spans": spans[index]])))
        }
        var seen: Set<[ExactText]> = []
        return try candidates.map(Self.answer).filter { seen.insert($0.map(ExactText.init)).inserted }
    }

    /// drop `utils.parse_answer`.
    private static func answer(_ columns: ColumnReader) throws(TaskError) -> [String] {
        let number = try columns.value("number", mustBe: "a string")
        if number != .string("") { return [PythonText.str(number)] }
        let spans = try columns.strings("spans")
        if !spans.isEmpty { return spans }
        let date = try columns.mapping("date")
        let parts = [try date.string("day"), try date.string("month"), try date.string("year")]
        return [PythonText.strip(parts.joined(separator: " "))]
    }
}

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
    static func results(_ document: JSONValue, _ answers: BuiltinAnswers) throws(TaskError) -> [BuiltinResult] {
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
                BuiltinResult(name: name, value: 100 * answered(score)),
                BuiltinResult(name: "HasAns_\(name)", value: answerable.value, weight: answerable.weight),
                BuiltinResult(name: "NoAns_\(name)", value: other.value, weight: other.weight),
                BuiltinResult(name: "best_\(name)", value: score, terms: terms),
            ]
        }
    }
}

/// What the class task squad_completion does with documents and responses.
enum SquadCompletionPort {
    /// squad_completion `SQUADCompletion.doc_to_text`.
    static func prompt(_ document: JSONValue) throws(TaskError) -> String {
        PythonText.strip(try ColumnReader(document).string("text"))
    }

    /// squad_completion `SQUADCompletion.doc_to_target`.
    static func target(_ document: JSONValue) throws(TaskError) -> JSONValue {
        .string(PythonText.strip(try ColumnReader(document).string("value")))
    }

    /// squad_completion `SQUADCompletion.process_results`: whether the first response contains the target in any case.
    static func results(
        _ document: JSONValue, _ responses: [String]
    ) throws(TaskError) -> [(name: String, value: Double)] {
        let target = PythonText.strip(try ColumnReader(document).string("value"))
        return [("contains", PythonText.containsIgnoringCase(responses.first ?? "", target) ? 1 : 0)]
    }
}

/// The Python functions of the task ifeval.
enum IFEvalPort {
    /// ifeval `utils.process_results`.
    ///
    /// The metrics of single instructions weigh as much as there are instructions, as `utils.agg_inst_level_acc` has it.
    static func results(_ document: JSONValue, _ responses: [String]) throws(TaskError) -> [BuiltinResult] {
        guard let response = responses.first else {
            throw TaskError(.invalidResponse, "ifeval needs a response, but there is none")
        }
        let instructions = try IFEvalInstructions(ColumnReader(document))
        let (strict, loose) = try instructions.followed(by: response)
        func results(_ kind: String, _ followed: Int) -> [BuiltinResult] {
            [
                BuiltinResult(name: "prompt_level_\(kind)_acc", value: followed == instructions.count ? 1 : 0),
                BuiltinResult(
                    name: "inst_level_\(kind)_acc", value: Double(followed), weight: Double(instructions.count)),
            ]
        }
        return results("strict", strict) + results("loose", loose)
    }
}
