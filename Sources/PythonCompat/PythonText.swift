/// Code points: what Python's texts are made of.
public typealias CodePoints = ArraySlice<Unicode.Scalar>

/// What Python does to text, where Swift's String does something else.
public enum PythonText {
    /// Python's `str.isspace` for one code point; `\s` of its regular expressions is the same set.
    public static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }

    /// Python's `str.strip()`.
    public static func strip(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let start = scalars.firstIndex(where: { !Self.isSpace($0) }),
            let last = scalars.lastIndex(where: { !Self.isSpace($0) })
        else { return "" }
        return String(scalars[start...last])
    }

    /// Python's `str.isdigit()` for what a template renders: ASCII digits, at least one.
    public static func isDigits(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    /// Python's `str.isprintable()` of one code point.
    public static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        case .spaceSeparator: scalar == " "
        default: true
        }
    }

    /// Equality by code points; Swift's `==` also takes canonically equivalent texts as equal.
    public static func equal(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }

    /// `len(re.split(r"\s+", text))`.
    public static func wordCount(_ text: String) -> Int {
        var runs = 0
        var wasSpace = false
        for scalar in text.unicodeScalars {
            let isSpace = Self.isSpace(scalar)
            if isSpace, !wasSpace { runs += 1 }
            wasSpace = isSpace
        }
        return runs + 1
    }

    /// Whether `\w` of Python's regular expressions matches a code point: `str.isalnum()`, or the underscore.
    public static func isWord(_ scalar: Unicode.Scalar) -> Bool { CharacterSet.isIn(.word, scalar) }

    /// Whether `\d` of Python's regular expressions matches a code point: `str.isdecimal()`.
    public static func isDecimal(_ scalar: Unicode.Scalar) -> Bool { CharacterSet.isIn(.digit, scalar) }
}

extension PythonText {
    /// Python's `str.split()`: the parts between white space.
    public static func split(_ text: String) -> [String] {
        text.unicodeScalars.split(whereSeparator: Self.isSpace).map { String($0) }
    }

    /// Python's `str.replace(old, new)` by code points; `old` must not be empty.
    public static func replace(_ text: String, _ old: String, with new: String) -> String {
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
    public static func contains(_ text: String, _ part: String) -> Bool { Self.before(part, in: text) != nil }

    /// What stands before the first `part`; `nil` if there is none.
    public static func before(_ part: String, in text: String) -> String? {
        let scalars = Array(text.unicodeScalars)
        guard let range = scalars.firstRange(of: Array(part.unicodeScalars)) else { return nil }
        return String(String.UnicodeScalarView(scalars[..<range.lowerBound]))
    }

    /// What stands behind the last `part`; the whole text if there is none.
    public static func behindLast(_ part: String, in text: String) -> String {
        var rest = Array(text.unicodeScalars)[...]
        let part = Array(part.unicodeScalars)
        while let range = rest.firstRange(of: part) { rest = rest[range.upperBound...] }
        return String(String.UnicodeScalarView(rest))
    }

    /// Python's `re.sub` with code in place of the pattern.
    ///
    /// `match` gives where a match that starts at an index ends, behind it, and what is written in its place.
    public static func substituting(
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
    public static func isASCIIPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "!"..."/", ":"..."@", "["..."`", "{"..."~": true
        default: false
        }
    }

    /// Whether a code point's general category starts with P.
    public static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation:
            true
        default: false
        }
    }

    /// Replaces whole words (`\b...\b` of regular expressions) for which `replacement` gives another text.
    public static func replacingWords(
        in text: String, _ replacement: (_ word: String, _ before: Unicode.Scalar?) -> String?
    )
        -> String
    {
        var result = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        var before: Unicode.Scalar?
        while let first = rest.first {
            let run = rest.prefix(while: Self.isWord)
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
public struct ExactText: Hashable, Sendable {
    public let text: String

    public init(_ text: String) { self.text = text }

    public static func == (a: ExactText, b: ExactText) -> Bool { PythonText.equal(a.text, b.text) }

    public func hash(into hasher: inout Hasher) {
        for byte in self.text.utf8 { hasher.combine(byte) }
        hasher.combine(0xFF as UInt8)
    }
}

/// The same as for texts, on arrays of code points.
extension PythonText {
    /// Python's `str.strip()`.
    public static func strip(_ text: CodePoints) -> CodePoints {
        guard let start = text.firstIndex(where: { !Self.isSpace($0) }),
            let last = text.lastIndex(where: { !Self.isSpace($0) })
        else { return [] }
        return text[start...last]
    }

    /// `not text.strip()`.
    public static func isBlank(_ text: CodePoints) -> Bool { text.allSatisfy(Self.isSpace) }

    /// Python's `str.lower()`.
    public static func lower(_ text: CodePoints) -> [Unicode.Scalar] {
        if text.allSatisfy(\.isASCII) {
            return text.map { ("A"..."Z").contains($0) ? Unicode.Scalar(UInt8($0.value) | 0x20) : $0 }
        }
        return Self.lowercased(String(text))
    }

    /// Python's `str.lstrip` and `str.rstrip` with characters.
    public static func strip(_ text: CodePoints, left: Set<Unicode.Scalar>, right: Set<Unicode.Scalar>) -> CodePoints {
        var text = text.drop(while: left.contains)
        while let last = text.last, right.contains(last) { text.removeLast() }
        return text
    }

    /// Python's `str.split(separator)`: an empty text has one part.
    public static func split(_ text: [Unicode.Scalar], by separator: String) -> [CodePoints] {
        let separator = LiteralSearch(separator)
        var parts: [CodePoints] = []
        var start = 0
        separator.visit(in: text, overlapping: false) { match in
            parts.append(text[start..<match.lowerBound])
            start = match.upperBound
            return true
        }
        return parts + [text[start...]]
    }
}

extension String {
    public init(_ scalars: CodePoints) {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        self.init(view)
    }
}

extension PythonText {
    /// Python's `str.split()`.
    public static func words(_ text: some Sequence<Unicode.Scalar>) -> [CodePoints] {
        text.split(whereSeparator: Self.isSpace)
    }

    public static func isASCIIDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
}
