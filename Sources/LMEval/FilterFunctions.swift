internal import Datasets
internal import Evaluation
internal import JSON
internal import NaturalLanguage
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

/// Finds a choice's letter in a response: by the pattern, by the choice's text, or behind a colon.
struct MultiChoiceRegexFilter: Sendable {
    /// Where the choices stand, and in which order their texts are looked for.
    enum Choices: Sendable {
        /// bbh `utils.MultiChoiceRegexFilter`: behind (A), (B), ... in the column `input`; the longest first.
        case input
        /// mmlu `utils.MultiChoiceRegexFilter`: in the column `choices`, in their order.
        case columnInOrder
        /// The built-in filter `multi_choice_regex`: in the column `choices`; the longest first.
        case column
    }

    private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ".unicodeScalars)

    private let filter: ExtendedRegexFilter
    private let choices: Choices

    init(_ options: ExtendedRegexFilter.Options, choices: Choices) throws(TaskError) {
        self.filter = try ExtendedRegexFilter(options)
        self.choices = choices
    }

    func apply(_ responses: [String], document: JSONValue) throws(TaskError) -> [String] {
        var texts: [String] = []
        for choice in try self.choices(of: document) {
            texts.append(try self.filter.withoutIgnored(PythonText.strip(choice)))
        }
        let letters = Self.letters.prefix(texts.count)
        var answers: [ExactText: String] = [:]
        for (text, letter) in zip(texts, letters) { answers[ExactText(text)] = "(\(letter))" }
        if self.choices != .columnInOrder {
            texts.sort { $0.unicodeScalars.count > $1.unicodeScalars.count }
        }
        let alternation = LiteralAlternation(texts)
        return try responses.map { response throws(TaskError) in
            let match = try self.filter.found(self.filter.regex, in: response)
            if !match.isEmpty { return match }
            let text = self.filter.chosen(
                alternation.findAll(try self.filter.withoutIgnored(response)).map { [$0] })
            if !text.isEmpty { return answers[ExactText(text)] ?? text }
            let letter = self.filter.chosen(Self.lettersBehindColons(in: response, of: letters))
            return letter.isEmpty ? self.filter.options.fallback : "(\(letter))"
        }
    }

    private func choices(of document: JSONValue) throws(TaskError) -> [String] {
        let columns = ColumnReader(document)
        let (column, choices) =
            self.choices == .input
            ? ("input", Self.listed(in: try columns.string("input"))) : ("choices", try columns.strings("choices"))
        guard choices.count <= Self.letters.count else {
            throw columns.error(column, mustBe: "one with at most 26 choices", is: "one with \(choices.count)")
        }
        return choices
    }

    /// `re.findall(r"\([A-Z]\)([^\n^(]*)", input)`.
    private static func listed(in input: String) -> [String] {
        var choices: [String] = []
        var rest = input.unicodeScalars[...]
        while let open = rest.firstIndex(of: "(") {
            rest = rest[open...].dropFirst()
            guard let letter = rest.first, ("A"..."Z").contains(letter), rest.dropFirst().first == ")" else { continue }
            let text = rest.dropFirst(2).prefix { $0 != "\n" && $0 != "^" && $0 != "(" }
            choices.append(String(text))
            rest = rest[text.endIndex...]
        }
        return choices
    }

    /// `re.findall(r":[\s]*(A|B|...)", response)`.
    private static func lettersBehindColons(
        in response: String, of letters: ArraySlice<Unicode.Scalar>
    ) -> [[String]] {
        var found: [[String]] = []
        var rest = response.unicodeScalars[...]
        while let colon = rest.firstIndex(of: ":") {
            rest = rest[colon...].dropFirst().drop(while: PythonText.isSpace)
            guard let letter = rest.first, letters.contains(letter) else { continue }
            found.append([String(letter)])
            rest = rest.dropFirst()
        }
        return found
    }
}

/// bbh `utils.MapRegexFilter`: looks for one of several patterns and gives the text that belongs to it.
struct MapRegexFilter: Sendable {
    private let filter: ExtendedRegexFilter
    private let values: [(regex: PythonRegex, value: String)]

    /// - Parameters:
    ///   - options: `regexPattern` doesn't count: all patterns of `values` are looked for at once.
    ///   - values: The key `regex_pattern_to_value`; lm-eval gives the fallback in place of an empty text.
    init(
        _ options: ExtendedRegexFilter.Options, values: [(pattern: String, value: String)]
    ) throws(TaskError) {
        var options = options
        options.regexPattern = values.map(\.pattern).joined(separator: "|")
        self.filter = try ExtendedRegexFilter(options)
        self.values = try values.map { value throws(TaskError) in
            (try ExtendedRegexFilter.regex(value.pattern), value.value)
        }
    }

    func apply(_ responses: [String], document: JSONValue) throws(TaskError) -> [String] {
        try responses.map { response throws(TaskError) in
            let match = try self.filter.found(self.filter.regex, in: try self.filter.withoutIgnored(response))
            let value = match.isEmpty ? "" : try self.value(of: try self.filter.withoutIgnored(match))
            return value.isEmpty ? self.filter.options.fallback : value
        }
    }

    /// The first pattern's value that is found in a match.
    private func value(of match: String) throws(TaskError) -> String {
        for (regex, value) in self.values {
            if !(try self.filter.found(regex, in: match)).isEmpty { return value }
        }
        return ""
    }
}

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

/// bbh `utils.WordSortFilter`: the words of the task's list in the order in which a response has them last.
enum WordSortFilter {
    static func apply(_ responses: [String], document: JSONValue) throws(TaskError) -> [String] {
        let columns = ColumnReader(document)
        let words = try Self.words(columns)
        let regex: PythonRegex
        do throws(PatternError) {
            // The words stand in the pattern as they are.
            regex = try PythonRegex(words.map { "\\b\($0)\\b" }.joined(separator: "|"))
        } catch {
            throw columns.error("input", mustBe: "a list of plain words", is: "no pattern: \(error.message)")
        }
        guard regex.groupCount <= 1 else {
            throw columns.error("input", mustBe: "a list of plain words", is: "a pattern with groups")
        }
        return try responses.map { response throws(TaskError) in
            let matches = try ExtendedRegexFilter.matching { () throws(PatternError) in try regex.findAll(response) }
            return Self.lastOfEach(matches.map { $0[0] }).joined(separator: " ")
        }
    }

    private static func words(_ columns: ColumnReader) throws(TaskError) -> [String] {
        let input = Array(try columns.string("input").unicodeScalars)
        let mark = Array("List:".unicodeScalars)
        guard let start = input.firstRange(of: mark)?.upperBound else {
            throw columns.error("input", mustBe: "a string with \"List:\" in it", is: "one without")
        }
        let rest = input[start...]
        let list = rest[..<(rest.firstRange(of: mark)?.lowerBound ?? rest.endIndex)]
        return PythonText.split(String(String.UnicodeScalarView(list)))
    }

    private static func lastOfEach(_ words: [String]) -> [String] {
        var seen: Set<ExactText> = []
        return words.reversed().filter { seen.insert(ExactText($0)).inserted }.reversed()
    }
}
