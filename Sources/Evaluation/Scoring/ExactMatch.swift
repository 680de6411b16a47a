internal import PythonCompat

/// The metric exact_match with what it ignores.
struct ExactMatch: Sendable {
    private let normalizer: TextNormalizer

    init(_ normalization: ExactMatchNormalization) throws(TaskError) {
        do throws(PatternError) {
            self.normalizer = try TextNormalizer(normalization, punctuation: .ascii)
        } catch {
            throw TaskError(.invalidValue, "regexes_to_ignore: \(error.message)")
        }
    }

    func matches(_ prediction: String, _ target: String) throws(PatternError) -> Bool {
        PythonText.equal(try self.normalizer.normalized(prediction), try self.normalizer.normalized(target))
    }
}

/// Takes away what a comparison of texts is to ignore.
struct TextNormalizer: Sendable {
    /// What counts as punctuation.
    enum Punctuation: Sendable {
        /// Python's `string.punctuation`.
        case ascii
        /// Unicode's categories P*.
        case unicode
    }

    private let normalization: ExactMatchNormalization
    private let punctuation: Punctuation
    private let regexes: [PythonRegex]

    init(_ normalization: ExactMatchNormalization, punctuation: Punctuation) throws(PatternError) {
        self.normalization = normalization
        self.punctuation = punctuation
        self.regexes = try normalization.regexesToIgnore.map { pattern throws(PatternError) in
            try PythonRegex(pattern)
        }
    }

    func normalized(_ text: String) throws(PatternError) -> String {
        var text = text
        for regex in self.regexes { text = try regex.removingMatches(from: text) }
        if self.normalization.ignoreCase { text = PythonText.lower(text) }
        if self.normalization.ignorePunctuation { text.unicodeScalars.removeAll(where: self.punctuation.contains) }
        if self.normalization.ignoreNumbers { text.unicodeScalars.removeAll { ("0"..."9").contains($0) } }
        return text
    }
}

extension TextNormalizer.Punctuation {
    fileprivate func contains(_ scalar: Unicode.Scalar) -> Bool {
        switch self {
        case .ascii: PythonText.isASCIIPunctuation(scalar)
        case .unicode: PythonText.isPunctuation(scalar)
        }
    }
}
