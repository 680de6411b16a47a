internal import PythonCompat

/// What the regular expression filters of bbh and mmlu share.
struct ExtendedRegexFilter: Sendable {
    /// The keys beside `function` in a task's filter.
    struct Options: Sendable, Hashable {
        var regexPattern = #"#### (\-?[0-9\.\,]+)"#
        var groupSelect = 0
        var fallback = "[invalid]"
        var ignoreCase = false
        var ignorePunctuation = false
        var regexesToIgnore: [String] = []
    }

    let options: Options
    let regex: PythonRegex
    private let ignored: [PythonRegex]

    init(_ options: Options) throws(TaskError) {
        self.options = options
        self.regex = try Self.regex(options.regexPattern)
        self.ignored = try options.regexesToIgnore.map(Self.regex)
    }

    static func regex(_ pattern: String) throws(TaskError) -> PythonRegex {
        do throws(PatternError) {
            return try PythonRegex(pattern)
        } catch {
            throw TaskError(.invalidValue, "the filter's pattern \(pattern.debugDescription): \(error.message)")
        }
    }

    /// bbh `ExtendedRegexFilter.filter_ignores`.
    func withoutIgnored(_ text: String) throws(TaskError) -> String {
        var text = text
        for regex in self.ignored {
            text = try Self.matching { () throws(PatternError) in try regex.removingMatches(from: text) }
        }
        if self.options.ignoreCase { text = PythonText.lower(text) }
        if self.options.ignorePunctuation { text.unicodeScalars.removeAll(where: PythonText.isPunctuation) }
        return text
    }

    /// bbh `ExtendedRegexFilter.find_match`: the chosen match without white space around, or an empty text.
    func found(_ regex: PythonRegex, in text: String) throws(TaskError) -> String {
        self.chosen(try Self.matching { () throws(PatternError) in try regex.findAll(text) })
    }

    /// The match that `group_select` names, of that the first group with text.
    ///
    /// lm-eval stops with an error if there are too few matches, or if no group has text; here nothing is found.
    func chosen(_ matches: [[String]]) -> String {
        let select = self.options.groupSelect
        let index = select < 0 ? matches.count + select : select
        guard matches.indices.contains(index) else { return "" }
        return PythonText.strip(matches[index].first { !$0.isEmpty } ?? "")
    }

    static func matching<Found>(_ match: () throws(PatternError) -> Found) throws(TaskError) -> Found {
        do throws(PatternError) {
            return try match()
        } catch {
            throw TaskError(.invalidResponse, "a filter failed: \(error.message)")
        }
    }
}
