internal import PythonCompat

/// Classes of code points as the package regex has them, which NLTK uses since its version 3.10.
enum NLTKText {
    /// As `\w`: letters, marks, digits, connectors and joiners.
    static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII {
            return ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
                || scalar == "_"
        }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
        default: return scalar.properties.isAlphabetic || scalar.value == 0x200C || scalar.value == 0x200D
        }
    }

    /// As `\s`.
    static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        PythonText.isSpace(scalar) && !(0x1C...0x1F).contains(scalar.value)
    }

    /// As `\d`.
    static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII ? ("0"..."9").contains(scalar) : scalar.properties.generalCategory == .decimalNumber
    }

    /// The number of tokens that `RegexpTokenizer(r"\w+")` gives.
    static func wordCount(_ text: [Unicode.Scalar]) -> Int {
        var count = 0
        var wasWord = false
        for scalar in text {
            let isWord = Self.isWord(scalar)
            if isWord, !wasWord { count += 1 }
            wasWord = isWord
        }
        return count
    }
}
