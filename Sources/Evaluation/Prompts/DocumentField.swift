internal import Jinja

/// What a task takes from a document: a column if the text names one, else a template.
struct DocumentField: Sendable {
    /// The task file's key, for messages.
    let key: String
    private let text: String
    private let template: Template

    init(_ text: String, key: String) throws(TaskError) {
        self.key = key
        self.text = text
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
        if let value = document.value[self.text] { return value }
        do {
            return try JSONValue.parse(try self.template.evaluate(document.json).utf8)
        } catch {
            return .string(try self.rendered(document))
        }
    }

    private func rendered(_ document: RenderedDocument) throws(TaskError) -> String {
        do throws(JinjaError) {
            return try self.template.render(document.json)
        } catch {
            throw TaskError(.invalidSample, "row \(document.row): \(self.key): \(error)")
        }
    }
}

/// A document with its JSON text, which several templates read.
struct RenderedDocument {
    let row: Int
    let value: JSONValue
    let json: String

    init(_ document: Document) {
        self.row = document.row
        self.value = document.value
        self.json = document.value.text()
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
