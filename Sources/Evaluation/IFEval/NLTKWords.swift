internal import PythonCompat

/// NLTK's `word_tokenize`: Punkt's sentences, then the Penn Treebank's rules as `NLTKWordTokenizer` has them.
enum NLTKWords {
    static func words(_ text: [Unicode.Scalar]) -> [CodePoints] {
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
