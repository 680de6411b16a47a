public import PythonCompat

/// NLTK's `sent_tokenize` with the model for English (Kiss and Strunk 2006).
public enum PunktTokenizer {
    /// NLTK `PunktSentenceTokenizer.span_tokenize`.
    public static func sentences(_ text: [Unicode.Scalar]) -> [CodePoints] {
        var sentences: [CodePoints] = []
        var realigned = 0
        let slices = Self.slices(text)
        for (index, slice) in slices.enumerated() {
            let start = slice.lowerBound + realigned
            guard index + 1 < slices.count else {
                if start < slice.upperBound { sentences.append(text[start..<slice.upperBound]) }
                break
            }
            let next = slices[index + 1]
            if let (length, end) = PunktScanner.realignment(text[next]) {
                sentences.append(text[start..<next.lowerBound + length])
                realigned = end
            } else {
                realigned = 0
                if start < slice.upperBound { sentences.append(text[start..<slice.upperBound]) }
            }
        }
        return sentences
    }

    /// NLTK `PunktSentenceTokenizer._slices_from_text`.
    private static func slices(_ text: [Unicode.Scalar]) -> [Range<Int>] {
        var slices: [Range<Int>] = []
        var start = 0
        for context in Self.contexts(text) where Self.hasSentenceEnd(text[context.range]) {
            slices.append(start..<context.mark + 1)
            start = context.nextWord ?? context.mark + 1
        }
        let end = text.lastIndex { !PythonText.isSpace($0) }.map { $0 + 1 } ?? 0
        return slices + [start..<max(start, end)]
    }

    private struct Context {
        /// Where the period or other mark is.
        var mark: Int
        var nextWord: Int?
        /// The word before and what follows.
        var range: Range<Int>
    }

    /// NLTK `PunktSentenceTokenizer._match_potential_end_contexts`.
    private static func contexts(_ text: [Unicode.Scalar]) -> [Context] {
        var contexts: [Context] = []
        // Of the word before the last mark.
        var last = 0..<0
        for mark in text.indices where PunktScanner.endsSentence(text[mark]) {
            guard let (end, nextWord) = PunktScanner.context(text, behind: mark + 1) else { continue }
            let space = text[last.upperBound..<mark].lastIndex(where: Self.isASCIISpace)
            // NLTK takes white space at the very beginning for none.
            let start = space.flatMap { $0 > last.upperBound ? $0 + 1 : nil } ?? last.lowerBound
            // Of marks with the same word before them, only the last counts.
            if last.upperBound > start, !contexts.isEmpty { contexts.removeLast() }
            contexts.append(Context(mark: mark, nextWord: nextWord, range: start..<end))
            last = start..<mark
        }
        return contexts
    }

    /// Whether a code point is in Python's `string.whitespace`.
    private static func isASCIISpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar == " " || (0x09...0x0D).contains(scalar.value)
    }

    /// NLTK `PunktSentenceTokenizer.text_contains_sentbreak`.
    private static func hasSentenceEnd(_ text: CodePoints) -> Bool {
        var before: PunktToken?
        for line in text.split(separator: "\n") where !PythonText.isBlank(line) {
            for word in PunktScanner.words(line) {
                let token = PunktToken(word, .english)
                if let before, Self.endsSentence(before, before: token) { return true }
                before = token
            }
        }
        return false
    }

    /// NLTK `PunktSentenceTokenizer._second_pass_annotation`: whether a sentence ends behind a token.
    private static func endsSentence(_ token: PunktToken, before next: PunktToken) -> Bool {
        guard token.endsInPeriod else { return token.endsSentence }
        let parameters = PunktParameters.english
        let nextType = next.typeWithoutSentencePeriod
        if parameters.isCollocation(token.typeWithoutPeriod, nextType) { return false }
        let isInitial = token.isInitial
        let begins = Self.beginsSentence(next)
        if token.isAbbreviation || token.isEllipsis, !isInitial {
            if begins == true || (next.isUpper && parameters.beginsSentences(nextType)) { return true }
        }
        if isInitial || token.isNumber {
            if begins == false { return false }
            if begins == nil, isInitial, next.isUpper, parameters.contexts(of: nextType).isDisjoint(with: .lower) {
                return false
            }
        }
        return token.endsSentence
    }

    /// NLTK `PunktSentenceTokenizer._ortho_heuristic`: whether a token begins a sentence; `nil` if that is not known.
    private static func beginsSentence(_ token: PunktToken) -> Bool? {
        if token.isPunctuation { return false }
        let contexts = PunktParameters.english.contexts(of: token.typeWithoutSentencePeriod)
        if token.isUpper, !contexts.isDisjoint(with: .lower), !contexts.contains(.upperWithin) { return true }
        if token.isLower, !contexts.isDisjoint(with: .upper) || !contexts.contains(.lowerAtBeginning) { return false }
        return nil
    }
}

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

/// The regular expressions of NLTK's `PunktLanguageVars`.
enum PunktScanner {
    static func endsSentence(_ scalar: Unicode.Scalar) -> Bool { scalar == "." || scalar == "?" || scalar == "!" }

    /// What can stand between a sentence's end and white space.
    private static func isCloser(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\"", "'", ")", "]", "}", "\u{2018}", "\u{2019}", "\u{201C}", "\u{201D}", "\u{AB}", "\u{BB}": true
        default: false
        }
    }

    /// What no word has in it.
    private static func isNonWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case ";", "*", ":", "@", "(", "{", "[", "?", "!": true
        default: Self.isCloser(scalar)
        }
    }

    /// What no word begins with.
    private static func isNoStart(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "(", "\"", "`", "{", "[", ":", ";", "&", "#", "*", "@", ")", "}", "]", "-", ",": true
        default: false
        }
    }

    /// `period_context_re` at a character that can end a sentence: where what must follow ends, and where the next word
    /// begins if white space is between them; `nil` if neither follows.
    static func context(_ text: [Unicode.Scalar], behind position: Int) -> (end: Int, nextWord: Int?)? {
        guard position < text.count else { return nil }
        if Self.isNonWord(text[position]) { return (position + 1, nil) }
        let rest = text[position...].drop(while: NLTKText.isSpace)
        guard rest.startIndex > position, !rest.isEmpty else { return nil }
        return (rest.prefix { !NLTKText.isSpace($0) }.endIndex, rest.startIndex)
    }

    /// `word_tokenize` for one line.
    static func words(_ line: CodePoints) -> [CodePoints] {
        var words: [CodePoints] = []
        var position = line.startIndex
        while position < line.endIndex {
            if NLTKText.isSpace(line[position]) {
                position += 1
                continue
            }
            var end = position + 1
            if let punctuation = Self.punctuationEnd(line, position) {
                end = punctuation
            } else if !Self.isNoStart(line[position]) {
                while !Self.endsWord(line, end) { end += 1 }
            }
            words.append(line[position..<end])
            position = end
        }
        return words
    }

    /// Whether a word can end before a position.
    private static func endsWord(_ line: CodePoints, _ position: Int) -> Bool {
        Self.isBoundary(line, position) || (line[position] == "," && Self.isBoundary(line, position + 1))
    }

    private static func isBoundary(_ line: CodePoints, _ position: Int) -> Bool {
        guard position < line.endIndex else { return true }
        let scalar = line[position]
        return NLTKText.isSpace(scalar) || Self.isNonWord(scalar) || Self.punctuationEnd(line, position) != nil
    }

    /// Where dashes, dots or dots with space between them end that begin at a position; `nil` if none do.
    ///
    /// Dots with space between them must be three or more, the others two.
    private static func punctuationEnd(_ line: CodePoints, _ position: Int) -> Int? {
        let mark = line[position]
        guard mark == "-" || mark == ".", position + 1 < line.endIndex else { return nil }
        if line[position + 1] == mark { return line[position...].prefix { $0 == mark }.endIndex }
        guard mark == "." else { return nil }
        var end = position + 1
        while end + 1 < line.endIndex, NLTKText.isSpace(line[end]), line[end + 1] == "." { end += 2 }
        return end >= position + 5 ? end : nil
    }

    /// `re_boundary_realignment` at the beginning of a sentence: how much belongs to the sentence before, without and
    /// with the white space behind it.
    static func realignment(_ sentence: CodePoints) -> (length: Int, end: Int)? {
        let start = sentence.startIndex
        let closers = sentence.prefix(while: Self.isCloser)
        // As little as can be before space, two dashes or the end; closers are neither.
        guard !closers.isEmpty else { return nil }
        let rest = sentence[closers.endIndex...]
        let space = rest.prefix(while: NLTKText.isSpace)
        guard rest.isEmpty || !space.isEmpty || rest.starts(with: ["-", "-"]) else { return nil }
        return (closers.endIndex - start, space.endIndex - start)
    }
}

/// What NLTK's Punkt model for English knows of words, all of them in lower case.
struct PunktParameters: Sendable {
    /// Where a word was seen: how it began at the beginning of sentences and within them.
    struct Contexts: OptionSet, Sendable {
        let rawValue: Int

        static let upperWithin = Contexts(rawValue: 1 << 2)
        static let lowerAtBeginning = Contexts(rawValue: 1 << 4)
        static let upper = Contexts(rawValue: 1 << 1 | 1 << 2 | 1 << 3)
        static let lower = Contexts(rawValue: 1 << 4 | 1 << 5 | 1 << 6)
    }

    private let abbreviations: Set<ExactText>
    /// Two words with a space between them.
    private let collocations: Set<ExactText>
    private let starters: Set<ExactText>
    private let contexts: [ExactText: Contexts]

    static let english = PunktParameters(LanguageData.punkt)

    private init(_ lines: [[String]]) {
        func words(_ line: Int) -> Set<ExactText> {
            line < lines.count ? Set(lines[line].map(ExactText.init)) : []
        }
        self.abbreviations = words(0)
        self.collocations = words(1)
        self.starters = words(2)
        var contexts: [ExactText: Contexts] = [:]
        for line in lines.dropFirst(3) {
            let value = Contexts(rawValue: line.first.flatMap { Int($0) } ?? 0)
            for word in line.dropFirst() { contexts[ExactText(word)] = value }
        }
        self.contexts = contexts
    }

    func isAbbreviation(_ word: String) -> Bool { self.abbreviations.contains(ExactText(word)) }

    func isCollocation(_ first: String, _ second: String) -> Bool {
        self.collocations.contains(ExactText("\(first) \(second)"))
    }

    func beginsSentences(_ word: String) -> Bool { self.starters.contains(ExactText(word)) }

    /// Empty for a word that is not known.
    func contexts(of word: String) -> Contexts { self.contexts[ExactText(word)] ?? [] }
}
