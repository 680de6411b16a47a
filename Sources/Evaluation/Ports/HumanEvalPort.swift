internal import PythonCompat

/// What the tasks humaneval, humaneval_64 and humaneval_plus do besides running programs.
enum HumanEvalPort {
    /// humaneval `utils.build_predictions`.
    static func predictions(_ responses: [String], document: JSONValue) throws(TaskError) -> [String] {
        let prompt = try ColumnReader(document).string("prompt")
        return responses.map { prompt + $0 }
    }

    /// humaneval `utils.build_predictions_instruct`: a response ends where its code block does.
    static func instructPredictions(_ responses: [String], document: JSONValue) throws(TaskError) -> [String] {
        let prompt = try ColumnReader(document).string("prompt")
        return responses.map { prompt + (PythonText.before("```", in: $0) ?? $0) }
    }
}
