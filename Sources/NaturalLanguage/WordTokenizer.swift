public import PythonCompat

/// NLTK's `word_tokenize`: Punkt's sentences, then the Penn Treebank's rules as `NLTKWordTokenizer` has them.
public enum NLTKWords {
    public static func words(_ text: [Unicode.Scalar]) -> [CodePoints] {
        PunktTokenizer.sentences(text).flatMap(Self.words(ofSentence:))
    }

    /// NLTK `NLTKWordTokenizer.tokenize`.
    private static func words(ofSentence sentence: CodePoints) -> [CodePoints] {
        var text = TextRewriter(sentence)
        text.separateStartingQuotes()
        text.separatePunctuation()
        text.surroundWithSpaces()
        text.separateEndingQuotes()
        text.separateContractions()
        return PythonText.words(text.text)
    }
}

/// Two words written as one.
private struct Contraction: Sendable {
    /// Of both parts, and of a space before them.
    let keys: [UInt32]
    /// Where the second part begins.
    let cut: Int
    let behindSpace: Bool
    let beforeSpace: Bool

    init(_ first: String, _ second: String, behindSpace: Bool = false, beforeSpace: Bool = false) {
        self.keys = ((behindSpace ? " " : "") + first + second).unicodeScalars.map(PythonText.caseFold)
        self.cut = first.unicodeScalars.count + (behindSpace ? 1 : 0)
        self.behindSpace = behindSpace
        self.beforeSpace = beforeSpace
    }

    /// NLTK's `MacIntyreContractions`.
    static let all = [
        Contraction("can", "not"), Contraction("d", "'ye"), Contraction("gim", "me"), Contraction("gon", "na"),
        Contraction("got", "ta"), Contraction("lem", "me"), Contraction("more", "'n"),
        Contraction("wan", "na", beforeSpace: true), Contraction("'t", "is", behindSpace: true),
        Contraction("'t", "was", behindSpace: true),
    ]
}

extension TextRewriter {
    fileprivate mutating func separateContractions() {
        for contraction in Contraction.all { self.separate(contraction) }
    }

    /// Puts spaces around both parts of a contraction, whatever its case.
    private mutating func separate(_ contraction: Contraction) {
        let (wanted, cut, behindSpace) = (contraction.keys, contraction.cut, contraction.behindSpace)
        let isWord = { (scalar: Unicode.Scalar?) in scalar.map { PythonText.isWord($0) } ?? false }
        let text = self.text
        self.substitute({ PythonText.caseFold($0) == wanted.first }) { rest, _, result in
            let found = rest.prefix(wanted.count)
            let before = rest.startIndex > 0 ? text[rest.startIndex - 1] : nil
            guard found.count == wanted.count, behindSpace || !isWord(before),
                zip(found, wanted).allSatisfy({ PythonText.caseFold($0) == $1 })
            else { return nil }
            let next = rest.dropFirst(wanted.count).first
            guard contraction.beforeSpace ? next.map(PythonText.isSpace) ?? false : !isWord(next) else { return nil }
            result.append(" ")
            result.append(contentsOf: found.prefix(cut).dropFirst(behindSpace ? 1 : 0))
            result.append(" ")
            result.append(contentsOf: found.dropFirst(cut))
            result.append(" ")
            return found.endIndex
        }
    }
}

/// Classes of code points as the package regex has them, which NLTK uses since its version 3.10.
public enum NLTKText {
    /// As `\w`: letters, marks, digits, connectors and joiners.
    static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII {
            return ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
                || scalar == "_"
        }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
        default: return scalar.properties.isAlphabetic || scalar.value == 0x200C || scalar.value == 0x200D
        }
    }

    /// As `\s`.
    static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        PythonText.isSpace(scalar) && !(0x1C...0x1F).contains(scalar.value)
    }

    /// As `\d`.
    static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII ? ("0"..."9").contains(scalar) : scalar.properties.generalCategory == .decimalNumber
    }

    /// The number of tokens that `RegexpTokenizer(r"\w+")` gives.
    public static func wordCount(_ text: [Unicode.Scalar]) -> Int {
        var count = 0
        var wasWord = false
        for scalar in text {
            let isWord = Self.isWord(scalar)
            if isWord, !wasWord { count += 1 }
            wasWord = isWord
        }
        return count
    }
}

/// A text to which regular expressions' substitutions are applied, written as code.
struct TextRewriter {
    private(set) var text: [Unicode.Scalar]

    init(_ text: some Sequence<Unicode.Scalar>) { self.text = Array(text) }

    /// Python's `re.sub`.
    ///
    /// - Parameters:
    ///   - mark: Which code points a match must have, before all others that decide about it.
    ///   - match: Gets what begins with a mark, and the code point before it unless that is part of another match or
    ///     there is none. It appends what is written in a match's place and gives where that ends; or it gives `nil`.
    mutating func substitute(
        _ mark: (Unicode.Scalar) -> Bool,
        _ match: (_ rest: CodePoints, _ before: Unicode.Scalar?, _ result: inout [Unicode.Scalar]) -> Int?
    ) {
        guard var position = self.text.firstIndex(where: mark) else { return }
        var result = Array(self.text[..<position])
        result.reserveCapacity(self.text.count + 16)
        var matched = 0
        while position < self.text.count {
            let before = position > matched ? self.text[position - 1] : nil
            if mark(self.text[position]), let end = match(self.text[position...], before, &result) {
                position = end
                matched = end
            } else {
                result.append(self.text[position])
                position += 1
            }
        }
        self.text = result
    }

    /// Puts spaces around each run of code points of a kind, of at least `least`.
    mutating func pad(least: Int = 1, most: Int = .max, _ isMember: (Unicode.Scalar) -> Bool) {
        self.substitute(isMember) { rest, _, result in
            let run = rest.prefix(most).prefix(while: isMember)
            let isLong = run.count >= least
            if isLong { result.append(" ") }
            result.append(contentsOf: run)
            if isLong { result.append(" ") }
            return run.endIndex
        }
    }

    /// Writes another text in the place of each `old`.
    mutating func replace(_ old: String, with new: String) {
        let (old, new) = (Array(old.unicodeScalars), Array(new.unicodeScalars))
        self.substitute({ $0 == old.first }) { rest, _, result in
            guard rest.starts(with: old) else { return nil }
            result.append(contentsOf: new)
            return rest.startIndex + old.count
        }
    }

    /// Puts a space before and behind the text.
    mutating func surroundWithSpaces() { self.text = [" "] + self.text + [" "] }
}

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
