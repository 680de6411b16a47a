extension PythonText {
    /// Python's `str.capitalize()`: the first code point in title case, the others in lower case.
    public static func capitalize(_ text: String) -> String {
        guard let first = text.unicodeScalars.first else { return "" }
        return first.properties.titlecaseMapping
            + String(String.UnicodeScalarView(Self.lowercased(text, from: 1)))
    }

    /// `re.search(re.escape(part), text, re.IGNORECASE) is not None`.
    public static func containsIgnoringCase(_ text: String, _ part: String) -> Bool {
        let text = text.unicodeScalars.map(Self.caseKey)
        let part = part.unicodeScalars.map(Self.caseKey)
        return text.firstRange(of: part) != nil || part.isEmpty
    }

    /// Code points are equal but for their case if their simple lower case forms have the same upper case form.
    private static func caseKey(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        let lower = scalar.properties.lowercaseMapping.unicodeScalars.first ?? scalar
        return Array(lower.properties.uppercaseMapping.unicodeScalars)
    }
}

extension PythonText {
    /// Python's `str.isupper()`, by Unicode 14.
    public static func isUpper(_ text: some Sequence<Unicode.Scalar>) -> Bool {
        var isCased = false
        for scalar in text {
            if Self.isLower(scalar) || Self.isTitle(scalar) { return false }
            if Self.isUpper(scalar) { isCased = true }
        }
        return isCased
    }

    /// Python's `str.islower()`, by Unicode 14.
    public static func isLower(_ text: some Sequence<Unicode.Scalar>) -> Bool {
        var isCased = false
        for scalar in text {
            if Self.isUpper(scalar) || Self.isTitle(scalar) { return false }
            if Self.isLower(scalar) { isCased = true }
        }
        return isCased
    }

    /// `str.isupper()` of one code point.
    public static func isUpper(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII ? ("A"..."Z").contains(scalar) : Self.isKnown(scalar) && scalar.properties.isUppercase
    }

    /// `str.islower()` of one code point.
    public static func isLower(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return ("a"..."z").contains(scalar) }
        switch scalar.value {
        // What later versions of Unicode changed.
        case 0x295: return true
        case 0x10FC, 0xA7F2...0xA7F4, 0xAB69: return false
        default: return Self.isKnown(scalar) && scalar.properties.isLowercase
        }
    }

    private static func isTitle(_ scalar: Unicode.Scalar) -> Bool {
        !scalar.isASCII && scalar.properties.generalCategory == .titlecaseLetter
    }

    /// Whether Unicode 14 has the code point.
    private static func isKnown(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.age.map { $0.major <= 14 } ?? false
    }

    /// What code points have in common that are equal under `re.IGNORECASE`.
    public static func caseFold(_ scalar: Unicode.Scalar) -> UInt32 {
        if scalar.isASCII { return ("a"..."z").contains(scalar) ? scalar.value & 0xDF : scalar.value }
        switch scalar.value {
        // Each pair has the same upper case form, of several code points.
        case 0x1FD3: return 0x390
        case 0x1FE3: return 0x3B0
        case 0xFB06: return 0xFB05
        default: break
        }
        guard Self.isKnown(scalar) else { return scalar.value }
        let lower = scalar.properties.lowercaseMapping.unicodeScalars.first ?? scalar
        let upper = lower.properties.uppercaseMapping.unicodeScalars
        guard let only = upper.first, upper.count == 1, Self.isKnown(only) else { return lower.value }
        return only.value
    }
}

extension PythonText {
    /// Python's `str.lower()`, by the Unicode 14 that Python 3.11 has.
    ///
    /// Swift's `lowercased()` knows no final sigma, and letters that came after Unicode 14.
    public static func lowercased(_ text: String, from start: Int = 0) -> [Unicode.Scalar] {
        let scalars = Array(text.unicodeScalars)
        var lower: [Unicode.Scalar] = []
        lower.reserveCapacity(scalars.count)
        for (position, scalar) in scalars.enumerated().dropFirst(start) {
            if scalar == "\u{3A3}" {
                lower.append(Self.endsWord(position, of: scalars) ? "\u{3C2}" : "\u{3C3}")
            } else {
                Self.appendLowercase(of: scalar, to: &lower)
            }
        }
        return lower
    }

    /// As text; see `lowercased`.
    public static func lower(_ text: String) -> String { String(String.UnicodeScalarView(Self.lowercased(text))) }

    private static func appendLowercase(of scalar: Unicode.Scalar, to lower: inout [Unicode.Scalar]) {
        if scalar.isASCII {
            lower.append(("A"..."Z").contains(scalar) ? Unicode.Scalar(UInt8(scalar.value) | 0x20) : scalar)
        } else if let age = scalar.properties.age, age.major <= 14 {
            lower.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
        } else {
            lower.append(scalar)
        }
    }

    /// Unicode's condition Final_Sigma: a cased letter before it and none behind it, whatever is ignorable apart.
    private static func endsWord(_ position: Int, of scalars: [Unicode.Scalar]) -> Bool {
        func isCased(_ scalar: Unicode.Scalar?) -> Bool { scalar?.properties.isCased ?? false }
        let before = scalars[..<position].last { !$0.properties.isCaseIgnorable }
        let behind = scalars[(position + 1)...].first { !$0.properties.isCaseIgnorable }
        return isCased(before) && !isCased(behind)
    }
}
