internal import PythonCompat

/// A word or punctuation, as NLTK's `PunktToken` with its first annotation.
struct PunktToken {
    private let text: CodePoints
    var endsSentence = false
    var isAbbreviation = false
    let isEllipsis: Bool

    /// NLTK `PunktBaseClass._first_pass_annotation`.
    init(_ text: CodePoints, _ parameters: PunktParameters) {
        self.text = text
        self.isEllipsis = text.count >= 2 && text.allSatisfy { $0 == "." }
        if text.count == 1, let only = text.first, PunktScanner.endsSentence(only) {
            self.endsSentence = true
        } else if !self.isEllipsis, self.endsInPeriod, text.dropLast().last != "." {
            let word = PythonText.lower(text.dropLast())
            let tail = word.split(separator: "-", omittingEmptySubsequences: false).last ?? word[...]
            self.isAbbreviation =
                parameters.isAbbreviation(String(word[...])) || parameters.isAbbreviation(String(tail))
            self.endsSentence = !self.isAbbreviation
        }
    }

    var endsInPeriod: Bool { self.text.last == "." }

    /// In lower case, or "##number##".
    private var type: String {
        let lower = PythonText.lower(self.text)
        return Self.isNumber(lower) ? "##number##" : String(lower[...])
    }

    var typeWithoutPeriod: String {
        let type = self.type
        guard type.utf8.count > 1, type.utf8.last == UInt8(ascii: ".") else { return type }
        return String(type.unicodeScalars.dropLast())
    }

    var typeWithoutSentencePeriod: String { self.endsSentence ? self.typeWithoutPeriod : self.type }

    var isUpper: Bool { self.text.first.map { PythonText.isUpper($0) } ?? false }

    var isLower: Bool { self.text.first.map { PythonText.isLower($0) } ?? false }

    /// A letter with a period.
    var isInitial: Bool {
        guard self.text.count == 2, self.endsInPeriod, let first = self.text.first else { return false }
        return NLTKText.isWord(first) && !NLTKText.isDigit(first)
    }

    var isNumber: Bool { self.typeWithoutPeriod == "##number##" }

    /// Punctuation that begins no sentence.
    var isPunctuation: Bool {
        self.text.count == 1 && self.text.allSatisfy { ";:,.!?".unicodeScalars.contains($0) }
    }

    /// Whether `-?[.,]?\d[\d,.-]*\.?` matches all of it.
    private static func isNumber(_ text: [Unicode.Scalar]) -> Bool {
        var rest = text[...]
        if rest.first == "-" { rest.removeFirst() }
        if rest.first == "." || rest.first == "," { rest.removeFirst() }
        guard let first = rest.first, NLTKText.isDigit(first) else { return false }
        return rest.allSatisfy { NLTKText.isDigit($0) || $0 == "," || $0 == "." || $0 == "-" }
    }
}
