internal import PythonCompat

/// How a document becomes a few-shot example; each part is as for the question unless fewshot_config gives it.
struct ExampleFormat: Sendable {
    private let format: DocumentFormat
    private let prefix: DocumentField?
    private let targetDelimiter: String
    private let delimiter: String

    init(_ configuration: TaskConfiguration) throws(TaskError) {
        let fewShot = configuration.fewShot
        self.format = try DocumentFormat(
            text: fewShot.docToText ?? configuration.docToText,
            target: fewShot.docToTarget ?? configuration.docToTarget,
            choices: fewShot.docToChoice ?? configuration.docToChoice,
            // As lm-eval, which asks the task for its choices here, and not the examples.
            readsNumbers: configuration.docToChoice != nil, multipleInput: configuration.multipleInput)
        self.prefix = try (fewShot.genPrefix ?? configuration.genPrefix).map { text throws(TaskError) in
            try DocumentField(text, key: "gen_prefix")
        }
        self.targetDelimiter = fewShot.targetDelimiter ?? configuration.targetDelimiter
        self.delimiter = fewShot.delimiter ?? configuration.fewShotDelimiter
    }

    func messages(_ document: RenderedDocument) throws(TaskError) -> [ChatMessage] {
        let options = try self.format.options(document)
        let question: String
        var answer: String?
        switch (try self.format.question(document), try self.format.answer(document)) {
        case (.number(let number), let target):
            // The choices are contexts: the right one is the question.
            guard options.indices.contains(number) else {
                throw document.error("doc_to_text gives \(number), but there are \(options.count) choices (from 0)")
            }
            question = options[number]
            answer = PythonText.str(target)
            if answer == "" { answer = nil }
        case (.text(let text), .array(let targets)):
            question = text
            answer = targets.first.map(PythonText.str)
            if !options.isEmpty, case .int(let number)? = targets.first, options.indices.contains(number) {
                answer = options[number]
            }
        case (.text(let text), let target):
            question = text
            // An example without an answer is a question.
            answer = target == .null || target == .string("") ? nil : PythonText.str(target)
            if !options.isEmpty, case .int = target {
                answer = options[try self.format.gold(document, among: options)]
            }
        }
        return PromptTurn(
            question: question, answer: answer, prefix: try self.prefix?.text(document),
            targetDelimiter: self.targetDelimiter, fewShotDelimiter: self.delimiter
        ).messages
    }
}
