internal import OrderedCollections
internal import PythonCompat

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
