internal import PythonCompat

/// A template of texts and columns, such as "Question: {{question.strip()}}\nAnswer:" or "{{choices.label.index(answer)}}".
///
/// It is filled in without Jinja: most prompts are made by such templates, and Jinja would be most of the work.
struct SimpleTemplate: Sendable {
    private enum Part {
        case text(String)
        case column(Expression)
    }

    /// A column or a member within it, and what is done with it.
    private struct Expression {
        var path: [String]
        /// `.strip()` stands behind it.
        var strips = false
        /// `.index(...)` of this path stands behind it.
        var index: [String]?

        init?(_ text: Substring) {
            var text = String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            if text.hasSuffix(".strip()") {
                self.strips = true
                text.removeLast(8)
            } else if text.hasSuffix(")"), let call = text.firstRange(of: ".index(") {
                guard let path = SimpleTemplate.path(text[call.upperBound...].dropLast()) else { return nil }
                self.index = path
                text = String(text[..<call.lowerBound])
            }
            guard let path = SimpleTemplate.path(text[...]) else { return nil }
            self.path = path
        }

        /// - Returns: `nil` where a column is missing, or what is done with it is for Jinja to refuse.
        func value(_ document: JSONValue) -> JSONValue? {
            guard let value = SimpleTemplate.value(self.path, document) else { return nil }
            if self.strips {
                guard case .string(let text) = value else { return nil }
                return .string(PythonText.strip(text))
            }
            guard let index = self.index else { return value }
            guard case .array(let items) = value, case .string(let wanted)? = SimpleTemplate.value(index, document)
            else { return nil }
            let place = items.firstIndex { item in
                if case .string(let text) = item { PythonText.equal(text, wanted) } else { false }
            }
            return place.map { .int($0) }
        }
    }

    private static let reserved: Set<String> = [
        "true", "false", "none", "True", "False", "None", "not", "and", "or", "in", "is", "if", "else", "loop", "self",
        "range",
        "dict", "namespace",
    ]

    /// What Python's mappings have as well, where a member of that name would be hidden.
    private static let methods: Set<String> = [
        "items", "keys", "values", "get", "pop", "popitem", "copy", "update", "clear", "setdefault", "fromkeys",
        "count",
        "index",
    ]

    private let parts: [Part]

    /// - Returns: `nil` for a template that does more.
    init?(_ source: String) {
        // Jinja makes line ends alike.
        guard !source.utf8.contains(UInt8(ascii: "\r")), !source.contains("{%"), !source.contains("{#") else {
            return nil
        }
        var parts: [Part] = []
        var rest = source[...]
        while let start = rest.firstRange(of: "{{") {
            guard let end = rest[start.upperBound...].firstRange(of: "}}") else { return nil }
            guard let expression = Expression(rest[start.upperBound..<end.lowerBound]) else { return nil }
            if start.lowerBound > rest.startIndex { parts.append(.text(String(rest[..<start.lowerBound]))) }
            parts.append(.column(expression))
            rest = rest[end.upperBound...]
        }
        guard !rest.contains("}}") else { return nil }
        if !rest.isEmpty { parts.append(.text(String(rest))) }
        self.parts = parts
    }

    /// - Returns: `nil` if a column is missing, or of a kind that Jinja must write.
    func render(_ document: JSONValue) -> String? {
        var text = ""
        for part in self.parts {
            switch part {
            case .text(let part): text += part
            case .column(let expression):
                switch expression.value(document) {
                case .string(let value)?: text += value
                case .int(let value)?: text += String(value)
                case .date(let value)?: text += value.text
                default: return nil
                }
            }
        }
        return text
    }

    /// The value of a template that is one column and nothing else; `nil` if it is more, or the column is missing.
    func value(_ document: JSONValue) -> JSONValue? {
        guard self.parts.count == 1, case .column(let expression) = self.parts[0] else { return nil }
        return expression.value(document)
    }

    private static func value(_ path: [String], _ document: JSONValue) -> JSONValue? {
        var value = document
        for name in path {
            guard let member = value[name] else { return nil }
            value = member
        }
        return value
    }

    private static func path(_ text: Substring) -> [String]? {
        let trimmed = String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        let names = trimmed.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard names.allSatisfy(Self.isName), !names.dropFirst().contains(where: Self.methods.contains) else {
            return nil
        }
        return names
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !Self.reserved.contains(text) else { return false }
        func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte & ~0x20) || byte == UInt8(ascii: "_") }
        return isLetter(first) && text.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) }
    }
}
