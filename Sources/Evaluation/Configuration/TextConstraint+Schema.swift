internal import OrderedCollections

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
