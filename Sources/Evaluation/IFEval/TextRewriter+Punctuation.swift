/// The substitutions of NLTK's `NLTKWordTokenizer` for punctuation, in its order.
extension TextRewriter {
    /// Those of `PUNCTUATION`, `PARENS_BRACKETS` and `DOUBLE_DASHES`.
    mutating func separatePunctuation() {
        self.separateLastPeriod(before: "])}>\"'»”’ ", separatesRest: true)
        self.substitute({ $0 == ":" || $0 == "," }) { rest, _, result in
            guard let first = rest.first, let next = rest.dropFirst().first, !NLTKText.isDigit(next) else { return nil }
            result.append(contentsOf: [" ", first, " ", next])
            return rest.startIndex + 2
        }
        self.substitute({ $0 == ":" || $0 == "," }) { rest, _, result in
            guard let first = rest.first, rest.count == 1 || (rest.count == 2 && rest.last == "\n") else { return nil }
            result.append(contentsOf: [" ", first, " "])
            return rest.startIndex + 1
        }
        self.pad(least: 2) { $0 == "." }
        self.pad(most: 1) { scalar in
            switch scalar {
            case ";", "@", "#", "$", "%", "&", "\u{2012}"..."\u{2015}": true
            default: false
            }
        }
        self.separateLastPeriod(before: "])}>\"'", separatesRest: false)
        self.pad(most: 1) { $0 == "?" || $0 == "!" }
        self.substitute({ $0 == "'" }) { rest, before, result in
            guard let before, before != "'", rest.dropFirst().first == " " else { return nil }
            result.append(contentsOf: [" ", "'", " "])
            return rest.startIndex + 2
        }
        self.pad(most: 1) { $0 == "*" }
        self.pad(most: 1) { scalar in
            switch scalar {
            case "(", ")", "[", "]", "{", "}", "<", ">": true
            default: false
            }
        }
        self.replace("--", with: " -- ")
    }

    /// Puts spaces around the period that ends the text, with closing characters and white space behind it.
    private mutating func separateLastPeriod(before closers: String, separatesRest: Bool) {
        guard let period = self.text.lastIndex(of: "."), period > 0, self.text[period - 1] != "." else { return }
        let rest = self.text[(period + 1)...].prefix(while: Set(closers.unicodeScalars).contains)
        guard self.text[rest.endIndex...].allSatisfy(NLTKText.isSpace) else { return }
        let middle: [Unicode.Scalar] = separatesRest ? [" ", ".", " "] : [" ", "."]
        self = TextRewriter(self.text[..<period] + middle + rest + [" "])
    }
}
