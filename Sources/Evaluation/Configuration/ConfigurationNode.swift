internal import OrderedCollections

/// A node of a task file, with its place.
struct ConfigurationNode: Sendable {
    struct Place: Sendable, Equatable {
        var file: String
        var line: Int?
        var column: Int?
    }

    struct Member: Sendable {
        var key: String
        var place: Place
        var node: ConfigurationNode
        /// False for a key that YAML takes for something else, such as `yes` or `1`, and that equals no text.
        var isText = true
    }

    enum Content: Sendable {
        /// Never an array or object.
        case scalar(JSONValue)
        /// What stands behind the tag !function.
        case function(String)
        case list([ConfigurationNode])
        case mapping([Member])
    }

    var content: Content
    var place: Place
    /// What is odd in the files that a root is of, to be told to their author.
    var notes: [String] = []

    /// What stands in a task's canonical JSON; places are unknown there.
    init(_ value: JSONValue, file: String) {
        self.place = Place(file: file)
        switch value {
        case .array(let items): self.content = .list(items.map { ConfigurationNode($0, file: file) })
        case .object(let members):
            let place = self.place
            self.content = .mapping(
                members.map { Member(key: $0.key, place: place, node: ConfigurationNode($0.value, file: file)) })
        default: self.content = .scalar(value)
        }
    }

    init(_ content: Content, place: Place) {
        self.content = content
        self.place = place
    }

    /// The node without places.
    var value: JSONValue {
        switch self.content {
        case .scalar(let value): value
        case .function(let name): .object(["function": .string(name)])
        case .list(let nodes): .array(nodes.map(\.value))
        case .mapping(let members):
            .object(.init(members.map { ($0.key, $0.node.value) }, uniquingKeysWith: { first, _ in first }))
        }
    }

    /// What it is in words, for messages; short scalars are shown.
    var found: String {
        switch self.content {
        case .scalar(.null): "nothing"
        case .scalar(.string(let text)): text.utf8.count <= 40 ? "\"\(text)\"" : "a string"
        case .scalar(let value): value.text()
        case .function(let name): "!function \(name)"
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }

    func error(_ code: TaskError.Code, _ message: String) -> TaskError { self.place.error(code, message) }
}

extension ConfigurationNode.Place {
    func error(_ code: TaskError.Code, _ message: String) -> TaskError {
        TaskError(code, message, file: self.file, line: self.line, column: self.column)
    }
}

extension ConfigurationNode {
    /// What a function is called, as a task file or canonical JSON writes it; `nil` for anything else.
    var functionReference: String? {
        switch self.content {
        case .function(let name): return name
        case .mapping(let members):
            guard members.count == 1, members[0].key == "function",
                case .scalar(.string(let name)) = members[0].node.content
            else { return nil }
            return name
        default: return nil
        }
    }
}
