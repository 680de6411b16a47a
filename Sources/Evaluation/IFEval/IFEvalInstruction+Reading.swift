internal import PythonCompat

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
