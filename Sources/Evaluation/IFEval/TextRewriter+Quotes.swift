internal import PythonCompat

/// The substitutions of NLTK's `NLTKWordTokenizer` for quotes, in its order.
extension TextRewriter {
    /// Those of `STARTING_QUOTES`.
    mutating func separateStartingQuotes() {
        self.substitute({ ["«", "“", "‘", "„", "`"].contains($0) }) { rest, _, result in
            let run = rest.first == "`" ? rest.prefix { $0 == "`" } : rest.prefix(1)
            result.append(" ")
            result.append(contentsOf: run)
            result.append(" ")
            return run.endIndex
        }
        if self.text.first == "\"" { self = TextRewriter(["`", "`"] + self.text.dropFirst()) }
        self.replace("``", with: " `` ")
        self.substitute({ [" ", "(", "[", "{", "<"].contains($0) }) { rest, _, result in
            let quote = rest.dropFirst()
            guard let first = rest.first, quote.first == "\"" || quote.starts(with: ["'", "'"]) else { return nil }
            result.append(contentsOf: [first, " ", "`", "`", " "])
            return quote.startIndex + (quote.first == "\"" ? 1 : 2)
        }
        let text = self.text
        self.substitute({ $0 == "'" }) { rest, _, result in
            let start = rest.startIndex
            guard let next = rest.dropFirst().first, NLTKText.isWord(next),
                start == 0 || !NLTKText.isWord(text[start - 1]), !Self.isClitic(rest.dropFirst())
            else { return nil }
            result.append(contentsOf: ["'", " "])
            return start + 1
        }
    }

    /// Whether what is short for a word stands at the beginning, with a word boundary behind it.
    private static func isClitic(_ rest: CodePoints) -> Bool {
        let word = rest.prefix(3).prefix(while: NLTKText.isWord).map(PythonText.caseFold)
        return ["re", "ve", "ll", "m", "t", "s", "d", "n"].contains {
            word == $0.unicodeScalars.map(PythonText.caseFold)
        }
    }

    /// Those of `ENDING_QUOTES`.
    mutating func separateEndingQuotes() {
        self.pad(most: 1) { $0 == "»" || $0 == "”" || $0 == "’" }
        self.replace("''", with: " '' ")
        self.replace("\"", with: " '' ")
        self.substitute(NLTKText.isSpace) { rest, _, result in
            result.append(" ")
            return rest.prefix(while: NLTKText.isSpace).endIndex
        }
        self.separateEndings(Self.shortEndings)
        self.separateEndings(Self.longEndings)
    }

    private static let shortEndings = ["'s ", "'S ", "'m ", "'M ", "'d ", "'D ", "' "].map { Array($0.unicodeScalars) }
    private static let longEndings = ["'ll ", "'LL ", "'re ", "'RE ", "'ve ", "'VE ", "n't ", "N'T "].map {
        Array($0.unicodeScalars)
    }

    /// Puts a space between each ending and what it follows, unless that is a space or an apostrophe.
    private mutating func separateEndings(_ endings: [[Unicode.Scalar]]) {
        self.substitute({ $0 == "'" || $0 == "n" || $0 == "N" }) { rest, before, result in
            guard let before, before != "'", before != " ", let ending = endings.first(where: rest.starts) else {
                return nil
            }
            result.append(" ")
            result.append(contentsOf: ending)
            return rest.startIndex + ending.count
        }
    }
}
