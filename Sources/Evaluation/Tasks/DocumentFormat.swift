/// How a document becomes question, choices and answer.
struct DocumentFormat: Sendable {
    private enum Target {
        case number(Int)
        case field(DocumentField)
    }

    private enum Choices {
        case list([String])
        case field(DocumentField)
    }

    private let text: DocumentField
    private let target: Target
    private let choices: Choices?

    init(
        text: String, target: TaskConfiguration.Target, choices: TaskConfiguration.Choices?
    ) throws(TaskError) {
        self.text = try DocumentField(text, key: "doc_to_text")
        switch target {
        case .number(let number): self.target = .number(number)
        case .text(let text): self.target = .field(try DocumentField(text, key: "doc_to_target"))
        }
        switch choices {
        case nil: self.choices = nil
        case .list(let choices): self.choices = .list(choices)
        case .text(let text): self.choices = .field(try DocumentField(text, key: "doc_to_choice"))
        }
    }

    var hasChoices: Bool { self.choices != nil }

    /// The question.
    func question(_ document: RenderedDocument) throws(TaskError) -> String {
        let value = try self.text.value(document)
        guard case .string(let text) = value, !(self.hasChoices && PythonText.isDigits(text)) else {
            throw document.error(
                "doc_to_text gives \(value.text()); it must give a text that is more than a number "
                    + "(tasks whose choices are contexts are not supported)")
        }
        return text
    }

    /// The answer options.
    func options(_ document: RenderedDocument) throws(TaskError) -> [String] {
        let value: JSONValue
        switch self.choices {
        case nil: return []
        case .list(let choices): return choices
        case .field(let field):
            let found = try field.evaluated(document)
            // lm-eval evaluates the rendered text as a Python literal.
            if case .string(let text) = found { value = PythonLiteral.evaluate(text) ?? found } else { value = found }
        }
        guard case .array(let items) = value, !items.isEmpty else {
            throw document.error("doc_to_choice gives \(value.kind); it must give a list of strings")
        }
        var options: [String] = []
        for item in items {
            guard case .string(let text) = item, !text.isEmpty else {
                throw document.error(
                    "doc_to_choice gives a list with \(item == .string("") ? "an empty string" : item.kind); "
                        + "it must be of strings that are not empty")
            }
            options.append(text)
        }
        return options
    }

    /// The target as lm-eval takes it: a number if it stands for a choice, else a text or a column's value.
    func answer(_ document: RenderedDocument) throws(TaskError) -> JSONValue {
        let value: JSONValue
        switch self.target {
        case .number(let number): return .int(number)
        case .field(let field): value = try field.value(document)
        }
        switch value {
        case .string(let text):
            if self.hasChoices, PythonText.isDigits(text), let number = Int(text) { return .int(number) }
            if text.hasPrefix("["), text.hasSuffix("]"), case .array? = PythonLiteral.evaluate(text) {
                throw document.error("doc_to_target gives a list; several targets for a row are not supported")
            }
            return value
        // Python's booleans are integers.
        case .bool(let flag): return self.hasChoices ? .int(flag ? 1 : 0) : value
        case .int, .double: return value
        case .null, .array, .object:
            throw document.error("doc_to_target gives \(value.kind); it must give a text or a number")
        }
    }

    /// Which of `options` is the answer.
    func gold(_ document: RenderedDocument, among options: [String]) throws(TaskError) -> Int {
        let answer = try self.answer(document)
        switch answer {
        case .int(let number) where options.indices.contains(number): return number
        case .string(let text):
            if let index = options.firstIndex(where: { PythonText.equal($0, text) }) { return index }
        default: break
        }
        throw document.error(
            "doc_to_target gives \(answer.text()), which is none of the \(options.count) choices; it must give one of "
                + "them or a number from 0 to \(options.count - 1)")
    }
}
