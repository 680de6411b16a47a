internal import Jinja
internal import OrderedCollections

/// What a task takes from a document: a column if the text names one, else a template.
struct DocumentField: Sendable {
    /// The task file's key, for messages.
    let key: String
    private let text: String
    private let template: Template
    /// `nil` for a template that is more than texts and columns.
    private let simple: SimpleTemplate?
    /// The names that may stand in the template, found by looking for them.
    private let mentions: NameSearch

    init(_ text: String, key: String) throws(TaskError) {
        self.key = key
        self.text = text
        self.simple = SimpleTemplate(text)
        self.mentions = NameSearch(text)
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
        do {
            return try JSONValue.parse(try self.template.evaluate(self.variables(document)).utf8)
        } catch {
            return .string(try self.rendered(document))
        }
    }

    /// The columns that the template can read, as a JSON object: the others would be copied for nothing.
    private func variables(_ document: RenderedDocument) -> String {
        guard case .object(let members) = document.value else { return "{}" }
        var bytes = [UInt8(ascii: "{")]
        for (name, value) in members where self.mentions.contains(name) {
            if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
            JSONValue.string(name).write(to: &bytes, sortingKeys: false)
            bytes.append(UInt8(ascii: ":"))
            value.write(to: &bytes, sortingKeys: false)
        }
        bytes.append(UInt8(ascii: "}"))
        return String(decoding: bytes, as: UTF8.self)
    }

    private func rendered(_ document: RenderedDocument) throws(TaskError) -> String {
        if let text = self.simple?.render(document.value) { return text }
        do throws(JinjaError) {
            return try self.template.render(self.variables(document))
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
