internal import PythonCompat

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
