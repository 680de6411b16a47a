internal import Evaluation
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
            let scores = Self.scores(predicted: predicted, gold: answers.map(DropText.normalized))
            exact = max(exact, scores.exact)
            f1 = max(f1, scores.f1)
        }
        return [("em", exact), ("f1", f1)]
    }

    /// drop `utils.get_metrics` for normalized answers.
    private static func scores(predicted: [String], gold: [String]) -> (exact: Double, f1: Double) {
        let isExact =
            predicted.count == gold.count && Set(predicted.map(ExactText.init)) == Set(gold.map(ExactText.init))
        let f1 = NumPySum.mean(Self.alignedScores(predicted: predicted.map(Self.words), gold: gold.map(Self.words)))
        // As NumPy rounds to two digits.
        return (isExact ? 1 : 0, (f1 * 100).rounded(.toNearestOrEven) / 100)
    }

    private static func words(_ text: String) -> Set<ExactText> { Set(PythonText.split(text).map(ExactText.init)) }

    /// drop `utils._align_bags`: the F1 of each pair in the best assignment, 0 for what has no partner.
    private static func alignedScores(predicted: [Set<ExactText>], gold: [Set<ExactText>]) -> [Double] {
        let scores = gold.map { gold in
            predicted.map { predicted in
                DropText.sharesNumber(predicted: predicted, gold: gold)
                    ? DropText.f1(predicted: predicted, gold: gold) : 0
            }
        }
        var aligned = [Double](repeating: 0, count: max(predicted.count, gold.count))
        for (row, column) in LinearAssignment.solve(scores.map { $0.map { -$0 } }) {
            aligned[row] = scores[row][column]
        }
        return aligned
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

/// How the task drop compares texts: by words without case, articles and punctuation, and numbers by value.
enum DropText {
    /// drop `utils._normalize`.
    static func normalized(_ answer: String) -> String {
        let tokens = answer.unicodeScalars.split { $0 == " " || $0 == "-" }
        return tokens.map { Self.normalizedToken(PythonText.lower(String($0))) }.filter { !$0.isEmpty }
            .joined(separator: " ")
    }

    private static func normalizedToken(_ token: String) -> String {
        var token = token
        if PythonNumber.float(token) == nil { token.unicodeScalars.removeAll(where: PythonText.isASCIIPunctuation) }
        if let number = PythonNumber.float(token) { token = PythonNumber.str(number) }
        return PythonText.split(SquadAnswer.withoutArticles(token)).joined(separator: " ")
    }

    /// drop `utils._compute_f1` for words that a normalized answer has, each once.
    static func f1(predicted: Set<ExactText>, gold: Set<ExactText>) -> Double {
        let common = Double(gold.intersection(predicted).count)
        let precision = predicted.isEmpty ? 1 : common / Double(predicted.count)
        let recall = gold.isEmpty ? 1 : common / Double(gold.count)
        return precision == 0 && recall == 0 ? 0 : 2 * precision * recall / (precision + recall)
    }

    /// drop `utils._match_numbers_if_present`: whether a number of the right answer is there, if it has any.
    static func sharesNumber(predicted: Set<ExactText>, gold: Set<ExactText>) -> Bool {
        let numbers = gold.filter { PythonNumber.float($0.text) != nil }
        return numbers.isEmpty || !numbers.isDisjoint(with: predicted)
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

/// How the official SQuAD scripts compare answers.
enum SquadAnswer {
    /// `normalize_answer`: lower case without punctuation, articles and superfluous white space.
    static func normalized(_ answer: String) -> String { Self.tokens(answer).joined(separator: " ") }

    static func tokens(_ answer: String) -> [String] {
        var scalars = PythonText.lower(answer).unicodeScalars
        scalars.removeAll(where: PythonText.isASCIIPunctuation)
        return PythonText.split(Self.withoutArticles(String(scalars)))
    }

    static func withoutArticles(_ text: String) -> String {
        PythonText.replacingWords(in: text) { word, _ in ["a", "an", "the"].contains(word) ? " " : nil }
    }

    /// `compute_exact` of version 2 and `exact_match_score` of version 1.
    static func exact(_ prediction: String, gold: String) -> Double {
        PythonText.equal(Self.normalized(prediction), Self.normalized(gold)) ? 1 : 0
    }

    /// `compute_f1` of version 2: two answers without words agree.
    static func f1(_ prediction: String, gold: String) -> Double {
        let (predicted, gold) = (Self.tokens(prediction), Self.tokens(gold))
        return predicted.isEmpty && gold.isEmpty ? 1 : Self.f1(predicted, gold)
    }

    /// `f1_score` of version 1: two answers without words have nothing in common.
    static func f1OfVersion1(_ prediction: String, gold: String) -> Double {
        Self.f1(Self.tokens(prediction), Self.tokens(gold))
    }

    private static func f1(_ predicted: [String], _ gold: [String]) -> Double {
        var counts: [ExactText: Int] = [:]
        for token in gold { counts[ExactText(token), default: 0] += 1 }
        var common = 0
        for token in predicted {
            guard let count = counts[ExactText(token)], count > 0 else { continue }
            counts[ExactText(token)] = count - 1
            common += 1
        }
        guard common > 0 else { return 0 }
        let (precision, recall) = (Double(common) / Double(predicted.count), Double(common) / Double(gold.count))
        return 2 * precision * recall / (precision + recall)
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
