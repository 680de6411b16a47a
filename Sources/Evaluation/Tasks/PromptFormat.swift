/// Puts description, examples and question together, as lm-eval does without a chat template.
struct PromptFormat: Sendable {
    let question: DocumentFormat
    private let taskDescription: DocumentField
    /// The examples, rendered, each with its document in JSON with sorted keys.
    private let examples: [(document: String, text: String)]
    private let count: Int
    private let dropsOwnDocument: Bool

    init(_ configuration: TaskConfiguration, samples: [JSONValue]) throws(TaskError) {
        self.question = try DocumentFormat(
            text: configuration.docToText, target: configuration.docToTarget, choices: configuration.docToChoice)
        self.taskDescription = try DocumentField(configuration.taskDescription, key: "description")
        self.count = configuration.fewShot.count
        self.dropsOwnDocument = configuration.dropsOwnDocument
        let fewShot = configuration.fewShot
        let format = try DocumentFormat(
            text: fewShot.docToText ?? configuration.docToText,
            target: fewShot.docToTarget ?? configuration.docToTarget,
            choices: fewShot.docToChoice ?? configuration.docToChoice)
        var examples: [(document: String, text: String)] = []
        for (row, sample) in samples.enumerated() {
            do throws(TaskError) {
                let text = try Self.example(
                    RenderedDocument(Document(row: row, value: sample)), format,
                    targetDelimiter: fewShot.targetDelimiter ?? configuration.targetDelimiter,
                    delimiter: fewShot.delimiter ?? configuration.fewShotDelimiter)
                examples.append((sample.text(sortingKeys: true), text))
            } catch {
                throw TaskError(error.code, "few-shot example: \(error.message)", file: configuration.file)
            }
        }
        self.examples = examples
    }

    private static func example(
        _ document: RenderedDocument, _ format: DocumentFormat, targetDelimiter: String, delimiter: String
    ) throws(TaskError) -> String {
        let question = try format.question(document)
        let options = try format.options(document)
        var answer = PythonText.str(try format.answer(document))
        if !options.isEmpty, case .int = try format.answer(document) {
            answer = options[try format.gold(document, among: options)]
        }
        // lm-eval gives an example without an answer no delimiters at all.
        return answer.isEmpty ? question : question + targetDelimiter + answer + delimiter
    }

    /// Everything that stands before the answer.
    func prompt(_ document: RenderedDocument) throws(TaskError) -> String {
        let description = try self.taskDescription.value(document)
        guard case .string(var text) = description else {
            throw document.error("description gives \(description.kind); it must give a text")
        }
        var left = self.count
        let own = self.dropsOwnDocument ? document.value.text(sortingKeys: true) : nil
        for example in self.examples where left > 0 {
            if let own, PythonText.equal(example.document, own) { continue }
            text += example.text
            left -= 1
        }
        return text + (try self.question.question(document))
    }
}
