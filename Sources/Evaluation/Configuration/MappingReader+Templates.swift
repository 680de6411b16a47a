internal import Jinja

extension MappingReader {
    /// A function that is built in; a key with something else is left alone.
    mutating func function(_ key: String) throws(TaskError) -> NativeFunction? {
        guard let node = self.peek(key), let reference = node.functionReference else { return nil }
        _ = self.node(key)
        return try NativeFunction.named(reference, at: node.place)
    }

    /// A column's name or a template that can be parsed, or a function.
    mutating func field(_ key: String) throws(TaskError) -> TaskConfiguration.Field? {
        if let function = try self.function(key) { return .function(function) }
        return try self.template(key).map { .text($0) }
    }

    /// A column's name or a template that can be parsed.
    mutating func template(_ key: String) throws(TaskError) -> String? {
        guard let node = self.node(key) else { return nil }
        guard case .scalar(.string(let text)) = node.content else {
            throw self.wrong(key, node, "a column's name or a template")
        }
        try Self.checkTemplate(text, key, node)
        return text
    }

    mutating func target(_ key: String) throws(TaskError) -> TaskConfiguration.Target? {
        if let function = try self.function(key) { return .function(function) }
        guard let node = self.node(key) else { return nil }
        switch node.content {
        case .scalar(.int(let number)): return .number(number)
        case .scalar(.string(let text)):
            try Self.checkTemplate(text, key, node)
            return .text(text)
        case .list(let nodes):
            let items = nodes.map(\.value)
            guard !items.isEmpty, items.allSatisfy({ ["a string", "an integer"].contains($0.kind) }) else {
                throw self.wrong(key, node, "a list of texts or numbers, any of which is right")
            }
            return .list(items)
        default: throw self.wrong(key, node, "a column's name, a template or a number")
        }
    }

    mutating func choices(_ key: String) throws(TaskError) -> TaskConfiguration.Choices? {
        if let function = try self.function(key) { return .function(function) }
        guard let node = self.node(key) else { return nil }
        var nodes: [ConfigurationNode] = []
        switch node.content {
        case .scalar(.string(let text)):
            try Self.checkTemplate(text, key, node)
            return .text(text)
        case .list(let items): nodes = items
        // As in lm-eval, a mapping stands for its values.
        case .mapping(let members): nodes = members.map(\.node)
        default: throw self.wrong(key, node, "a column's name, a template or a list of strings")
        }
        var choices: [String] = []
        for node in nodes {
            guard case .scalar(.string(let text)) = node.content, !text.isEmpty else {
                throw self.wrong(key, node, "a list of strings that are not empty; quote numbers, yes and no")
            }
            choices.append(text)
        }
        guard !choices.isEmpty else { throw node.error(.invalidValue, "\(key) is an empty list") }
        return .list(choices)
    }

    private static func checkTemplate(_ text: String, _ key: String, _ node: ConfigurationNode) throws(TaskError) {
        do throws(JinjaError) {
            _ = try Template(text)
        } catch {
            throw node.error(.invalidTemplate, "\(key): \(error)")
        }
    }
}
