internal import PythonCompat

/// How a document becomes question, choices and answer.
struct DocumentFormat: Sendable {
    private enum Target {
        case number(Int)
        case list([JSONValue])
        case field(DocumentField)
        case function(NativeFunction.ValueFunction)
    }

    private enum Choices {
        case list([String])
        case field(DocumentField)
        case function(NativeFunction.ValueFunction)
    }

    private enum Text {
        case field(DocumentField)
        case function(NativeFunction.ValueFunction)
    }

    private let text: Text
    private let target: Target
    private let choices: Choices?
    /// Whether what a template gives is read as a number where it is one.
    private let readsNumbers: Bool
    private let multipleInput: Bool?

    /// - Parameters:
    ///   - readsNumbers: Of examples: whether the task itself has choices; `nil` for whether these are there.
    ///   - multipleInput: As the task's configuration has it.
    init(
        text: TaskConfiguration.Field, target: TaskConfiguration.Target, choices: TaskConfiguration.Choices?,
        readsNumbers: Bool? = nil, multipleInput: Bool? = nil
    ) throws(TaskError) {
        self.multipleInput = multipleInput
        self.readsNumbers = readsNumbers ?? (choices != nil)
        switch text {
        case .text(let text): self.text = .field(try DocumentField(text, key: "doc_to_text"))
        case .function(let function): self.text = .function(try function.value("doc_to_text"))
        }
        switch target {
        case .number(let number): self.target = .number(number)
        case .list(let targets): self.target = .list(targets)
        case .function(let function): self.target = .function(try function.value("doc_to_target"))
        case .text(let text): self.target = .field(try DocumentField(text, key: "doc_to_target"))
        }
        switch choices {
        case nil: self.choices = nil
        case .list(let choices): self.choices = .list(choices)
        case .function(let function): self.choices = .function(try function.value("doc_to_choice"))
        case .text(let text): self.choices = .field(try DocumentField(text, key: "doc_to_choice"))
        }
    }

    var hasChoices: Bool { self.choices != nil }

    /// What doc_to_text gives.
    enum Question {
        case text(String)
        /// The choices are contexts, and this is the right one's number.
        case number(Int)
    }

    func question(_ document: RenderedDocument) throws(TaskError) -> Question {
        let value =
            switch self.text {
            case .field(let field): try field.value(document)
            case .function(let function): try document.placing { () throws(TaskError) in try function(document.value) }
            }
        switch value {
        case .string(let text):
            // Only what a template gives is read as a number.
            guard let number = self.rendersNumber(document, text) else {
                guard self.multipleInput == true else { return .text(text) }
                if let index = try self.options(document).firstIndex(where: { PythonText.equal($0, text) }) {
                    return .number(index)
                }
                throw document.error(
                    "doc_to_text gives a text here that is none of the choices, and in the first row the number of one; make "
                        + "it give the right choice's number in every row")
            }
            switch self.multipleInput {
            case true?: return .number(number)
            case false?: return .text(text)
            case nil:
                throw document.error(
                    "doc_to_text gives \(text), a choice's number, while the first row's is a text, and lm-eval stops here; put a "
                        + "word before it, or write multiple_input (which only Assay knows): false if it is a text, true if "
                        + "it is the right choice's number")
            }
        case .int(let number) where self.hasChoices: return .number(number)
        case let value:
            throw document.error(
                "doc_to_text gives \(value.text()); it must give a text, or with doc_to_choice the number of the right "
                    + "choice")
        }
    }

    /// The number that a template's text is read as; `nil` where it is a text.
    private func rendersNumber(_ document: RenderedDocument, _ text: String) -> Int? {
        guard case .field(let field) = self.text, self.readsNumbers, PythonText.isDigits(text),
            !field.namesColumn(document)
        else { return nil }
        return Int(text)
    }

    /// Whether doc_to_text renders a number, which makes the choices contexts; `nil` where it can't be told.
    func rendersNumber(_ document: RenderedDocument) -> Bool? {
        guard case .field(let field) = self.text, case .string(let text)? = try? field.value(document) else {
            return nil
        }
        return self.rendersNumber(document, text) != nil
    }

    /// The answer options.
    func options(_ document: RenderedDocument) throws(TaskError) -> [String] {
        let value: JSONValue
        switch self.choices {
        case nil: return []
        case .list(let choices): return choices
        case .function(let function):
            value = try document.placing { () throws(TaskError) in try function(document.value) }
        case .field(let field):
            let found = try field.evaluated(document)
            if case .string = found, field.namesColumn(document) {
                throw document.error(
                    "doc_to_choice names a column of texts, whose characters lm-eval would take for the choices; to have "
                        + "a text read as a list, write it as a template ({{column}})")
            }
            // lm-eval evaluates the rendered text as a Python literal.
            if case .string(let text) = found { value = JSONValue.pythonLiteral(text) ?? found } else { value = found }
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

    /// The target as lm-eval takes it: a number if it stands for a choice, a list if any of several is right, else a text
    /// or a column's value.
    func answer(_ document: RenderedDocument) throws(TaskError) -> JSONValue {
        let value: JSONValue
        switch self.target {
        case .number(let number): return .int(number)
        case .list(let targets): return .array(targets)
        case .function(let function):
            return try document.placing { () throws(TaskError) in try function(document.value) }
        case .field(let field):
            value = try field.value(document)
            if field.namesColumn(document), case .string = value { return value }
        }
        switch value {
        case .string(let text):
            if self.readsNumbers, PythonText.isDigits(text), let number = Int(text) { return .int(number) }
            if text.hasPrefix("["), text.hasSuffix("]"), case .array(let items)? = JSONValue.pythonLiteral(text) {
                return .array(items)
            }
            return value
        // Python's booleans are integers.
        case .bool(let flag): return self.hasChoices ? .int(flag ? 1 : 0) : value
        case .int, .double, .array, .date: return value
        // Python prints None; a row of choices needs one.
        case .null where !self.hasChoices: return value
        case .null, .object:
            throw document.error("doc_to_target gives \(value.kind); it must give a text, a number or a list")
        }
    }

    /// Whether the target is a column's value as it is.
    func takesColumn(_ document: RenderedDocument) -> Bool {
        if case .field(let field) = self.target { field.namesColumn(document) } else { false }
    }

    /// What is right: at least one.
    ///
    /// - Parameter areLists: Whether targets are lists of which any is right; `nil` where this one says so itself.
    func targets(_ document: RenderedDocument, areLists: Bool?) throws(TaskError) -> Targets {
        let answer = try self.answer(document)
        let items: [JSONValue]
        switch (answer, areLists) {
        case (.array(let given), nil), (.array(let given), true): items = given
        case (.string(let text), true): items = text.unicodeScalars.map { .string(String(Character($0))) }
        case (_, true):
            throw document.error("doc_to_target gives \(answer.kind), but a list in the first row")
        case (_, nil), (_, false): return Targets([answer], .one)
        }
        guard !items.isEmpty else {
            throw document.error("doc_to_target gives an empty list; a row needs one right answer at least")
        }
        return Targets(items, .several)
    }

    /// Which of `options` is the answer.
    func gold(_ document: RenderedDocument, among options: [String]) throws(TaskError) -> Int {
        let golds = try self.golds(document, among: options)
        return golds[0]
    }

    /// Which of `options` are right, at least one.
    func golds(_ document: RenderedDocument, among options: [String]) throws(TaskError) -> [Int] {
        let answer = try self.answer(document)
        let items = if case .array(let items) = answer { items } else { [answer] }
        var golds: [Int] = []
        for item in items {
            switch item {
            case .int(let number) where options.indices.contains(number): golds.append(number)
            case .string(let text):
                if let index = options.firstIndex(where: { PythonText.equal($0, text) }) { golds.append(index) }
            default: break
            }
        }
        guard !items.isEmpty, golds.count == items.count else {
            throw document.error(
                "doc_to_target gives \(answer.text()), which is none of the \(options.count) choices; it must give one of "
                    + "them, a number from 0 to \(options.count - 1), or a list of such numbers")
        }
        return golds
    }
}

extension NativeFunction {
    /// Of a task file's key.
    fileprivate func value(_ key: String) throws(TaskError) -> ValueFunction {
        guard let function = Self.values[self.name] else {
            throw TaskError(.unsupported, "\(key): \(self.name) gives no text, number or list")
        }
        return function
    }
}
