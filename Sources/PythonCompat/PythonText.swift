/// Code points: what Python's texts are made of.
public typealias CodePoints = ArraySlice<Unicode.Scalar>

/// What Python does to text, where Swift's String does something else.
public enum PythonText {
    /// The version of CPython that the module is equal to, and the version of Unicode that it has.
    public static let version = (python: CharacterData.python, unicode: CharacterData.unicode)

    /// Python's `str.isspace` for one code point; `\s` of its regular expressions is the same set.
    public static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09...0x0D, 0x1C...0x20: true
        case 0x21...0x7F: false
        default: CharacterTable.has(.space, scalar)
        }
    }

    /// Python's `str.isalpha()` of one code point.
    public static func isAlpha(_ scalar: Unicode.Scalar) -> Bool { CharacterTable.has(.alpha, scalar) }

    /// Python's `str.isdecimal()` of one code point; `\d` of its regular expressions is the same set.
    public static func isDecimal(_ scalar: Unicode.Scalar) -> Bool { CharacterTable.has(.decimal, scalar) }

    /// Python's `str.isdigit()` of one code point.
    public static func isDigit(_ scalar: Unicode.Scalar) -> Bool { CharacterTable.has(.digit, scalar) }

    /// Python's `str.isnumeric()` of one code point.
    public static func isNumeric(_ scalar: Unicode.Scalar) -> Bool { CharacterTable.has(.numeric, scalar) }

    /// Python's `str.isalnum()` of one code point.
    public static func isAlphanumeric(_ scalar: Unicode.Scalar) -> Bool { CharacterTable.has(.alphanumeric, scalar) }

    /// Whether `\w` of Python's regular expressions matches a code point.
    public static func isWord(_ scalar: Unicode.Scalar) -> Bool { scalar == "_" || Self.isAlphanumeric(scalar) }

    /// Python's `str.isupper()` of one code point.
    public static func isUpper(_ scalar: Unicode.Scalar) -> Bool { CharacterTable.has(.upper, scalar) }

    /// Python's `str.islower()` of one code point.
    public static func isLower(_ scalar: Unicode.Scalar) -> Bool { CharacterTable.has(.lower, scalar) }

    /// Python's `str.isprintable()` of one code point.
    public static func isPrintable(_ scalar: Unicode.Scalar) -> Bool { CharacterTable.has(.printable, scalar) }

    /// Whether `str.splitlines()` ends a line at a code point.
    public static func endsLine(_ scalar: Unicode.Scalar) -> Bool { CharacterTable.has(.lineEnd, scalar) }

    /// `unicodedata.category`, as "Lu".
    public static func category(_ scalar: Unicode.Scalar) -> String {
        CharacterTable.categories[CharacterTable.shared.record(scalar.value).category]
    }

    /// Whether a code point's general category starts with P.
    public static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool { Self.category(scalar).utf8.first == 0x50 }

    /// Python's `str.isalpha()`.
    public static func isAlpha(_ text: String) -> Bool { Self.all(text, Self.isAlpha) }

    /// Python's `str.isdecimal()`.
    public static func isDecimal(_ text: String) -> Bool { Self.all(text, Self.isDecimal) }

    /// Python's `str.isdigit()`.
    public static func isDigit(_ text: String) -> Bool { Self.all(text, Self.isDigit) }

    /// Python's `str.isnumeric()`.
    public static func isNumeric(_ text: String) -> Bool { Self.all(text, Self.isNumeric) }

    /// Python's `str.isalnum()`.
    public static func isAlphanumeric(_ text: String) -> Bool { Self.all(text, Self.isAlphanumeric) }

    /// Python's `str.isspace()`.
    public static func isSpace(_ text: String) -> Bool { Self.all(text, Self.isSpace) }

    /// Python's `str.isprintable()`: true for an empty text.
    public static func isPrintable(_ text: String) -> Bool { text.unicodeScalars.allSatisfy(Self.isPrintable) }

    /// Python's `str.isascii()`.
    public static func isASCII(_ text: String) -> Bool { text.utf8.allSatisfy { $0 < 0x80 } }

    /// Python's `str.isidentifier()`.
    public static func isIdentifier(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, CharacterTable.has(.identifierStart, first) else { return false }
        return text.unicodeScalars.dropFirst().allSatisfy { CharacterTable.has(.identifierPart, $0) }
    }

    /// Python's `str.isupper()`.
    public static func isUpper(_ text: String) -> Bool { Self.isUpper(text.unicodeScalars) }

    /// Python's `str.isupper()`.
    public static func isUpper(_ text: some Sequence<Unicode.Scalar>) -> Bool {
        Self.isAll(text, .upper, but: [.lower, .title])
    }

    /// Python's `str.islower()`.
    public static func isLower(_ text: String) -> Bool { Self.isLower(text.unicodeScalars) }

    /// Python's `str.islower()`.
    public static func isLower(_ text: some Sequence<Unicode.Scalar>) -> Bool {
        Self.isAll(text, .lower, but: [.upper, .title])
    }

    /// Python's `str.istitle()`: upper or title case at the beginning of each run of cased letters, and only there.
    public static func isTitle(_ text: String) -> Bool {
        var (isCased, isInside) = (false, false)
        for scalar in text.unicodeScalars {
            let flags = CharacterTable.shared.record(scalar.value).flags
            if !flags.isDisjoint(with: [.upper, .title]) {
                if isInside { return false }
                (isCased, isInside) = (true, true)
            } else if flags.contains(.lower) {
                if !isInside { return false }
            } else {
                isInside = false
            }
        }
        return isCased
    }

    private static func all(_ text: String, _ holds: (Unicode.Scalar) -> Bool) -> Bool {
        !text.isEmpty && text.unicodeScalars.allSatisfy(holds)
    }

    /// Whether some code point has `flag` and none has one of `others`.
    private static func isAll(
        _ text: some Sequence<Unicode.Scalar>, _ flag: CharacterTable.Flags, but others: CharacterTable.Flags
    ) -> Bool {
        var isFound = false
        for scalar in text {
            let flags = CharacterTable.shared.record(scalar.value).flags
            if !flags.isDisjoint(with: others) { return false }
            if flags.contains(flag) { isFound = true }
        }
        return isFound
    }

    /// Whether a text is of ASCII digits, at least one: what `isdigit()` takes and `literal_eval` can read.
    public static func isDigits(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    /// Python's `str.strip()`.
    public static func strip(_ text: String) -> String { Self.rstrip(Self.lstrip(text)) }

    /// Python's `str.lstrip()`.
    public static func lstrip(_ text: String) -> String { String(text.unicodeScalars.drop(while: Self.isSpace)) }

    /// Python's `str.rstrip()`.
    public static func rstrip(_ text: String) -> String {
        guard let last = text.unicodeScalars.lastIndex(where: { !Self.isSpace($0) }) else { return "" }
        return String(text.unicodeScalars[...last])
    }

    /// Python's `str.strip(characters)`, or of white space for `nil`; a side that is not asked for stays.
    public static func strip(_ text: String, of characters: String?, left: Bool = true, right: Bool = true) -> String {
        guard let characters else {
            return left ? right ? Self.strip(text) : Self.lstrip(text) : right ? Self.rstrip(text) : text
        }
        let set = Set(characters.unicodeScalars)
        var rest = text.unicodeScalars[...]
        if left { rest = rest.drop(while: set.contains) }
        if right { while let last = rest.last, set.contains(last) { rest.removeLast() } }
        return String(rest)
    }

    /// Python's `str.splitlines(keepends)`.
    public static func splitLines(_ text: String, keepingEnds: Bool = false) -> [String] {
        var lines: [String] = []
        var rest = text.unicodeScalars[...]
        while let end = rest.firstIndex(where: Self.endsLine) {
            var next = rest.index(after: end)
            if rest[end] == "\r", next < rest.endIndex, rest[next] == "\n" { next = rest.index(after: next) }
            lines.append(String(rest[..<(keepingEnds ? next : end)]))
            rest = rest[next...]
        }
        return rest.isEmpty ? lines : lines + [String(rest)]
    }

    /// Python's `str.expandtabs(size)`.
    public static func expandTabs(_ text: String, size: Int = 8) -> String {
        var result = String.UnicodeScalarView()
        var column = 0
        for scalar in text.unicodeScalars {
            guard scalar == "\t" else {
                result.append(scalar)
                column = scalar == "\n" || scalar == "\r" ? 0 : column + 1
                continue
            }
            guard size > 0 else { continue }
            let count = size - column % size
            result.append(contentsOf: repeatElement(" ", count: count))
            column += count
        }
        return String(result)
    }

    /// Python's `str.zfill(width)`.
    public static func zeroFill(_ text: String, width: Int) -> String {
        let missing = width - text.unicodeScalars.count
        guard missing > 0 else { return text }
        var (sign, rest) = ("", text.unicodeScalars[...])
        if let first = rest.first, first == "+" || first == "-" { (sign, rest) = (String(first), rest.dropFirst()) }
        return sign + String(repeating: "0", count: missing) + String(rest)
    }

    /// Where a text stands in a wider field.
    public enum Alignment: Sendable {
        case left
        case right
        case center
    }

    /// Python's `str.ljust`, `str.rjust` and `str.center`.
    public static func justify(
        _ text: String, _ alignment: Alignment, width: Int, fill: Unicode.Scalar = " "
    ) -> String {
        let missing = width - text.unicodeScalars.count
        guard missing > 0 else { return text }
        let left =
            switch alignment {
            case .left: 0
            case .right: missing
            // CPython puts the odd one on the left if the width is odd, too.
            case .center: missing / 2 + (missing & width & 1)
            }
        var result = String.UnicodeScalarView()
        result.append(contentsOf: repeatElement(fill, count: left))
        result.append(contentsOf: text.unicodeScalars)
        result.append(contentsOf: repeatElement(fill, count: missing - left))
        return String(result)
    }

    /// Equality by code points; Swift's `==` also takes canonically equivalent texts as equal.
    public static func equal(_ a: String, _ b: String) -> Bool {
        let (a, b) = (a.utf8, b.utf8)
        guard a.count == b.count else { return false }
        // Byte by byte where they lie in a row, as nearly always: several times as fast as by an iterator.
        let same = a.withContiguousStorageIfAvailable { a in
            b.withContiguousStorageIfAvailable { b in
                for index in a.indices where a[index] != b[index] { return false }
                return true
            }
        }
        return (same ?? nil) ?? a.elementsEqual(b)
    }

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
}

extension PythonText {
    /// Python's `str.split()`: the parts between white space.
    public static func split(_ text: String) -> [String] {
        text.unicodeScalars.split(whereSeparator: Self.isSpace).map { String($0) }
    }

    /// What stands before the first `part`; `nil` if there is none.
    public static func before(_ part: String, in text: String) -> String? {
        let scalars = Array(text.unicodeScalars)
        guard let range = scalars.firstRange(of: Array(part.unicodeScalars)) else { return nil }
        return String(String.UnicodeScalarView(scalars[..<range.lowerBound]))
    }

    /// What follows the last `part`; the whole text if there is none.
    public static func behindLast(_ part: String, in text: String) -> String {
        var rest = Array(text.unicodeScalars)[...]
        let part = Array(part.unicodeScalars)
        while let range = rest.firstRange(of: part) { rest = rest[range.upperBound...] }
        return String(String.UnicodeScalarView(rest))
    }

    /// Python's `re.sub` with code in place of the pattern.
    ///
    /// `match` gives where a match that starts at an index ends, after it, and what is written in its place.
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
        var text = self.text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // So that parts of an array can't change places.
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
