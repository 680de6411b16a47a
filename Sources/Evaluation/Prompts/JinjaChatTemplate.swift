internal import Jinja
internal import OrderedCollections
internal import PythonCompat

/// A model's own chat template, rendered as transformers does.
///
/// There is no strftime_now: a prompt that changes with the day can't be reproduced, and templates that ask whether it is
/// defined have a date of their own.
public struct JinjaChatTemplate: ChatTemplate {
    private let template: Template
    private let bos: String
    private let eos: String
    private let arguments: OrderedDictionary<String, JSONValue>

    /// - Parameters:
    ///   - bos: The text of the model's BOS token, which templates may print; likewise `eos`.
    ///   - arguments: Further variables, as a JSON object; they take the place of the others, but for the messages.
    public init(
        _ source: String, bos: String = "", eos: String = "", arguments: String? = nil
    ) throws(TaskError) {
        do throws(JinjaError) {
            self.template = try Template(source, dialect: .chat)
        } catch {
            throw TaskError(.invalidTemplate, "the model's chat template can't be used: \(error)")
        }
        self.bos = bos
        self.eos = eos
        self.arguments = try arguments.map(Self.parsed) ?? [:]
    }

    private static func parsed(_ arguments: String) throws(TaskError) -> OrderedDictionary<String, JSONValue> {
        do throws(JSONError) {
            if case .object(let given) = try JSONValue.parse(arguments.utf8) { return given }
            throw JSONError(message: "they are no object", offset: 0)
        } catch {
            throw TaskError(
                .invalidTemplate, "the arguments of the model's chat template can't be read: \(error.message)")
        }
    }

    /// A JSON object of arguments with `enable_thinking` in it, as lm-eval hands it over.
    public static func arguments(_ arguments: String?, enablesThinking: Bool?) throws(TaskError) -> String? {
        guard let enablesThinking else { return arguments }
        var given = try Self.parsed(arguments ?? "{}")
        given["enable_thinking"] = .bool(enablesThinking)
        return JSONValue.object(given).text()
    }

    public func render(_ messages: [ChatMessage], continuesLast: Bool) throws(TaskError) -> String {
        do throws(TaskError) {
            return try self.rendered(messages, continuesLast)
        } catch {
            // As lm-eval does, since some templates know no system's message.
            let others = messages.filter { $0.role != .system }
            guard others.count < messages.count else { throw error }
            return try self.rendered(others, continuesLast)
        }
    }

    private func rendered(_ messages: [ChatMessage], _ continuesLast: Bool) throws(TaskError) -> String {
        var shown = messages
        if continuesLast, let last = shown.indices.last { shown[last].content += Self.mark + " " }
        let text: String
        do throws(JinjaError) {
            text = try self.template.render { self.variable($0, shown, isOpen: !continuesLast) }
        } catch {
            throw TaskError(.invalidTemplate, "the model's chat template fails: \(error)")
        }
        guard continuesLast, let last = messages.last?.content else { return text }
        return try Self.cut(text, continuing: last)
    }

    /// What transformers gives to templates; there are no tools and no documents.
    private func variable(_ name: String, _ messages: [ChatMessage], isOpen: Bool) -> Value? {
        switch name {
        case "messages":
            Value(
                list: messages.map {
                    Value(dict: [
                        (.string("role"), .string($0.role.rawValue)), (.string("content"), .string($0.content)),
                    ])
                })
        case _ where self.arguments[name] != nil: self.arguments[name].map(Value.init)
        case "add_generation_prompt": .bool(isOpen)
        case "tools", "documents": .null
        case "bos_token": .string(self.bos)
        case "eos_token": .string(self.eos)
        default: nil
        }
    }

    /// Marks the end of the message that the model continues, as in transformers; the message's own text may also occur in
    /// the template.
    private static let mark = "CONTINUE_FINAL_MESSAGE_TAG"

    /// The text up to the mark, without the space before it where the template drops the one that follows.
    private static func cut(_ text: String, continuing message: String) throws(TaskError) -> String {
        let whole = Array(text.unicodeScalars)
        let mark = Array(Self.mark.unicodeScalars)
        guard LiteralSearch(PythonText.strip(message)).isFound(in: whole),
            let place = stride(from: whole.count - mark.count, through: 0, by: -1).first(where: {
                whole[$0..<$0 + mark.count].elementsEqual(mark)
            })
        else {
            throw TaskError(
                .invalidTemplate, "the model's chat template does not show the message that its answer is to continue")
        }
        let end = place + mark.count
        let kept = String(String.UnicodeScalarView(whole[..<place]))
        return end < whole.count && whole[end] == " " ? kept : PythonText.rstrip(kept)
    }
}
