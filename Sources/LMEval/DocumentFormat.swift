internal import Datasets
internal import Evaluation
internal import JSON
internal import Jinja
internal import OrderedCollections
internal import PythonCompat

/// How a document becomes question, choices and answer.
struct DocumentFormat: Sendable {
    private enum Target {
        case number(Int)
        case list([JSONValue])
        case field(DocumentField)
        case function(BuiltinFunction.ValueFunction)
    }

    private enum Choices {
        case list([String])
        case field(DocumentField)
        case function(BuiltinFunction.ValueFunction)
    }

    private enum Text {
        case field(DocumentField)
        case function(BuiltinFunction.ValueFunction)
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
                    "doc_to_text gives a text here that is not one of the choices, and in the first row the number of one; make "
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
                "doc_to_target gives \(answer.text()), which is not one of the \(options.count) choices; it must give one of "
                    + "them, a number from 0 to \(options.count - 1), or a list of such numbers")
        }
        return golds
    }
}

extension BuiltinFunction {
    /// Of a task file's key.
    fileprivate func value(_ key: String) throws(TaskError) -> ValueFunction {
        guard let function = Self.values[self.name] else {
            throw TaskError(.unsupported, "\(key): \(self.name) gives no text, number or list")
        }
        return function
    }
}

/// What a task takes from a document: a column if the text names one, else a template.
struct DocumentField: Sendable {
    /// The task file's key, for messages.
    let key: String
    private let text: String
    private let template: Template
    /// `nil` for a template that is more than texts and columns.
    private let simple: SimpleTemplate?

    init(_ text: String, key: String) throws(TaskError) {
        self.key = key
        self.text = text
        self.simple = SimpleTemplate(text)
        do throws(JinjaError) {
            self.template = try Template(text)
        } catch {
            throw TaskError(.invalidTemplate, "\(key): \(error)")
        }
    }

    /// Whether a column is named, whose value is then taken as it is.
    func namesColumn(_ document: RenderedDocument) -> Bool { document.value[self.text] != nil }

    /// A column's value, or the rendered template.
    func value(_ document: RenderedDocument) throws(TaskError) -> JSONValue {
        if let value = document.value[self.text] { return value }
        return .string(try self.rendered(document))
    }

    /// A column's value or the rendered template, which must be a text.
    func text(_ document: RenderedDocument) throws(TaskError) -> String {
        guard case .string(let text) = try self.value(document) else {
            throw document.error("\(self.key) gives \(try self.value(document).kind); it must give a text")
        }
        return text
    }

    /// A column's value, or the value of the template's one expression; a template of another form gives its text.
    func evaluated(_ document: RenderedDocument) throws(TaskError) -> JSONValue {
        if let value = document.value[self.text] ?? self.simple?.value(document.value) { return value }
        guard let found = try? self.template.evaluate(Self.columns(of: document)), let value = JSONValue(found) else {
            return .string(try self.rendered(document))
        }
        return value
    }

    /// The columns by their names, which only those are asked for that the template uses.
    private static func columns(of document: RenderedDocument) -> (String) -> Value? {
        { name in
            guard case .object(let members) = document.value, let place = members.index(forKey: name),
                // Names are code points, not what is canonically equivalent.
                PythonText.equal(members.keys[place], name)
            else { return nil }
            return Value(members.values[place])
        }
    }

    private func rendered(_ document: RenderedDocument) throws(TaskError) -> String {
        if let text = self.simple?.render(document.value) { return text }
        do throws(JinjaError) {
            return try self.template.render(Self.columns(of: document))
        } catch {
            throw TaskError(.invalidSample, "row \(document.row): \(self.key): \(error)")
        }
    }
}

/// A document with its row, which errors name.
struct RenderedDocument {
    let row: Int
    let value: JSONValue

    init(_ document: Document) {
        self.row = document.row
        self.value = document.value
    }

    /// What `body` gives; its errors name the row.
    func placing<Value>(_ body: () throws(TaskError) -> Value) throws(TaskError) -> Value {
        do throws(TaskError) {
            return try body()
        } catch {
            throw TaskError(error.code, "row \(self.row): \(error.message)", file: error.file)
        }
    }

    func error(_ message: String) -> TaskError { TaskError(.invalidSample, "row \(self.row): \(message)") }
}

extension Value {
    /// A column as templates have it.
    init(_ json: JSONValue) {
        switch json {
        case .null: self = .null
        case .bool(let flag): self = .bool(flag)
        case .int(let number): self = .int(number)
        case .double(let number): self = .float(number)
        case .string(let text): self = .string(text)
        case .date(let date): self = .object(Value.Foreign(TemplateDate(date: date)))
        case .array(let items): self.init(list: items.map(Value.init))
        case .object(let members): self.init(dict: members.map { (.string($0.key), Value($0.value)) })
        }
    }
}

extension JSONValue {
    /// `nil` for what JSON does not have.
    fileprivate init?(_ value: Value) {
        switch value {
        case .null: self = .null
        case .bool(let flag): self = .bool(flag)
        case .int(let number): self = .int(number)
        case .float(let number) where number.isFinite: self = .double(number)
        case .string(let text), .markup(let text): self = .string(text)
        case .list(let list): self.init(list.items)
        case .tuple(let tuple): self.init(tuple.items)
        case .dict(let dict):
            var members: OrderedDictionary<String, JSONValue> = [:]
            for (key, value) in dict.entries {
                guard case .string(let name) = key, let member = JSONValue(value) else { return nil }
                members[name] = member
            }
            self = .object(members)
        case .undefined, .big, .float, .object: return nil
        }
    }

    private init?(_ items: [Value]) {
        var array: [JSONValue] = []
        for item in items {
            guard let item = JSONValue(item) else { return nil }
            array.append(item)
        }
        self = .array(array)
    }
}

/// A template of texts and columns, such as "Question: {{question.strip()}}\nAnswer:" or "{{choices.label.index(answer)}}".
///
/// It is filled in without Jinja: most prompts are made by such templates, and Jinja would be most of the work.
struct SimpleTemplate: Sendable {
    private enum Part {
        case text(String)
        case column(Expression)
    }

    /// A column or a member within it, and what is done with it.
    private struct Expression {
        var path: [String]
        /// `.strip()` stands behind it.
        var strips = false
        /// `.index(...)` of this path stands behind it.
        var index: [String]?

        init?(_ text: Substring) {
            var text = String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            if text.hasSuffix(".strip()") {
                self.strips = true
                text.removeLast(8)
            } else if text.hasSuffix(")"), let call = text.firstRange(of: ".index(") {
                guard let path = SimpleTemplate.path(text[call.upperBound...].dropLast()) else { return nil }
                self.index = path
                text = String(text[..<call.lowerBound])
            }
            guard let path = SimpleTemplate.path(text[...]) else { return nil }
            self.path = path
        }

        /// - Returns: `nil` where a column is missing, or what is done with it is for Jinja to refuse.
        func value(_ document: JSONValue) -> JSONValue? {
            guard let value = SimpleTemplate.value(self.path, document) else { return nil }
            if self.strips {
                guard case .string(let text) = value else { return nil }
                return .string(PythonText.strip(text))
            }
            guard let index = self.index else { return value }
            guard case .array(let items) = value, case .string(let wanted)? = SimpleTemplate.value(index, document)
            else { return nil }
            let place = items.firstIndex { item in
                if case .string(let text) = item { PythonText.equal(text, wanted) } else { false }
            }
            return place.map { .int($0) }
        }
    }

    private static let reserved: Set<String> = [
        "true", "false", "none", "True", "False", "None", "not", "and", "or", "in", "is", "if", "else", "loop", "self",
        "range",
        "dict", "namespace",
    ]

    /// What Python's mappings have as well, where a member of that name would be hidden.
    private static let methods: Set<String> = [
        "items", "keys", "values", "get", "pop", "popitem", "copy", "update", "clear", "setdefault", "fromkeys",
        "count",
        "index",
    ]

    private let parts: [Part]

    /// - Returns: `nil` for a template that does more.
    init?(_ source: String) {
        // Jinja makes line ends alike.
        guard !source.utf8.contains(UInt8(ascii: "\r")), !source.contains("{%"), !source.contains("{#") else {
            return nil
        }
        var parts: [Part] = []
        var rest = source[...]
        while let start = rest.firstRange(of: "{{") {
            guard let end = rest[start.upperBound...].firstRange(of: "}}") else { return nil }
            guard let expression = Expression(rest[start.upperBound..<end.lowerBound]) else { return nil }
            if start.lowerBound > rest.startIndex { parts.append(.text(String(rest[..<start.lowerBound]))) }
            parts.append(.column(expression))
            rest = rest[end.upperBound...]
        }
        guard !rest.contains("}}") else { return nil }
        if !rest.isEmpty { parts.append(.text(String(rest))) }
        self.parts = parts
    }

    /// - Returns: `nil` if a column is missing, or of a kind that Jinja must write.
    func render(_ document: JSONValue) -> String? {
        var text = ""
        for part in self.parts {
            switch part {
            case .text(let part): text += part
            case .column(let expression):
                switch expression.value(document) {
                case .string(let value)?: text += value
                case .int(let value)?: text += String(value)
                case .date(let value)?: text += value.text
                default: return nil
                }
            }
        }
        return text
    }

    /// The value of a template that is one column and nothing else; `nil` if it is more, or the column is missing.
    func value(_ document: JSONValue) -> JSONValue? {
        guard self.parts.count == 1, case .column(let expression) = self.parts[0] else { return nil }
        return expression.value(document)
    }

    private static func value(_ path: [String], _ document: JSONValue) -> JSONValue? {
        var value = document
        for name in path {
            guard let member = value[name] else { return nil }
            value = member
        }
        return value
    }

    private static func path(_ text: Substring) -> [String]? {
        let trimmed = String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        let names = trimmed.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard names.allSatisfy(Self.isName), !names.dropFirst().contains(where: Self.methods.contains) else {
            return nil
        }
        return names
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !Self.reserved.contains(text) else { return false }
        func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte & ~0x20) || byte == UInt8(ascii: "_") }
        return isLetter(first) && text.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) }
    }
}
