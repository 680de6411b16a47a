public import Datasets
public import Evaluation
internal import NaturalLanguage
internal import PythonCompat

/// The instructions of one document, and whether a response follows them.
public struct IFEvalInstructions: Sendable {
    private let instructions: [IFEvalInstruction]

    /// - Parameter columns: Of a document that has instruction_id_list and kwargs.
    public init(_ columns: ColumnReader) throws(TaskError) { self.instructions = try IFEvalInstruction.all(columns) }

    public var count: Int { self.instructions.count }

    /// How many of them a response follows as it is, and when it is read leniently.
    public func followed(by response: String) throws(TaskError) -> (strict: Int, loose: Int) {
        let response = IFEvalResponse(response)
        var (strict, loose) = (0, 0)
        for instruction in self.instructions {
            let isFollowed = try response.follows(instruction)
            if isFollowed { strict += 1 }
            if isFollowed {
                loose += 1
            } else if try response.followsLoosely(instruction) {
                loose += 1
            }
        }
        return (strict, loose)
    }
}

/// A response and what is left of it when it is read leniently.
struct IFEvalResponse {
    private let text: [Unicode.Scalar]

    init(_ text: String) { self.text = Array(text.unicodeScalars) }

    /// ifeval `utils.test_instruction_following_strict` for one instruction.
    func follows(_ instruction: IFEvalInstruction) throws(TaskError) -> Bool {
        if PythonText.isBlank(self.text[...]) { return false }
        return try instruction.isFollowed(by: self.text)
    }

    /// ifeval `utils.test_instruction_following_loose` for one instruction, without the response as it is.
    func followsLoosely(_ instruction: IFEvalInstruction) throws(TaskError) -> Bool {
        for part in self.parts {
            let isWhole = part.count == self.text.count
            if !isWhole, !part.isEmpty {
                if try instruction.isFollowed(by: Array(part)) { return true }
            }
            guard part.contains("*") else { continue }
            let plain = part.filter { $0 != "*" }
            if PythonText.isBlank(plain[...]) { continue }
            if try instruction.isFollowed(by: Array(plain)) { return true }
        }
        return false
    }

    /// All of it, and without its first line, its last line and both.
    private var parts: [CodePoints] {
        let (first, last) = (self.text.firstIndex(of: "\n"), self.text.lastIndex(of: "\n"))
        guard let first, let last else { return [self.text[...]] }
        let shorter = [self.text[(first + 1)...], self.text[..<last], self.text[min(first + 1, last)..<last]]
        return [self.text[...]] + shorter.map(PythonText.strip)
    }
}

/// One instruction of the task ifeval that a response can follow, with its arguments.
enum IFEvalInstruction: Sendable {
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

extension IFEvalInstruction {
    /// The instructions of a document: the columns instruction_id_list and kwargs.
    static func all(_ columns: ColumnReader) throws(TaskError) -> [IFEvalInstruction] {
        let names = try columns.strings("instruction_id_list")
        let arguments = try columns.items("kwargs", mustBe: "a list of mappings")
        guard arguments.count >= names.count else {
            throw columns.error(
                "kwargs", mustBe: "a list of mappings, one for each of instruction_id_list",
                is: "one of \(arguments.count) for \(names.count)")
        }
        var instructions: [IFEvalInstruction] = []
        for (index, name) in names.enumerated() {
            var reader = try IFEvalArguments(arguments[index], column: "kwargs[\(index)]", of: columns)
            guard let instruction = try Self.named(name, &reader) else {
                throw columns.error(
                    "instruction_id_list", mustBe: "a list of instructions of the task ifeval",
                    is: "one with \(name) in it")
            }
            try reader.finish(name)
            instructions.append(instruction)
        }
        return instructions
    }

    /// `INSTRUCTION_DICT` of ifeval's `instructions_registry`, and `build_description` of the class; `nil` for another.
    private static func named(
        _ name: String, _ arguments: inout IFEvalArguments
    ) throws(TaskError) -> IFEvalInstruction? {
        switch name {
        case "change_case:capital_word_frequency":
            .capitalWords(try arguments.limit("capital_frequency", "capital_relation", 1...20, allowsNegative: true))
        case "change_case:english_capital": .allCapitals
        case "change_case:english_lowercase": .allLowercase
        case "combination:repeat_prompt":
            .repeatedPrompt(PythonText.lower(PythonText.strip(try arguments.scalars("prompt_to_repeat")[...])))
        case "combination:two_responses": .twoResponses
        case "detectable_content:number_placeholders":
            .placeholders(atLeast: try arguments.number("num_placeholders", 1...4))
        case "detectable_content:postscript":
            .postscript(try IFEvalPostscript(try arguments.text("postscript_marker"), arguments))
        case "detectable_format:constrained_response": .constrainedResponse
        case "detectable_format:json_format": .json
        case "detectable_format:multiple_sections":
            .sections(
                try IFEvalSectionMark(try arguments.text("section_spliter"), arguments),
                atLeast: try arguments.number("num_sections", 1...5))
        case "detectable_format:number_bullet_lists": .bullets(count: try arguments.number("num_bullets", 1...5))
        case "detectable_format:number_highlighted_sections":
            .highlights(atLeast: try arguments.number("num_highlights", 1...4))
        case "detectable_format:title": .title
        case "keywords:existence":
            .keywords(try arguments.keywords("keywords", isWord: false))
        case "keywords:forbidden_words":
            .forbiddenWords(try arguments.keywords("forbidden_words", isWord: true))
        case "keywords:frequency":
            .keywordFrequency(
                try IFEvalKeyword(PythonText.strip(try arguments.text("keyword")), column: "keyword", arguments),
                try arguments.limit("frequency", "relation", 1...3))
        case "keywords:letter_frequency":
            .letterFrequency(
                try arguments.letter("letter"), try arguments.limit("let_frequency", "let_relation", 1...10))
        case "language:response_language": .language(try arguments.language("language"))
        case "length_constraints:nth_paragraph_first_word": try Self.paragraphWord(&arguments)
        case "length_constraints:number_paragraphs":
            .paragraphs(count: try arguments.number("num_paragraphs", 1...5))
        case "length_constraints:number_sentences":
            .sentences(try arguments.limit("num_sentences", "relation", 1...20))
        case "length_constraints:number_words": .words(try arguments.limit("num_words", "relation", 100...500))
        case "punctuation:no_comma": .noComma
        case "startend:end_checker":
            .ending(PythonText.lower(PythonText.strip(try arguments.scalars("end_phrase")[...])))
        case "startend:quotation": .quotation
        default: nil
        }
    }

    private static func paragraphWord(_ arguments: inout IFEvalArguments) throws(TaskError) -> IFEvalInstruction {
        let count = try arguments.whole("num_paragraphs", 1...5)
        // What ifeval draws in the place of another paragraph may be one behind the last, too.
        let index = try arguments.whole("nth_paragraph", 1...count + 1, most: Double(count))
        return .paragraphWord(
            index: index, count: Double(count), word: PythonText.lower(try arguments.scalars("first_word")[...]))
    }
}
