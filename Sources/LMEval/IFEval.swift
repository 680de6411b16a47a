internal import Evaluation
internal import JSON
internal import NaturalLanguage
internal import OrderedCollections
internal import PythonCompat

/// The Python functions of the task ifeval.
enum IFEvalPort {
    /// ifeval `utils.process_results`.
    ///
    /// The metrics of single instructions weigh as much as there are instructions, as `utils.agg_inst_level_acc` has it.
    static func results(_ document: JSONValue, _ responses: [String]) throws(TaskError) -> [BuiltinResult] {
        guard let response = responses.first.map({ IFEvalResponse($0) }) else {
            throw TaskError(.invalidResponse, "ifeval needs a response, but there is none")
        }
        var (strict, loose) = (0, 0)
        let instructions = try IFEvalInstruction.all(ColumnReader(document))
        for instruction in instructions {
            let isFollowed = try response.follows(instruction)
            if isFollowed { strict += 1 }
            if isFollowed {
                loose += 1
            } else if try response.followsLoosely(instruction) {
                loose += 1
            }
        }
        func results(_ kind: String, _ followed: Int) -> [BuiltinResult] {
            [
                BuiltinResult(name: "prompt_level_\(kind)_acc", value: followed == instructions.count ? 1 : 0),
                BuiltinResult(
                    name: "inst_level_\(kind)_acc", value: Double(followed), weight: Double(instructions.count)),
            ]
        }
        return results("strict", strict) + results("loose", loose)
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

/// Reads the arguments of one instruction.
///
/// lm-eval replaces some values by random ones. Here they are those that Python draws after `random.seed(0)`.
struct IFEvalArguments {
    private static let relations = ["less than", "at least"]
    /// `LANGUAGE_CODES` of ifeval's `instructions_util`.
    private static let languages: Set<String> = [
        "en", "es", "pt", "ar", "hi", "fr", "ru", "de", "ja", "it", "bn", "uk", "th", "ur", "ta", "te", "bg", "ko",
        "pl", "he", "fa", "vi", "ne", "sw", "kn", "mr", "gu", "pa", "ml", "fi",
    ]

    private let value: JSONValue
    private let column: String
    private let columns: ColumnReader
    private var random = PythonRandom(seed: 0)
    private var known: Set<String> = []

    init(_ value: JSONValue, column: String, of columns: ColumnReader) throws(TaskError) {
        guard case .object = value else { throw columns.error(column, mustBe: "a mapping", is: value.kind) }
        self.value = value
        self.column = column
        self.columns = columns
    }

    func error(_ key: String, mustBe wanted: String, is found: String) -> TaskError {
        self.columns.error("\(self.column).\(key)", mustBe: wanted, is: found)
    }

    /// Arguments that the instruction doesn't know are errors, unless they are null, 0 or empty.
    func finish(_ instruction: String) throws(TaskError) {
        guard case .object(let members) = self.value else { return }
        for (key, value) in members where !self.known.contains(key) && Self.isTrue(value) {
            throw self.error(key, mustBe: "left out for \(instruction)", is: value.kind)
        }
    }

    private static func isTrue(_ value: JSONValue) -> Bool {
        switch value {
        case .null, .bool(false), .int(0), .double(0), .string(""), .array([]), .object([:]): false
        default: true
        }
    }

    private mutating func value(_ key: String, mustBe wanted: String) throws(TaskError) -> JSONValue {
        self.known.insert(key)
        guard let value = self.value[key], value != .null else {
            throw self.error(key, mustBe: wanted, is: self.value[key]?.kind ?? "missing")
        }
        return value
    }

    mutating func text(_ key: String) throws(TaskError) -> String {
        let value = try self.value(key, mustBe: "a text")
        guard let text = value.string else { throw self.error(key, mustBe: "a text", is: value.kind) }
        guard !text.isEmpty else { throw self.error(key, mustBe: "a text", is: "empty") }
        return text
    }

    mutating func scalars(_ key: String) throws(TaskError) -> [Unicode.Scalar] {
        Array(try self.text(key).unicodeScalars)
    }

    /// A number; one of `range` in the place of 0, of negative ones and of ones above `most`.
    mutating func number(
        _ key: String, _ range: ClosedRange<Int>, allowsNegative: Bool = false, most: Double = .infinity
    ) throws(TaskError) -> Double {
        let number: Double
        switch try self.value(key, mustBe: "a number") {
        case .int(let value): number = Double(value)
        case .double(let value): number = value
        case let value: throw self.error(key, mustBe: "a number", is: value.kind)
        }
        let isFit = number <= most && number != 0 && (number > 0 || allowsNegative)
        // Python's `randint`.
        return isFit ? number : Double(range.lowerBound + self.random.below(range.count))
    }

    /// As `number`, but an integer of up to 31 bits.
    mutating func whole(
        _ key: String, _ range: ClosedRange<Int>, most: Double = .infinity
    ) throws(TaskError) -> Int {
        let number = try self.number(key, range, most: most)
        guard let whole = Int32(exactly: number), whole < .max else {
            throw self.error(key, mustBe: "an integer", is: "\(number)")
        }
        return Int(whole)
    }

    mutating func limit(
        _ number: String, _ relation: String, _ range: ClosedRange<Int>, allowsNegative: Bool = false
    ) throws(TaskError) -> IFEvalLimit {
        let number = try self.number(number, range, allowsNegative: allowsNegative)
        let name = try self.text(relation)
        guard Self.relations.contains(name) else {
            throw self.error(relation, mustBe: "\"less than\" or \"at least\"", is: "\"\(name)\"")
        }
        return IFEvalLimit(number: number, isLeast: name == "at least")
    }

    /// A letter from a to z; one drawn in the place of anything else.
    mutating func letter(_ key: String) throws(TaskError) -> Unicode.Scalar {
        let text = try self.scalars(key)
        let lower = PythonText.lower(text[...])
        if text.count == 1, lower.count == 1, ("a"..."z").contains(lower[0]) { return lower[0] }
        return Unicode.Scalar(UInt8(ascii: "a") + UInt8(self.random.below(52) % 26))
    }

    mutating func language(_ key: String) throws(TaskError) -> String {
        let language = try self.text(key)
        guard Self.languages.contains(language) else {
            throw self.error(key, mustBe: "a language of the task ifeval", is: "\"\(language)\"")
        }
        return language
    }

    mutating func keywords(_ key: String, isWord: Bool) throws(TaskError) -> [IFEvalKeyword] {
        let wanted = "a list of texts"
        let value = try self.value(key, mustBe: wanted)
        guard case .array(let items) = value, !items.isEmpty else {
            throw self.error(key, mustBe: wanted, is: value == .array([]) ? "empty" : value.kind)
        }
        return try items.map { item throws(TaskError) in
            guard let text = item.string else {
                throw self.error(key, mustBe: wanted, is: "a list with \(item.kind) in it")
            }
            return try IFEvalKeyword(text, isWord: isWord, column: key, self)
        }
    }
}
