internal import PythonCompat

/// Puts description, examples and question together, as lm-eval does.
struct PromptFormat: Sendable {
    /// Everything that stands before the answer.
    enum Prompt {
        case one(String)
        /// One for each choice, which are the contexts; `gold` is the right one.
        case many([String], gold: Int)
    }

    let question: DocumentFormat
    private let taskDescription: DocumentField
    private let prefix: DocumentField?
    private let targetDelimiter: String
    private let fewShotDelimiter: String
    private let examples: FewShotExamples

    init(_ configuration: TaskConfiguration, examples: FewShotExamples) throws(TaskError) {
        self.question = try DocumentFormat(
            text: configuration.docToText, target: configuration.docToTarget, choices: configuration.docToChoice,
            multipleInput: configuration.multipleInput)
        self.taskDescription = try DocumentField(configuration.taskDescription, key: "description")
        self.prefix = try configuration.genPrefix.map { text throws(TaskError) in
            try DocumentField(text, key: "gen_prefix")
        }
        self.targetDelimiter = configuration.targetDelimiter
        self.fewShotDelimiter = configuration.fewShotDelimiter
        self.examples = examples
    }

    func prompt(_ document: RenderedDocument, _ style: PromptStyle) throws(TaskError) -> Prompt {
        let description = try self.taskDescription.value(document)
        guard case .string(let text) = description else {
            throw document.error("description gives \(description.kind); it must give a text")
        }
        var messages: [ChatMessage] = []
        let system = PythonText.joined(style.systemInstruction ?? "", text, by: self.fewShotDelimiter)
        if !system.isEmpty { messages.append(ChatMessage(.system, system)) }
        messages += try self.examples.messages(for: document)
        let prefix = try self.prefix?.text(document)
        func rendered(_ question: String, delimiter: String) throws(TaskError) -> String {
            let turn = PromptTurn(
                question: question, prefix: prefix, targetDelimiter: delimiter, fewShotDelimiter: "")
            return try style.text(messages + turn.messages, prefix: prefix)
        }
        switch try self.question.question(document) {
        case .text(let question):
            return .one(try rendered(question, delimiter: self.targetDelimiter))
        case .number(let gold):
            let options = try self.question.options(document)
            guard options.indices.contains(gold) else {
                throw document.error(
                    "doc_to_text gives \(gold), but there are \(options.count) choices (from 0); since it is a number, "
                        + "the choices are contexts and it must be the right one's")
            }
            return .many(
                try options.map { option throws(TaskError) in try rendered(option, delimiter: "") }, gold: gold)
        }
    }
}
