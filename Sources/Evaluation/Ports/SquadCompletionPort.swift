internal import PythonCompat

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
