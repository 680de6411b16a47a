internal import Synchronization

/// A template of texts and columns alone, such as "Question: {{question}}\nAnswer:", filled in without Jinja.
///
/// Most prompts are made by such templates, and Jinja would be most of the work.
struct SimpleTemplate: Sendable {
    private enum Part {
        case text(String)
        case column(String)
    }

    private static let reserved: Set<String> = [
        "true", "false", "none", "True", "False", "None", "not", "and", "or", "in", "is", "if", "else", "loop", "self",
        "range",
        "dict", "namespace",
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
            let name = rest[start.upperBound..<end.lowerBound].drop { $0 == " " }.reversed().drop { $0 == " " }
                .reversed()
            guard Self.isName(String(name)) else { return nil }
            if start.lowerBound > rest.startIndex { parts.append(.text(String(rest[..<start.lowerBound]))) }
            parts.append(.column(String(name)))
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
            case .column(let name):
                switch document[name] {
                case .string(let value)?: text += value
                case .int(let value)?: text += String(value)
                default: return nil
                }
            }
        }
        return text
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !Self.reserved.contains(text) else { return false }
        func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte & ~0x20) || byte == UInt8(ascii: "_") }
        return isLetter(first) && text.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) }
    }
}

/// Which names stand in a text, remembered: a data set has the same columns in every row.
final class NameSearch: Sendable {
    private let text: String
    private let found = Mutex<[String: Bool]>([:])

    init(_ text: String) { self.text = text }

    func contains(_ name: String) -> Bool {
        self.found.withLock { found in
            if let known = found[name] { return known }
            let isThere = self.text.contains(name)
            // Rows are not trusted to have few names.
            if found.count < 1000 { found[name] = isThere }
            return isThere
        }
    }
}
