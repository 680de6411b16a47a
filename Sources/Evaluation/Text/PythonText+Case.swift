extension PythonText {
    /// Python's `str.capitalize()`: the first code point in title case, the others in lower case.
    static func capitalize(_ text: String) -> String {
        guard let first = text.unicodeScalars.first else { return "" }
        return first.properties.titlecaseMapping
            + String(String.UnicodeScalarView(Self.lowercased(text, from: 1)))
    }

    /// `re.search(re.escape(part), text, re.IGNORECASE) is not None`.
    static func containsIgnoringCase(_ text: String, _ part: String) -> Bool {
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
