internal import PythonCompat

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
