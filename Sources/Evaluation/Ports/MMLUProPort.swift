internal import PythonCompat

/// The Python functions of the tasks mmlu_pro and mmlu-pro-plus.
enum MMLUProPort {
    static let subjects = [
        "biology", "business", "chemistry", "computer science", "economics", "engineering", "health", "history", "law",
        "math", "other", "philosophy", "physics", "psychology",
    ]

    /// `process` for one of the subjects.
    static func process(subject: String) -> NativeFunction.DocumentFunction {
        { (document: JSONValue) throws(TaskError) -> JSONValue? in try Self.process(document, subject: subject) }
    }

    /// mmlu_pro and mmlu-pro-plus `utils.process_<subject>`: `nil` for documents of other subjects.
    static func process(_ document: JSONValue, subject: String) throws(TaskError) -> JSONValue? {
        let category = try ColumnReader(document).value("category", mustBe: "a string")
        return PythonText.equal(category.string ?? "", subject) ? document : nil
    }

    /// mmlu_pro `utils.doc_to_text` and `utils.fewshot_to_text`: at most ten options.
    static func prompt(_ document: JSONValue) throws(TaskError) -> String {
        try Self.prompt(document, options: try ColumnReader(document).strings("options").prefix(10))
    }

    /// mmlu-pro-plus `utils.doc_to_text` and `utils.fewshot_to_text`: more than 16 options are an error.
    static func plusPrompt(_ document: JSONValue) throws(TaskError) -> String {
        let columns = ColumnReader(document)
        let options = try columns.strings("options")
        guard options.count <= 16 else {
            throw columns.error("options", mustBe: "a list of at most 16 strings", is: "one of \(options.count)")
        }
        return try Self.prompt(document, options: options[...])
    }

    /// mmlu_pro and mmlu-pro-plus `utils.fewshot_to_target`.
    static func exampleTarget(_ document: JSONValue) throws(TaskError) -> JSONValue {
        let reasoning = try ColumnReader(document).string("cot_content")
        return .string(PythonText.replace(reasoning, "A: Let's think step by step. ", with: ""))
    }

    private static func prompt(_ document: JSONValue, options: ArraySlice<String>) throws(TaskError) -> String {
        var prompt = "Question:\n" + (try ColumnReader(document).string("question")) + "\nOptions:\n"
        for (letter, option) in zip("ABCDEFGHIJKLMNOP", options) {
            prompt += "\(letter). \(PythonText.strip(option))\n"
        }
        return prompt + "Answer: Let's think step by step."
    }
}
