public import Evaluation
internal import JSON
internal import Jinja
internal import OrderedCollections
internal import PythonCompat

/// One turn of a prompt, which becomes plain text or goes through a chat template.
public struct ChatMessage: Sendable, Hashable {
    public enum Role: String, Sendable, Hashable, Codable {
        case system, user, assistant
    }

    public var role: Role
    public var content: String
    /// What follows the content in plain text; a chat template takes its place.
    var delimiter = ""

    public init(_ role: Role, _ content: String) {
        self.role = role
        self.content = content
    }

    init(_ role: Role, _ content: String, delimiter: String) {
        self.role = role
        self.content = content
        self.delimiter = delimiter
    }
}

/// Turns a conversation into the text that a model was trained on.
public protocol ChatTemplate: Sendable {
    /// - Parameter continuesLast: The last message is the model's and goes on, instead of a new one beginning.
    /// - Throws: `TaskError` if the template refuses the conversation.
    func render(_ messages: [ChatMessage], continuesLast: Bool) throws(TaskError) -> String
}

/// How a task's messages become a prompt.
public struct PromptStyle: Sendable {
    /// `nil` for plain text.
    public var template: (any ChatTemplate)?
    /// Each few-shot example is a turn of its own, instead of all standing in the user's one message.
    public var isMultiTurn: Bool
    /// Stands before a task's description.
    public var systemInstruction: String?

    public init(template: (any ChatTemplate)? = nil, isMultiTurn: Bool = true, systemInstruction: String? = nil) {
        self.template = template
        self.isMultiTurn = isMultiTurn
        self.systemInstruction = systemInstruction
    }

    public static let plain = PromptStyle()

    func text(_ messages: [ChatMessage], prefix: String?) throws(TaskError) -> String {
        guard let template else { return messages.map { $0.content + $0.delimiter }.joined() }
        return try template.render(
            self.isMultiTurn ? messages : Self.singleTurn(messages), continuesLast: prefix?.isEmpty == false)
    }

    /// One message of the user, between that of the system and the beginning of the model's answer.
    private static func singleTurn(_ messages: [ChatMessage]) -> [ChatMessage] {
        var middle = messages[...]
        let system = middle.first?.role == .system ? middle.popFirst() : nil
        let answer = middle.last?.role == .assistant ? middle.popLast() : nil
        let head = middle.dropLast().map { $0.content + $0.delimiter }.joined()
        let user = ChatMessage(.user, head + (middle.last?.content ?? ""))
        return [system, user, answer].compactMap { $0 }
    }
}

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

/// A question and its answer as messages, as lm-eval builds them.
struct PromptTurn {
    var question: String
    /// `nil` for the question that the model is to answer, and for an example without one.
    var answer: String?
    /// How the model's answer begins.
    var prefix: String?
    var targetDelimiter: String
    /// Stands behind an answer.
    var fewShotDelimiter: String

    var messages: [ChatMessage] {
        let prefix = self.prefix?.isEmpty == false ? self.prefix : nil
        let isDelimited =
            prefix.map { !self.question.isEmpty && PythonText.needsSpace(self.question, $0) } ?? (self.answer != nil)
        let question = ChatMessage(.user, self.question, delimiter: isDelimited ? self.targetDelimiter : "")
        if let answer = self.answer {
            let text = prefix.map { PythonText.joined($0, answer, by: " ") } ?? answer
            return [question, ChatMessage(.assistant, text, delimiter: self.fewShotDelimiter)]
        }
        guard let prefix else { return [question] }
        return [question, ChatMessage(.assistant, prefix)]
    }
}

extension PythonText {
    /// Whether neither text has white space where they meet.
    static func needsSpace(_ head: String, _ tail: String) -> Bool {
        guard let last = head.unicodeScalars.last, let first = tail.unicodeScalars.first else { return false }
        return !Self.isSpace(last) && !Self.isSpace(first)
    }

    /// Both texts, with `delimiter` between them unless one is empty or white space is there already.
    static func joined(_ head: String, _ tail: String, by delimiter: String) -> String {
        head + (Self.needsSpace(head, tail) ? delimiter : "") + tail
    }
}
