internal import OrderedCollections

extension TextConstraint {
    /// Engines recurse over rules, brackets and values within values.
    private enum Limit {
        static let bytes = 1 << 16
        static let rules = 1000
        static let brackets = 64
        static let depth = 32
        static let members = 200
        static let text = 1000
    }

    /// The constraint of generation_kwargs; `nil` if there is none.
    init?(_ reader: inout MappingReader) throws(TaskError) {
        let (grammar, schema) = (reader.node("grammar"), reader.node("json_schema"))
        guard grammar == nil || schema == nil else {
            throw reader.place.error(
                .invalidValue, "grammar and json_schema stand beside each other; keep one of them")
        }
        if let grammar {
            guard case .scalar(.string(let text)) = grammar.content else {
                throw reader.wrong("grammar", grammar, "text in the notation GBNF, such as 'root ::= \"yes\" | \"no\"'")
            }
            try Self.check(text, grammar)
            self = .grammar(text)
        } else if let schema {
            guard case .mapping = schema.content else {
                throw reader.wrong("json_schema", schema, "a JSON schema, such as {type: object, properties: ...}")
            }
            let value = schema.value
            try Self.check(value, depth: 0, schema)
            let text = value.text()
            guard text.utf8.count <= Limit.bytes else {
                throw schema.error(.limitExceeded, "json_schema has more than \(Limit.bytes) bytes")
            }
            self = .jsonSchema(text)
        } else {
            return nil
        }
    }

    private static func check(_ grammar: String, _ node: ConfigurationNode) throws(TaskError) {
        guard grammar.utf8.count <= Limit.bytes, !grammar.utf8.contains(0) else {
            throw node.error(.limitExceeded, "grammar has more than \(Limit.bytes) bytes, or U+0000 in it")
        }
        guard grammar.split(separator: "::=", omittingEmptySubsequences: false).count - 1 <= Limit.rules else {
            throw node.error(.limitExceeded, "grammar has more than \(Limit.rules) rules")
        }
        var depth = 0
        for byte in grammar.utf8 {
            // Brackets in literals count as well; nobody leaves so many of them open.
            if byte == UInt8(ascii: "(") { depth += 1 }
            if byte == UInt8(ascii: ")") { depth = max(0, depth - 1) }
            guard depth <= Limit.brackets else {
                throw node.error(.limitExceeded, "grammar has brackets nested more than \(Limit.brackets) deep")
            }
        }
    }

    private static func check(_ schema: JSONValue, depth: Int, _ node: ConfigurationNode) throws(TaskError) {
        let inner: [JSONValue]
        switch schema {
        case .array(let items): inner = items
        case .object(let members): inner = members.map(\.value)
        case .string(let text) where text.utf8.count > Limit.text:
            throw node.error(.limitExceeded, "json_schema has a text of more than \(Limit.text) bytes")
        default: return
        }
        guard depth < Limit.depth, inner.count <= Limit.members else {
            throw node.error(
                .limitExceeded,
                "json_schema is nested more than \(Limit.depth) deep, or has more than \(Limit.members) members in one place"
            )
        }
        for value in inner { try Self.check(value, depth: depth + 1, node) }
    }
}
