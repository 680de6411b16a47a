internal import OrderedCollections

extension TextConstraint {
    /// Engines recurse over rules, brackets and values within values.
    enum Limit {
        static let bytes = 1 << 16
        static let rules = 1000
        static let brackets = 64
        /// Of a schema's values within values.
        static let depth = 32
        /// Of one object or list in a schema.
        static let members = 200
        /// Bytes of one text in a schema.
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
            self = .jsonSchema(try Self.schema(schema))
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
}
