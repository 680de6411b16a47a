extension PythonText {
    /// Python's `str.isupper()`, by Unicode 14.
    static func isUpper(_ text: some Sequence<Unicode.Scalar>) -> Bool {
        var isCased = false
        for scalar in text {
            if Self.isLower(scalar) || Self.isTitle(scalar) { return false }
            if Self.isUpper(scalar) { isCased = true }
        }
        return isCased
    }

    /// Python's `str.islower()`, by Unicode 14.
    static func isLower(_ text: some Sequence<Unicode.Scalar>) -> Bool {
        var isCased = false
        for scalar in text {
            if Self.isUpper(scalar) || Self.isTitle(scalar) { return false }
            if Self.isLower(scalar) { isCased = true }
        }
        return isCased
    }

    /// `str.isupper()` of one code point.
    static func isUpper(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII ? ("A"..."Z").contains(scalar) : Self.isKnown(scalar) && scalar.properties.isUppercase
    }

    /// `str.islower()` of one code point.
    static func isLower(_ scalar: Unicode.Scalar) -> Bool {
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
    static func caseFold(_ scalar: Unicode.Scalar) -> UInt32 {
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
