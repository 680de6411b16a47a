/// Upper and lower case as Python's `str` has them, by CPython's own tables.
extension PythonText {
    /// Python's `str.lower()`, with the final sigma.
    public static func lower(_ text: String) -> String {
        if let ascii = Self.ascii(text, { Self.isIn(0x41...0x5A, $0) ? $0 | 0x20 : $0 }) { return ascii }
        return String(String.UnicodeScalarView(Self.lowercased(text)))
    }

    /// Python's `str.lower()`.
    public static func lower(_ text: CodePoints) -> [Unicode.Scalar] {
        var lower: [Unicode.Scalar] = []
        lower.reserveCapacity(text.count)
        for position in text.indices { Self.appendLower(of: position, in: text, to: &lower) }
        return lower
    }

    /// Python's `str.lower()` of what stands from the code point `start` on; what stands before counts for sigmas.
    public static func lowercased(_ text: String, from start: Int = 0) -> [Unicode.Scalar] {
        let scalars = Array(text.unicodeScalars)[...]
        var lower: [Unicode.Scalar] = []
        lower.reserveCapacity(scalars.count)
        for position in scalars.indices.dropFirst(start) { Self.appendLower(of: position, in: scalars, to: &lower) }
        return lower
    }

    /// Python's `str.upper()`.
    public static func upper(_ text: String) -> String {
        if let ascii = Self.ascii(text, { Self.isIn(0x61...0x7A, $0) ? $0 & 0xDF : $0 }) { return ascii }
        return Self.mapped(text, .upper)
    }

    /// Python's `str.casefold()`.
    public static func casefold(_ text: String) -> String {
        if let ascii = Self.ascii(text, { Self.isIn(0x41...0x5A, $0) ? $0 | 0x20 : $0 }) { return ascii }
        return Self.mapped(text, .folded)
    }

    /// Python's `str.capitalize()`: the first code point in title case, the others in lower case.
    public static func capitalize(_ text: String) -> String {
        guard let first = text.unicodeScalars.first else { return "" }
        var result: [Unicode.Scalar] = []
        CharacterTable.shared.append(.title, of: first, to: &result)
        return String(String.UnicodeScalarView(result + Self.lowercased(text, from: 1)))
    }

    /// Python's `str.title()`: title case after what has no case, lower case elsewhere.
    public static func title(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)[...]
        var result: [Unicode.Scalar] = []
        var isInside = false
        for (position, scalar) in scalars.enumerated() {
            if isInside {
                Self.appendLower(of: position, in: scalars, to: &result)
            } else {
                CharacterTable.shared.append(.title, of: scalar, to: &result)
            }
            isInside = CharacterTable.has(.cased, scalar)
        }
        return String(String.UnicodeScalarView(result))
    }

    /// Python's `str.swapcase()`.
    public static func swapcase(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)[...]
        var result: [Unicode.Scalar] = []
        for (position, scalar) in scalars.enumerated() {
            let flags = CharacterTable.shared.record(scalar.value).flags
            if flags.contains(.upper) {
                Self.appendLower(of: position, in: scalars, to: &result)
            } else if flags.contains(.lower) {
                CharacterTable.shared.append(.upper, of: scalar, to: &result)
            } else {
                result.append(scalar)
            }
        }
        return String(String.UnicodeScalarView(result))
    }

    private static func isIn(_ range: ClosedRange<UInt8>, _ byte: UInt8) -> Bool { range.contains(byte) }

    /// A text of ASCII with each byte changed; `nil` for other texts.
    private static func ascii(_ text: String, _ change: (UInt8) -> UInt8) -> String? {
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        return String(decoding: text.utf8.map(change), as: UTF8.self)
    }

    private static func mapped(_ text: String, _ form: CharacterTable.Form) -> String {
        var result: [Unicode.Scalar] = []
        for scalar in text.unicodeScalars { CharacterTable.shared.append(form, of: scalar, to: &result) }
        return String(String.UnicodeScalarView(result))
    }

    private static func appendLower(of position: Int, in scalars: CodePoints, to lower: inout [Unicode.Scalar]) {
        let scalar = scalars[position]
        if scalar == "\u{3A3}" {
            lower.append(Self.endsWord(position, of: scalars) ? "\u{3C2}" : "\u{3C3}")
        } else if scalar.isASCII {
            lower.append(("A"..."Z").contains(scalar) ? Unicode.Scalar(UInt8(scalar.value) | 0x20) : scalar)
        } else {
            CharacterTable.shared.append(.lower, of: scalar, to: &lower)
        }
    }

    /// Unicode's condition Final_Sigma: a cased letter before it and none after it, whatever is ignorable apart.
    private static func endsWord(_ position: Int, of scalars: CodePoints) -> Bool {
        func isCased(_ scalar: Unicode.Scalar?) -> Bool { scalar.map { CharacterTable.has(.cased, $0) } ?? false }
        let before = scalars[..<position].last { !CharacterTable.has(.caseIgnorable, $0) }
        let behind = scalars[(position + 1)...].first { !CharacterTable.has(.caseIgnorable, $0) }
        return isCased(before) && !isCased(behind)
    }

    /// What code points have in common that are equal under `re.IGNORECASE`: one of them, in lower case.
    public static func caseFold(_ scalar: Unicode.Scalar) -> UInt32 {
        let table = CharacterTable.shared
        let lower = table.lowerInPatterns(scalar.value)
        if lower < 0x80, lower != 0x69, lower != 0x73 { return lower }
        return table.extraCases[lower]?.reduce(lower, min) ?? lower
    }

    /// `re.search(re.escape(part), text, re.IGNORECASE) is not None`.
    public static func containsIgnoringCase(_ text: String, _ part: String) -> Bool {
        LiteralSearch(part, ignoresCase: true).isFound(in: Array(text.unicodeScalars))
    }
}
