internal import PythonCompat

/// One instruction of the task ifeval that a response can follow, with its arguments.
enum IFEvalInstruction {
    case allCapitals
    case allLowercase
    case bullets(count: Double)
    case capitalWords(IFEvalLimit)
    case constrainedResponse
    case ending([Unicode.Scalar])
    case forbiddenWords([IFEvalKeyword])
    case highlights(atLeast: Double)
    case json
    case keywordFrequency(IFEvalKeyword, IFEvalLimit)
    case keywords([IFEvalKeyword])
    case language(String)
    case letterFrequency(Unicode.Scalar, IFEvalLimit)
    case noComma
    case paragraphs(count: Double)
    case paragraphWord(index: Int, count: Double, word: [Unicode.Scalar])
    case placeholders(atLeast: Double)
    case postscript(IFEvalPostscript)
    case quotation
    case repeatedPrompt([Unicode.Scalar])
    case sections(IFEvalSectionMark, atLeast: Double)
    case sentences(IFEvalLimit)
    case title
    case twoResponses
    case words(IFEvalLimit)

    /// `check_following` of the instruction's class in ifeval's `instructions`.
    func isFollowed(by text: [Unicode.Scalar]) throws(TaskError) -> Bool {
        switch self {
        case .allCapitals: PythonText.isUpper(text) && Self.isEnglish(text)
        case .allLowercase: PythonText.isLower(text) && Self.isEnglish(text)
        case .bullets(let count): Double(IFEvalMarkdown.bulletCount(text)) == count
        case .capitalWords(let limit): limit.allows(NLTKWords.words(text).count { PythonText.isUpper($0) })
        case .constrainedResponse: IFEvalFormats.hasConstrainedResponse(text)
        case .ending(let phrase): IFEvalFormats.ends(text, with: phrase)
        case .forbiddenWords(let words): try IFEvalKeyword.found(words, in: text) == 0
        case .highlights(let least): Double(IFEvalMarkdown.highlightCount(text)) >= least
        case .json: IFEvalFormats.isJSON(text)
        case .keywordFrequency(let keyword, let limit): limit.allows(try keyword.count(in: text))
        case .keywords(let keywords): try IFEvalKeyword.found(keywords, in: text) == keywords.count
        case .language(let language): LanguageDetector.language(text).map { $0 == language } ?? true
        case .letterFrequency(let letter, let limit): limit.allows(PythonText.lower(text[...]).count { $0 == letter })
        case .noComma: !text.contains(",")
        case .paragraphs(let count): IFEvalParagraphs.dividedCount(text).map { Double($0) == count } ?? false
        case .paragraphWord(let index, let count, let word):
            IFEvalParagraphs.hasParagraphs(text, count: count, index: index, firstWord: word)
        case .placeholders(let least): Double(IFEvalMarkdown.placeholderCount(text)) >= least
        case .postscript(let postscript): try postscript.isFound(in: text)
        case .quotation: IFEvalFormats.isQuotation(text)
        case .repeatedPrompt(let prompt):
            PythonText.lower(PythonText.strip(text[...])).starts(with: prompt)
        case .sections(let mark, let least): Double(try mark.count(in: text)) >= least
        case .sentences(let limit): limit.allows(PunktTokenizer.sentences(text).count)
        case .title: IFEvalMarkdown.hasTitle(text)
        case .twoResponses: IFEvalFormats.hasTwoResponses(text)
        case .words(let limit): limit.allows(NLTKText.wordCount(text))
        }
    }

    /// A text whose language can't be told counts as English.
    private static func isEnglish(_ text: [Unicode.Scalar]) -> Bool {
        LanguageDetector.language(text).map { $0 == "en" } ?? true
    }
}

/// How often something must be there.
struct IFEvalLimit: Sendable {
    var number: Double
    /// Otherwise it must be there less often.
    var isLeast: Bool

    func allows(_ count: Int) -> Bool { self.isLeast ? Double(count) >= self.number : Double(count) < self.number }
}
