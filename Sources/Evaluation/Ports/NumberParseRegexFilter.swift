internal import PythonCompat

/// bbh `utils.NumberParseRegexFilter`: looks for a number by the pattern, then for one in English words.
struct NumberParseRegexFilter: Sendable {
    private let filter: ExtendedRegexFilter
    private let words: PythonRegex

    init(_ options: ExtendedRegexFilter.Options) throws(TaskError) {
        self.filter = try ExtendedRegexFilter(options)
        self.words = try ExtendedRegexFilter.regex(Self.wordsPattern)
    }

    /// lm-eval stops with an error at words that are no number; here the fallback stands in.
    func apply(_ responses: [String], document: JSONValue) throws(TaskError) -> [String] {
        try responses.map { response throws(TaskError) in
            let match = try self.filter.found(self.filter.regex, in: response)
            if !match.isEmpty { return match }
            let words = try self.filter.found(self.words, in: PythonText.lower(response))
            return EnglishNumber.value(of: words).map(String.init) ?? self.filter.options.fallback
        }
    }

    /// Number words with words between, as lm-eval looks for them; "six" alone is none of them.
    private static let wordsPattern: String = {
        let stems = "(?:twen|thir|for|fif|six|seven|nine)"
        func word(stem: String, eight: String) -> String {
            "zero|one|two|three|four|five|\(stems)\(stem)|eight\(eight)|ten|eleven|twelve|fourteen|hundred|thousand"
                + "|(?:m|b|tr)illion"
        }
        let first = word(stem: "(?:teen|ty)", eight: "(?:|een|y)")
        let next = word(stem: "(?:|teen|ty)", eight: "(?:een|y)")
        let last = word(stem: "(?:teen|ty)", eight: "(?:een|y)")
        // The module regex takes four separators as no white space that re takes as such.
        let space = #"[^\S\r\n\x1c-\x1f]"#
        return "((?:(?:\(first))(?:\(next)|\(space)|,|and|&)+)?(?:\(last)))"
    }()
}
