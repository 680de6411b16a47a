internal import PythonCompat

/// NLTK's `sent_tokenize` with the model for English (Kiss and Strunk 2006).
enum PunktTokenizer {
    /// NLTK `PunktSentenceTokenizer.span_tokenize`.
    static func sentences(_ text: [Unicode.Scalar]) -> [CodePoints] {
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
