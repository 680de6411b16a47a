/// lm-eval's multi_choice_regex: finds which of a row's choices a text names.
///
/// First by the task's own expression, then by a choice's text, then by a letter behind a colon.
struct MultiChoiceFilter: Sendable {
    private static let letters = (0..<26).map { String(UnicodeScalar(UInt8(ascii: "A") + $0)) }

    private let regex: PythonRegex
    private let group: Int
    private let fallback: String
    private let normalizer: TextNormalizer

    init(
        _ pattern: String, group: Int, fallback: String, ignoring normalization: ExactMatchNormalization
    ) throws(PatternError) {
        self.regex = try PythonRegex(pattern)
        self.group = group
        self.fallback = fallback
        self.normalizer = try TextNormalizer(normalization, punctuation: .unicode)
    }

    /// - Parameter document: The row, whose column `choices` lists the choices' texts.
    func apply(
        _ answers: [CompiledPipeline.Answer], _ document: JSONValue
    ) throws(PatternError) -> [CompiledPipeline.Answer] {
        let choices = try self.choices(of: document)
        var names: [String: String] = [:]
        for (letter, choice) in zip(Self.letters, choices) { names[choice] = "(\(letter))" }
        let branches = choices.map(Self.escaped).enumerated()
            .sorted { ($1.element.unicodeScalars.count, $0.offset) < ($0.element.unicodeScalars.count, $1.offset) }
        let texts = try PythonRegex(branches.map(\.element).joined(separator: "|"))
        let used = Self.letters.prefix(choices.count)
        let letters = try PythonRegex(#":[\s]*("# + used.joined(separator: "|") + ")")
        return try answers.map { answer throws(PatternError) in
            var found = try self.match(self.regex, answer.text)
            if found.isEmpty { found = try self.match(texts, try self.normalizer.normalized(answer.text), names) }
            if found.isEmpty {
                found = try self.match(letters, answer.text)
                if used.contains(found) { found = "(\(found))" }
            }
            return found.isEmpty
                ? .init(text: self.fallback, fellBack: true) : .init(text: found, fellBack: answer.fellBack)
        }
    }

    private func choices(of document: JSONValue) throws(PatternError) -> [String] {
        guard case .array(let items)? = document["choices"], (1...Self.letters.count).contains(items.count) else {
            throw PatternError(message: "multi_choice_regex needs a column choices that lists 1 to 26 texts")
        }
        return try items.map { item throws(PatternError) in
            guard case .string(let text) = item else {
                throw PatternError(message: "multi_choice_regex needs texts in the column choices, not \(item.kind)")
            }
            return try self.normalizer.normalized(PythonText.strip(text))
        }
    }

    /// The match that was asked for, stripped and renamed; empty if there is none.
    private func match(
        _ regex: PythonRegex, _ text: String, _ names: [String: String] = [:]
    ) throws(PatternError) -> String {
        let matches = try regex.findAll(text)
        let index = self.group < 0 ? matches.count + self.group : self.group
        guard matches.indices.contains(index), let found = matches[index].first(where: { !$0.isEmpty }) else {
            return ""
        }
        let stripped = PythonText.strip(found)
        return stripped.isEmpty ? "" : names[stripped] ?? stripped
    }

    /// Python's `re.escape`.
    private static func escaped(_ text: String) -> String {
        var escaped = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if #"()[]{}?*+-|^$\.&~#"#.unicodeScalars.contains(scalar)
                || " \t\n\r\u{B}\u{C}".unicodeScalars.contains(scalar)
            {
                escaped.append("\\")
            }
            escaped.append(scalar)
        }
        return String(escaped)
    }
}
