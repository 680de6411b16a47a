internal import Evaluation
internal import PythonCompat

/// A keyword, which ifeval takes as a regular expression, whatever its case.
struct IFEvalKeyword: Sendable {
    private enum Pattern: Sendable {
        case literal(LiteralSearch)
        case regex(PythonRegex)
    }

    private let pattern: Pattern
    /// Whether it must have word boundaries around it.
    private let isWord: Bool

    /// - Parameter column: Where it stands in `arguments`, for errors.
    init(_ text: String, isWord: Bool = false, column: String, _ arguments: IFEvalArguments) throws(TaskError) {
        self.isWord = isWord
        if IFEvalPattern.isLiteral(text) {
            self.pattern = .literal(LiteralSearch(text, ignoresCase: true))
        } else {
            let pattern = isWord ? #"(?i)\b"# + text + #"\b"# : "(?i)" + text
            self.pattern = .regex(try IFEvalPattern.regex(pattern, column: column, arguments))
        }
    }

    /// How many of them `re.search` finds.
    static func found(_ keywords: [IFEvalKeyword], in text: [Unicode.Scalar]) throws(TaskError) -> Int {
        var count = 0
        for keyword in keywords where try keyword.isFound(in: text) { count += 1 }
        return count
    }

    /// Whether `re.search` finds it.
    func isFound(in text: [Unicode.Scalar]) throws(TaskError) -> Bool {
        switch self.pattern {
        case .regex(let regex): return try IFEvalPattern.count(regex, in: text) > 0
        case .literal(let search):
            guard self.isWord else { return search.isFound(in: text) }
            var isFound = false
            search.visit(in: text, overlapping: true) { match in
                isFound = Self.isBoundary(match.lowerBound, in: text) && Self.isBoundary(match.upperBound, in: text)
                return !isFound
            }
            return isFound
        }
    }

    /// How many matches `re.findall` gives.
    func count(in text: [Unicode.Scalar]) throws(TaskError) -> Int {
        switch self.pattern {
        case .literal(let search): search.count(in: text)
        case .regex(let regex): try IFEvalPattern.count(regex, in: text)
        }
    }

    private static func isBoundary(_ position: Int, in text: [Unicode.Scalar]) -> Bool {
        let before = position > 0 && PythonText.isWord(text[position - 1])
        let behind = position < text.count && PythonText.isWord(text[position])
        return before != behind
    }
}

/// Regular expressions in the arguments of instructions.
enum IFEvalPattern {
    /// Whether a pattern stands for nothing but itself.
    static func isLiteral(_ pattern: String) -> Bool {
        !pattern.unicodeScalars.contains { #".^$*+?{}[]\|()"#.unicodeScalars.contains($0) }
    }

    static func regex(
        _ pattern: String, column: String, _ arguments: IFEvalArguments
    ) throws(TaskError) -> PythonRegex {
        do {
            return try PythonRegex(pattern, maxSteps: 200_000_000)
        } catch {
            throw arguments.error(
                column, mustBe: "a regular expression", is: "one that can't be used: \(error.message)")
        }
    }

    static func count(_ regex: PythonRegex, in text: [Unicode.Scalar]) throws(TaskError) -> Int {
        do {
            return try regex.findAll(String(text[...])).count
        } catch {
            throw TaskError(
                .limitExceeded, "the regular expression \(regex.pattern) of an instruction: \(error.message)")
        }
    }
}

/// What a response's postscript begins with.
struct IFEvalPostscript: Sendable {
    private enum Mark: Sendable {
        /// "P.P.S" and "P.S.", whose letters may have white space between them.
        case letters([Unicode.Scalar])
        case literal(LiteralSearch)
        case regex(PythonRegex)
    }

    private let mark: Mark

    init(_ marker: String, _ arguments: IFEvalArguments) throws(TaskError) {
        let marker = PythonText.strip(marker)
        if marker == "P.P.S" || marker == "P.S." {
            self.mark = .letters(Array(PythonText.lower(marker).unicodeScalars))
        } else if IFEvalPattern.isLiteral(marker) {
            self.mark = .literal(LiteralSearch(PythonText.lower(marker)))
        } else {
            let pattern = PythonText.lower(marker) + ".*$"
            // White space before it decides about nothing, unless the pattern makes it part of something else.
            let needsSpace = marker.contains("|") || ["*", "+", "?", "{"].contains(marker.unicodeScalars.first)
            let start = needsSpace ? #"(?m)\s*"# : "(?m)"
            self.mark = .regex(try IFEvalPattern.regex(start + pattern, column: "postscript_marker", arguments))
        }
    }

    /// ifeval `instructions.PostscriptChecker.check_following`.
    func isFound(in text: [Unicode.Scalar]) throws(TaskError) -> Bool {
        let text = PythonText.lower(text[...])
        switch self.mark {
        case .letters(let letters): return text.indices.contains { Self.begins(text[$0...], with: letters) }
        case .literal(let search): return search.isFound(in: text)
        case .regex(let regex): return try IFEvalPattern.count(regex, in: text) > 0
        }
    }

    private static func begins(_ rest: CodePoints, with letters: [Unicode.Scalar]) -> Bool {
        var rest = rest
        for (index, letter) in letters.enumerated() {
            if letter != ".", index > 0, let next = rest.first, PythonText.isSpace(next) { rest.removeFirst() }
            guard rest.first == letter else { return false }
            rest.removeFirst()
        }
        return true
    }
}

/// The word that begins a section, before a number.
struct IFEvalSectionMark: Sendable {
    private enum Mark: Sendable {
        case literal([Unicode.Scalar])
        case regex(PythonRegex)
    }

    private let mark: Mark

    init(_ word: String, _ arguments: IFEvalArguments) throws(TaskError) {
        let word = PythonText.strip(word)
        if IFEvalPattern.isLiteral(word) {
            self.mark = .literal(Array(word.unicodeScalars))
        } else {
            let pattern = #"\s?"# + word + #"\s?\d+\s?"#
            self.mark = .regex(try IFEvalPattern.regex(pattern, column: "section_spliter", arguments))
        }
    }

    /// ifeval `instructions.SectionChecker.check_following`: how many parts `re.split` gives, less one.
    func count(in text: [Unicode.Scalar]) throws(TaskError) -> Int {
        switch self.mark {
        // Each group of the pattern gives one more part.
        case .regex(let regex): return try IFEvalPattern.count(regex, in: text) * (regex.groupCount + 1)
        case .literal(let word):
            var count = 0
            var rest = text[...]
            while !rest.isEmpty {
                if let end = Self.end(word, in: rest) {
                    count += 1
                    rest = rest[end...]
                } else {
                    rest.removeFirst()
                }
            }
            return count
        }
    }

    private static func end(_ word: [Unicode.Scalar], in rest: CodePoints) -> Int? {
        guard rest.starts(with: word) else { return nil }
        var number = rest.dropFirst(word.count)
        if let next = number.first, PythonText.isSpace(next) { number.removeFirst() }
        let digits = number.prefix { PythonText.isDecimal($0) }
        return digits.isEmpty ? nil : digits.endIndex
    }
}

/// What ifeval counts in Markdown, without regular expressions that could take long.
enum IFEvalMarkdown {
    /// ifeval `instructions.PlaceholderChecker`: matches of `\[.*?\]`.
    static func placeholderCount(_ text: [Unicode.Scalar]) -> Int {
        var count = 0
        var isOpen = false
        for scalar in text {
            switch scalar {
            case "[": isOpen = true
            case "\n": isOpen = false
            case "]":
                if isOpen { count += 1 }
                isOpen = false
            default: break
            }
        }
        return count
    }

    /// ifeval `instructions.BulletListChecker`.
    static func bulletCount(_ text: [Unicode.Scalar]) -> Int {
        // ^\s*\*[^\*].*$ where the second character may be the line's end.
        let stars = Self.itemCount(text) { rest in
            guard rest.first == "*", let second = rest.dropFirst().first, second != "*" else { return nil }
            return rest.dropFirst(2).prefix { $0 != "\n" }.endIndex
        }
        // ^\s*-.*$
        let dashes = Self.itemCount(text) { rest in
            rest.first == "-" ? rest.prefix { $0 != "\n" }.endIndex : nil
        }
        return stars + dashes
    }

    /// How many matches there are of `^\s*` and what `match` gives the end of.
    private static func itemCount(_ text: [Unicode.Scalar], _ match: (CodePoints) -> Int?) -> Int {
        var count = 0
        var position = 0
        while position < text.count {
            if position > 0, text[position - 1] != "\n" {
                position += 1
                continue
            }
            let rest = text[position...].drop(while: PythonText.isSpace)
            if let end = match(rest) {
                count += 1
                position = end
            } else {
                // Lines of white space begin nothing else.
                position = rest.startIndex + 1
            }
        }
        return count
    }

    /// ifeval `instructions.HighlightSectionChecker`: matches of `\*[^\n\*]*\*` and of `\*\*[^\n\*]*\*\*`, unless they
    /// are blank.
    static func highlightCount(_ text: [Unicode.Scalar]) -> Int {
        Self.highlightCount(text, mark: ["*"]) + Self.highlightCount(text, mark: ["*", "*"])
    }

    private static func highlightCount(_ text: [Unicode.Scalar], mark: [Unicode.Scalar]) -> Int {
        var count = 0
        var rest = text[...]
        while let start = rest.firstIndex(of: "*") {
            let inside = rest[start...].dropFirst(mark.count).prefix { $0 != "\n" && $0 != "*" }
            if rest[start...].starts(with: mark), rest[inside.endIndex...].starts(with: mark) {
                if !PythonText.isBlank(inside) { count += 1 }
                rest = rest[(inside.endIndex + mark.count)...]
            } else {
                rest = rest[(start + 1)...]
            }
        }
        return count
    }

    /// ifeval `instructions.TitleChecker`: `<<[^\n]+>>` with anything but white space in it.
    static func hasTitle(_ text: [Unicode.Scalar]) -> Bool {
        text.split(separator: "\n").contains { line in
            guard let start = Self.firstPair("<", in: line), let end = Self.lastPair(">", in: line), end >= start + 3
            else { return false }
            let title = PythonText.strip(line[start..<end + 2], left: ["<"], right: [">"])
            return !PythonText.isBlank(title)
        }
    }

    private static func firstPair(_ scalar: Unicode.Scalar, in line: CodePoints) -> Int? {
        line.indices.dropLast().first { line[$0] == scalar && line[$0 + 1] == scalar }
    }

    private static func lastPair(_ scalar: Unicode.Scalar, in line: CodePoints) -> Int? {
        line.indices.dropLast().last { line[$0] == scalar && line[$0 + 1] == scalar }
    }
}

/// How ifeval divides a response into paragraphs.
enum IFEvalParagraphs {
    /// ifeval `instructions.ParagraphChecker`: how many parts have `***` between them; `nil` if one within is blank.
    static func dividedCount(_ text: [Unicode.Scalar]) -> Int? {
        var parts = PythonText.split(text, by: "***")[...]
        // `re.split` takes white space with the stars; two dividers can't share it, which blank parts show anyway.
        if parts.first.map({ PythonText.isBlank($0) }) ?? false { parts.removeFirst() }
        if parts.last.map({ PythonText.isBlank($0) }) ?? false { parts.removeLast() }
        return parts.contains { PythonText.isBlank($0) } ? nil : parts.count
    }

    /// ifeval `instructions.ParagraphFirstWordCheck`: as many paragraphs that are not blank, and the word first in the
    /// paragraph with a number, from 1, that counts blank ones.
    static func hasParagraphs(
        _ text: [Unicode.Scalar], count: Double, index: Int, firstWord: [Unicode.Scalar]
    ) -> Bool {
        let paragraphs = PythonText.split(text, by: "\n\n")
        let filled = paragraphs.count { !PythonText.isBlank($0) }
        guard index <= filled, Double(filled) == count else { return false }
        return Self.firstWord(paragraphs[index - 1]) == firstWord
    }

    /// Without quotes before it, up to punctuation, in lower case; `nil` in a blank paragraph.
    private static func firstWord(_ paragraph: CodePoints) -> [Unicode.Scalar]? {
        let start = paragraph.drop(while: PythonText.isSpace)
        guard !start.isEmpty else { return nil }
        let word = start.prefix { !PythonText.isSpace($0) }.drop { $0 == "'" }.drop { $0 == "\"" }
        let punctuation: Set<Unicode.Scalar> = [".", ",", "?", "!", "'", "\""]
        // Each letter by itself, so that no sigma is a final one.
        return word.prefix { !punctuation.contains($0) }.flatMap { PythonText.lower([$0]) }
    }
}

/// What ifeval wants a whole response to be.
enum IFEvalFormats {
    /// ifeval `instructions.ConstrainedResponseChecker`.
    static func hasConstrainedResponse(_ text: [Unicode.Scalar]) -> Bool {
        ["My answer is yes.", "My answer is no.", "My answer is maybe."].contains {
            LiteralSearch($0).isFound(in: text)
        }
    }

    /// ifeval `instructions.EndChecker`; the phrase is in lower case, without white space around it.
    static func ends(_ text: [Unicode.Scalar], with phrase: [Unicode.Scalar]) -> Bool {
        let end = PythonText.strip(PythonText.strip(text[...]), left: ["\""], right: ["\""])
        return PythonText.lower(end).reversed().starts(with: phrase.reversed())
    }

    /// ifeval `instructions.QuotationChecker`.
    static func isQuotation(_ text: [Unicode.Scalar]) -> Bool {
        let text = PythonText.strip(text[...])
        return text.count > 1 && text.first == "\"" && text.last == "\""
    }

    /// ifeval `instructions.TwoResponsesChecker`.
    static func hasTwoResponses(_ text: [Unicode.Scalar]) -> Bool {
        var parts = PythonText.split(text, by: "******")[...]
        if parts.first.map({ PythonText.isBlank($0) }) ?? false { parts.removeFirst() }
        if parts.last.map({ PythonText.isBlank($0) }) ?? false { parts.removeLast() }
        guard parts.count == 2, let first = parts.first, let last = parts.last else { return false }
        return !PythonText.isBlank(first) && !PythonText.isBlank(last)
            && PythonText.strip(first) != PythonText.strip(last)
    }

    /// ifeval `instructions.JsonFormat`.
    static func isJSON(_ text: [Unicode.Scalar]) -> Bool {
        var text = PythonText.strip(text[...])
        for prefix in ["```json", "```Json", "```JSON", "```"] where text.starts(with: prefix.unicodeScalars) {
            text.removeFirst(prefix.utf8.count)
        }
        if text.suffix(3).elementsEqual("```".unicodeScalars) { text.removeLast(3) }
        return PythonJSON.isValid(PythonText.strip(text))
    }
}
