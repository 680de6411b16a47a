internal import Jinja
internal import OrderedCollections
internal import PythonCompat

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
