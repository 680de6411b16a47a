internal import Datasets
internal import Evaluation
internal import JSON
internal import PythonCompat

/// The Python functions of the task hellaswag.
enum HellaSwagPort {
    /// hellaswag `utils.process_docs`.
    static func process(_ document: JSONValue) throws(TaskError) -> JSONValue {
        let columns = ColumnReader(document)
        let context = try columns.string("ctx_a") + " " + PythonText.capitalize(try columns.string("ctx_b"))
        let endings = try columns.strings("endings")
        return try document.setting([
            "query": .string(Self.preprocess(try columns.string("activity_label") + ": " + context)),
            "choices": .strings(endings.map(Self.preprocess)),
            "gold": .int(try Self.label(columns)),
        ])
    }

    private static func label(_ columns: ColumnReader) throws(TaskError) -> Int {
        let wanted = "an integer or a string with one"
        switch try columns.value("label", mustBe: wanted) {
        case .int(let number): return number
        case .string(let text):
            if let number = PythonNumber.int(text) { return number }
            throw columns.error("label", mustBe: wanted, is: "another string")
        case let other: throw columns.error("label", mustBe: wanted, is: other.kind)
        }
    }

    private static func preprocess(_ text: String) -> String {
        let text = PythonText.replace(PythonText.strip(text), " [title]", with: ". ")
        return PythonText.replace(Self.withoutBrackets(text), "  ", with: " ")
    }

    /// Takes out each `[...]` that ends on its line.
    private static func withoutBrackets(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let open = rest.firstIndex(of: "["),
            let stop = rest[open...].firstIndex(where: { $0 == "]" || $0 == "\n" })
        {
            let isClosed = rest[stop] == "]"
            // Where a line ends first, no other [ before its end is closed either.
            result.append(contentsOf: rest[..<(isClosed ? open : stop)])
            rest = rest[stop...].dropFirst(isClosed ? 1 : 0)
        }
        result.append(contentsOf: rest)
        return String(result)
    }
}

/// The Python functions of the task winogrande.
enum WinograndePort {
    /// winogrande `preprocess_winogrande.doc_to_text`: the right option's index.
    static func answerIndex(_ document: JSONValue) throws(TaskError) -> JSONValue {
        let columns = ColumnReader(document)
        switch try columns.string("answer") {
        case "1": return .int(0)
        case "2": return .int(1)
        default: throw columns.error("answer", mustBe: "1 or 2", is: "another string")
        }
    }

    /// winogrande `preprocess_winogrande.doc_to_target`: what stands behind the gap.
    static func target(_ document: JSONValue) throws(TaskError) -> JSONValue {
        let (sentence, gap) = try Self.sentence(document)
        return .string(PythonText.strip(String(sentence[sentence.index(after: gap)...])))
    }

    /// winogrande `preprocess_winogrande.doc_to_choice`: what stands before the gap with each option.
    static func choices(_ document: JSONValue) throws(TaskError) -> [String] {
        let (sentence, gap) = try Self.sentence(document)
        let columns = ColumnReader(document)
        let start = String(sentence[..<gap])
        return [start + (try columns.string("option1")), start + (try columns.string("option2"))]
    }

    private static func sentence(
        _ document: JSONValue
    ) throws(TaskError) -> (scalars: String.UnicodeScalarView, gap: String.Index) {
        let columns = ColumnReader(document)
        let scalars = try columns.string("sentence").unicodeScalars
        guard let gap = scalars.firstIndex(of: "_") else {
            throw columns.error("sentence", mustBe: "a string with a _", is: "one without")
        }
        return (scalars, gap)
    }
}

/// The Python functions of the task wikitext.
enum WikiTextPort {
    /// wikitext `preprocess_wikitext.wikitext_detokenizer`.
    static func detokenized(_ document: JSONValue) throws(TaskError) -> String {
        var text = try ColumnReader(document).string("page")
        text = Self.replacing(text, [("s '", "s'")])
        text = PythonText.substituting(text) { scalars, start in
            guard scalars[start...].starts(with: "/' ".unicodeScalars), start + 4 < scalars.count,
                ("0"..."9").contains(scalars[start + 3]), scalars[start + 4] == "/"
            else { return nil }
            return (start + 5, "/'[0-9]/")
        }
        text = Self.replacing(text, [(" @-@ ", "-"), (" @,@ ", ","), (" @.@ ", ".")])
        for mark in ":;.!?," { text = PythonText.replace(text, " \(mark) ", with: "\(mark) ") }
        let brackets: [(open: Unicode.Scalar, close: Unicode.Scalar)] = [
            ("(", ")"), ("[", "]"), ("{", "}"), ("\"", "\""), ("'", "'"),
        ]
        for (open, close) in brackets { text = Self.tightened(text, open, close) }
        return Self.replacing(
            text,
            [
                ("= = = =", "===="), ("= = =", "==="), ("= =", "=="), (" ° ", "°"), (" \n", "\n"), ("\n ", "\n"),
                (" N ", " 1 "), (" 's", "'s"),
            ])
    }

    /// wikitext `preprocess_wikitext.process_results`; words and bytes are those of the page as it was.
    static func results(
        _ document: JSONValue, logLikelihood: Double
    ) throws(TaskError) -> [(name: String, value: Double, weight: Double)] {
        let page = try ColumnReader(document).string("page")
        let (words, bytes) = (Double(PythonText.wordCount(page)), Double(page.utf8.count))
        return [
            ("word_perplexity", logLikelihood, words), ("byte_perplexity", logLikelihood, bytes),
            ("bits_per_byte", logLikelihood, bytes),
        ]
    }

    private static func replacing(_ text: String, _ pairs: [(old: String, new: String)]) -> String {
        pairs.reduce(text) { PythonText.replace($0, $1.old, with: $1.new) }
    }

    /// Takes out the white space behind each opening mark and before the next closing one.
    private static func tightened(_ text: String, _ open: Unicode.Scalar, _ close: Unicode.Scalar) -> String {
        var result = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let start = rest.firstIndex(of: open) {
            let inside = rest.index(after: start)
            guard let end = rest[inside...].firstIndex(of: close) else { break }
            result.append(contentsOf: rest[..<inside])
            result.append(contentsOf: PythonText.strip(String(rest[inside..<end])).unicodeScalars)
            result.append(close)
            rest = rest[rest.index(after: end)...]
        }
        result.append(contentsOf: rest)
        return String(result)
    }
}

/// The Python functions of the tasks mmlu_pro and mmlu-pro-plus.
enum MMLUProPort {
    static let subjects = [
        "biology", "business", "chemistry", "computer science", "economics", "engineering", "health", "history", "law",
        "math", "other", "philosophy", "physics", "psychology",
    ]

    /// `process` for one of the subjects.
    static func process(subject: String) -> BuiltinFunction.DocumentFunction {
        { (document: JSONValue) throws(TaskError) -> JSONValue? in try Self.process(document, subject: subject) }
    }

    /// mmlu_pro and mmlu-pro-plus `utils.process_<subject>`: `nil` for documents of other subjects.
    static func process(_ document: JSONValue, subject: String) throws(TaskError) -> JSONValue? {
        let category = try ColumnReader(document).value("category", mustBe: "a string")
        return PythonText.equal(category.string ?? "", subject) ? document : nil
    }

    /// mmlu_pro `utils.doc_to_text` and `utils.fewshot_to_text`: at most ten options.
    static func prompt(_ document: JSONValue) throws(TaskError) -> String {
        try Self.prompt(document, options: try ColumnReader(document).strings("options").prefix(10))
    }

    /// mmlu-pro-plus `utils.doc_to_text` and `utils.fewshot_to_text`: more than 16 options are an error.
    static func plusPrompt(_ document: JSONValue) throws(TaskError) -> String {
        let columns = ColumnReader(document)
        let options = try columns.strings("options")
        guard options.count <= 16 else {
            throw columns.error("options", mustBe: "a list of at most 16 strings", is: "one of \(options.count)")
        }
        return try Self.prompt(document, options: options[...])
    }

    /// mmlu_pro and mmlu-pro-plus `utils.fewshot_to_target`.
    static func exampleTarget(_ document: JSONValue) throws(TaskError) -> JSONValue {
        let reasoning = try ColumnReader(document).string("cot_content")
        return .string(PythonText.replace(reasoning, "A: Let's think step by step. ", with: ""))
    }

    private static func prompt(_ document: JSONValue, options: ArraySlice<String>) throws(TaskError) -> String {
        var prompt = "Question:\n" + (try ColumnReader(document).string("question")) + "\nOptions:\n"
        for (letter, option) in zip("ABCDEFGHIJKLMNOP", options) {
            prompt += "\(letter). \(PythonText.strip(option))\n"
        }
        return prompt + "Answer: Let's think step by step."
    }
}

/// What the tasks humaneval, humaneval_64 and humaneval_plus do besides running programs.
enum HumanEvalPort {
    /// humaneval `utils.build_predictions`.
    static func predictions(_ responses: [String], document: JSONValue) throws(TaskError) -> [String] {
        let prompt = try ColumnReader(document).string("prompt")
        return responses.map { prompt + $0 }
    }

    /// humaneval `utils.build_predictions_instruct`: a response ends where its code block does.
    static func instructPredictions(_ responses: [String], document: JSONValue) throws(TaskError) -> [String] {
        let prompt = try ColumnReader(document).string("prompt")
        return responses.map { prompt + (PythonText.before("```", in: $0) ?? $0) }
    }
}
