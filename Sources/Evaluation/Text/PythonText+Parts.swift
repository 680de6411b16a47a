extension PythonText {
    /// Python's `str.split()`: the parts between white space.
    static func split(_ text: String) -> [String] {
        text.unicodeScalars.split(whereSeparator: Self.isSpace).map { String($0) }
    }

    /// Python's `str.replace(old, new)` by code points; `old` must not be empty.
    static func replace(_ text: String, _ old: String, with new: String) -> String {
        let (bytes, old) = (Array(text.utf8), Array(old.utf8))
        guard let first = old.first, bytes.count >= old.count else { return text }
        var replaced: [UInt8] = []
        var position = 0
        while position < bytes.count {
            // UTF-8 bytes of a text match only where its code points do.
            if bytes[position] == first, bytes[position...].starts(with: old) {
                replaced.append(contentsOf: new.utf8)
                position += old.count
            } else {
                replaced.append(bytes[position])
                position += 1
            }
        }
        return String(decoding: replaced, as: UTF8.self)
    }

    /// Whether `part` stands in `text`, by code points.
    static func contains(_ text: String, _ part: String) -> Bool { Self.before(part, in: text) != nil }

    /// What stands before the first `part`; `nil` if there is none.
    static func before(_ part: String, in text: String) -> String? {
        let scalars = Array(text.unicodeScalars)
        guard let range = scalars.firstRange(of: Array(part.unicodeScalars)) else { return nil }
        return String(String.UnicodeScalarView(scalars[..<range.lowerBound]))
    }

    /// What stands behind the last `part`; the whole text if there is none.
    static func behindLast(_ part: String, in text: String) -> String {
        var rest = Array(text.unicodeScalars)[...]
        let part = Array(part.unicodeScalars)
        while let range = rest.firstRange(of: part) { rest = rest[range.upperBound...] }
        return String(String.UnicodeScalarView(rest))
    }

    /// Python's `re.sub` with code in place of the pattern.
    ///
    /// `match` gives where a match that starts at an index ends, behind it, and what is written in its place.
    static func substituting(
        _ text: String, _ match: (_ scalars: [Unicode.Scalar], _ start: Int) -> (end: Int, replacement: String)?
    ) -> String {
        let scalars = Array(text.unicodeScalars)
        var result = String.UnicodeScalarView()
        var position = 0
        while position < scalars.count {
            if let (end, replacement) = match(scalars, position), end > position {
                result.append(contentsOf: replacement.unicodeScalars)
                position = end
            } else {
                result.append(scalars[position])
                position += 1
            }
        }
        return String(result)
    }

    /// Whether a code point is in Python's `string.punctuation`.
    static func isASCIIPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "!"..."/", ":"..."@", "["..."`", "{"..."~": true
        default: false
        }
    }

    /// Whether a code point's general category starts with P.
    static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation:
            true
        default: false
        }
    }

    /// Replaces whole words (`\b...\b` of regular expressions) for which `replacement` gives another text.
    static func replacingWords(in text: String, _ replacement: (_ word: String, _ before: Unicode.Scalar?) -> String?)
        -> String
    {
        var result = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        var before: Unicode.Scalar?
        while let first = rest.first {
            let run = rest.prefix { CharacterSet.isIn(.word, $0) }
            if run.isEmpty {
                result.append(first)
                before = first
                rest = rest.dropFirst()
            } else {
                let word = String(run)
                result.append(contentsOf: (replacement(word, before) ?? word).unicodeScalars)
                before = run.last
                rest = rest[run.endIndex...]
            }
        }
        return String(result)
    }
}

/// A text that is equal to another only if the code points are, as in Python's sets and dictionaries.
struct ExactText: Hashable, Sendable {
    let text: String

    init(_ text: String) { self.text = text }

    static func == (a: ExactText, b: ExactText) -> Bool { PythonText.equal(a.text, b.text) }

    func hash(into hasher: inout Hasher) {
        for byte in self.text.utf8 { hasher.combine(byte) }
        hasher.combine(0xFF as UInt8)
    }
}
