/// The metric exact_match with what it ignores.
struct ExactMatch: Sendable {
    private let normalization: ExactMatchNormalization
    private let regexes: [PythonRegex]

    init(_ normalization: ExactMatchNormalization) throws(TaskError) {
        self.normalization = normalization
        do throws(PatternError) {
            self.regexes = try normalization.regexesToIgnore.map { pattern throws(PatternError) in
                try PythonRegex(pattern)
            }
        } catch {
            throw TaskError(.invalidValue, "regexes_to_ignore: \(error.message)")
        }
    }

    func matches(_ prediction: String, _ target: String) throws(PatternError) -> Bool {
        PythonText.equal(try self.normalized(prediction), try self.normalized(target))
    }

    private func normalized(_ text: String) throws(PatternError) -> String {
        var text = text
        for regex in self.regexes { text = try regex.removingMatches(from: text) }
        if self.normalization.ignoreCase { text = text.lowercased() }
        if self.normalization.ignorePunctuation { text.unicodeScalars.removeAll(where: Self.isPunctuation) }
        if self.normalization.ignoreNumbers { text.unicodeScalars.removeAll { ("0"..."9").contains($0) } }
        return text
    }

    /// Python's `string.punctuation`: the ASCII characters that are neither letter, digit, space nor control.
    private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "!"..."/", ":"..."@", "["..."`", "{"..."~": true
        default: false
        }
    }
}
