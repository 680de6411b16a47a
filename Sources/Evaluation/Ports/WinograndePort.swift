internal import PythonCompat

/// The Python functions of the task winogrande.
enum WinograndePort {
    /// winogrande `preprocess_winogrande.doc_to_text`: the right option's index.
    static func answerIndex(_ document: JSONValue) throws(TaskError) -> JSONValue {
        let columns = ColumnReader(document)
        switch try columns.string("answer") {
        case "1": return .int(0)
        case "2": return .int(1)
        default: throw columns.error("answer", mustBe: "1 or 2", is: "another string")
        }
    }

    /// winogrande `preprocess_winogrande.doc_to_target`: what stands behind the gap.
    static func target(_ document: JSONValue) throws(TaskError) -> JSONValue {
        let (sentence, gap) = try Self.sentence(document)
        return .string(PythonText.strip(String(sentence[sentence.index(after: gap)...])))
    }

    /// winogrande `preprocess_winogrande.doc_to_choice`: what stands before the gap with each option.
    static func choices(_ document: JSONValue) throws(TaskError) -> [String] {
        let (sentence, gap) = try Self.sentence(document)
        let columns = ColumnReader(document)
        let start = String(sentence[..<gap])
        return [start + (try columns.string("option1")), start + (try columns.string("option2"))]
    }

    private static func sentence(
        _ document: JSONValue
    ) throws(TaskError) -> (scalars: String.UnicodeScalarView, gap: String.Index) {
        let columns = ColumnReader(document)
        let scalars = try columns.string("sentence").unicodeScalars
        guard let gap = scalars.firstIndex(of: "_") else {
            throw columns.error("sentence", mustBe: "a string with a _", is: "one without")
        }
        return (scalars, gap)
    }
}
