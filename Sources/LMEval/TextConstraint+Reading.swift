internal import ConfigFile
internal import Evaluation
internal import JSON
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

extension TextConstraint {
    /// The text of a JSON schema, which stands there as a mapping or as JSON text.
    ///
    /// The order of its keys is kept: properties are generated in it.
    static func schema(_ node: ConfigurationNode) throws(TaskError) -> String {
        var value = node.value
        if case .string(let text) = value {
            do throws(JSONError) {
                value = try JSONValue.parse(text.utf8)
            } catch {
                throw node.error(.invalidValue, "json_schema is no JSON: \(error.message)")
            }
        }
        guard case .object = value else {
            throw node.error(
                .invalidValue,
                "json_schema is \(node.found); it must be a JSON schema, such as {type: object, properties: ...}")
        }
        try Self.checkSize(value, depth: 0, node)
        try Self.checkKeywords(value, node)
        let text = value.text()
        guard text.utf8.count <= Limit.bytes else {
            throw node.error(.limitExceeded, "json_schema has more than \(Limit.bytes) bytes")
        }
        return text
    }

    private static func checkSize(
        _ schema: JSONValue, depth: Int, _ node: ConfigurationNode
    ) throws(TaskError) {
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
        for value in inner { try Self.checkSize(value, depth: depth + 1, node) }
    }

    /// Refuses keywords that an engine would take no notice of.
    private static func checkKeywords(_ schema: JSONValue, _ node: ConfigurationNode) throws(TaskError) {
        guard case .object(let members) = schema else { return }
        // Bounds of other numbers are taken no notice of.
        let isInteger = members["type"] == .string("integer")
        for (keyword, value) in members {
            switch keyword {
            case "title", "description", "default", "examples", "$schema", "$id", "$comment", "$ref", "type",
                "required",
                "enum", "const", "minItems", "maxItems", "minLength", "maxLength", "pattern":
                break
            case "properties", "$defs", "definitions":
                guard case .object(let inner) = value else { continue }
                for (_, schema) in inner { try Self.checkKeywords(schema, node) }
            case "items", "additionalProperties": try Self.checkKeywords(value, node)
            case "prefixItems", "anyOf", "oneOf", "allOf":
                guard case .array(let inner) = value else { continue }
                for schema in inner { try Self.checkKeywords(schema, node) }
            case "minimum" where isInteger, "maximum" where isInteger, "exclusiveMinimum" where isInteger,
                "exclusiveMaximum" where isInteger:
                break
            case "format" where ["date", "time", "date-time", "uuid"].contains(value.string): break
            default:
                throw node.error(
                    .unsupported,
                    "json_schema: \(keyword) (\(value.text().prefix(60))) would not be followed; leave it out, and check it in a "
                        + "filter")
            }
        }
    }
}
