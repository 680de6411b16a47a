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
