/// A Python function of lm-eval's own tasks that is built in, so that task files that name it run without Python.
public struct NativeFunction: Sendable, Hashable {
    /// Folder, module and function of lm-eval 0.4.13, such as "hellaswag.utils.process_docs".
    public let name: String

    /// - Parameter name: As `name`.
    /// - Returns: `nil` if there is no such function.
    init?(name: String) {
        guard Self.known.contains(name) else { return nil }
        self.name = name
    }

    static let known = Set(Self.documents.keys).union(Self.values.keys).union(Self.filters.keys).union(
        Self.results.keys
    ).union(Self.aggregations.keys).union(Self.classes.keys).union([Self.passAtK])

    typealias DocumentFunction = @Sendable (JSONValue) throws(TaskError) -> JSONValue?
    typealias ValueFunction = @Sendable (JSONValue) throws(TaskError) -> JSONValue
    typealias FilterFunction = @Sendable ([String], JSONValue) throws(TaskError) -> [String]
    typealias ResultFunction = @Sendable (JSONValue, NativeAnswers) throws(TaskError) -> [NativeResult]

    /// process_docs: a row as the task sees it; `nil` leaves it out.
    static let documents: [String: DocumentFunction] = {
        var functions: [String: DocumentFunction] = [
            "hellaswag.utils.process_docs": { document throws(TaskError) in try HellaSwagPort.process(document) },
            "drop.utils.process_docs": { document throws(TaskError) in try DropPort.process(document) },
            "truthfulqa.utils.process_docs_gen": { document throws(TaskError) in
                try TruthfulQAPort.processGeneration(document)
            },
        ]
        for subject in MMLUProPort.subjects {
            for module in ["mmlu_pro.utils", "mmlu-pro-plus.utils"] {
                functions["\(module).process_\(subject.replacing(" ", with: "_"))"] = MMLUProPort.process(
                    subject: subject)
            }
        }
        return functions
    }()

    /// doc_to_text, doc_to_target and doc_to_choice.
    static let values: [String: ValueFunction] = [
        "winogrande.preprocess_winogrande.doc_to_text": { document throws(TaskError) in
            try WinograndePort.answerIndex(document)
        },
        "winogrande.preprocess_winogrande.doc_to_target": { document throws(TaskError) in
            try WinograndePort.target(document)
        },
        "winogrande.preprocess_winogrande.doc_to_choice": { document throws(TaskError) in
            .array(try WinograndePort.choices(document).map(JSONValue.string))
        },
        "mmlu_pro.utils.doc_to_text": { document throws(TaskError) in .string(try MMLUProPort.prompt(document)) },
        "mmlu_pro.utils.fewshot_to_text": { document throws(TaskError) in .string(try MMLUProPort.prompt(document)) },
        "mmlu_pro.utils.fewshot_to_target": { document throws(TaskError) in try MMLUProPort.exampleTarget(document) },
        "mmlu-pro-plus.utils.doc_to_text": { document throws(TaskError) in
            .string(try MMLUProPort.plusPrompt(document))
        },
        "mmlu-pro-plus.utils.fewshot_to_text": { document throws(TaskError) in
            .string(try MMLUProPort.plusPrompt(document))
        },
        "mmlu-pro-plus.utils.fewshot_to_target": { document throws(TaskError) in
            try MMLUProPort.exampleTarget(document)
        },
        "squad_completion.task.SQUADCompletion.doc_to_text": { document throws(TaskError) in
            .string(try SquadCompletionPort.prompt(document))
        },
        "squad_completion.task.SQUADCompletion.doc_to_target": { document throws(TaskError) in
            try SquadCompletionPort.target(document)
        },
        "squadv2.task.SQuAD2.doc_to_text": { document throws(TaskError) in .string(try SQuAD2Port.prompt(document)) },
        "squadv2.task.SQuAD2.doc_to_target": { document throws(TaskError) in try SQuAD2Port.target(document) },
        "wikitext.preprocess_wikitext.wikitext_detokenizer": { document throws(TaskError) in
            .string(try WikiTextPort.detokenized(document))
        },
    ]

    /// Functions of filters, made with the filter's keys.
    static let filters: [String: @Sendable (NativeFilterOptions) throws(TaskError) -> FilterFunction] = [
        "bbh.utils.MultiChoiceRegexFilter": { options throws(TaskError) in
            let filter = try MultiChoiceRegexFilter(options.expression, choices: .input)
            return { texts, document throws(TaskError) in try filter.apply(texts, document: document) }
        },
        "bbh.utils.NumberParseRegexFilter": { options throws(TaskError) in
            let filter = try NumberParseRegexFilter(options.expression)
            return { texts, document throws(TaskError) in try filter.apply(texts, document: document) }
        },
        "bbh.utils.MapRegexFilter": { options throws(TaskError) in
            let filter = try MapRegexFilter(
                options.expression, values: options.values.map { (pattern: $0.text, value: $0.value) })
            return { texts, document throws(TaskError) in try filter.apply(texts, document: document) }
        },
        "humaneval.utils.build_predictions": { _ throws(TaskError) in
            { texts, document throws(TaskError) in try HumanEvalPort.predictions(texts, document: document) }
        },
        "humaneval.utils.build_predictions_instruct": { _ throws(TaskError) in
            { texts, document throws(TaskError) in try HumanEvalPort.instructPredictions(texts, document: document) }
        },
        "bbh.utils.WordSortFilter": { _ throws(TaskError) in
            { texts, document throws(TaskError) in try WordSortFilter.apply(texts, document: document) }
        },
    ]

    /// process_results: a sample's metrics.
    static let results: [String: ResultFunction] = [
        "drop.utils.process_results": { document, answers throws(TaskError) in
            try DropPort.results(document, answers.texts).map { NativeResult(name: $0.name, value: $0.value) }
        },
        "ifeval.utils.process_results": { document, answers throws(TaskError) in
            try IFEvalPort.results(document, answers.texts)
        },
        "squad_completion.task.SQUADCompletion.process_results": { document, answers throws(TaskError) in
            try SquadCompletionPort.results(document, answers.texts)
                .map { NativeResult(name: $0.name, value: $0.value) }
        },
        "squadv2.task.SQuAD2.process_results": { document, answers throws(TaskError) in
            try SQuAD2Port.results(document, answers)
        },
        "truthfulqa.utils.process_results_gen": { document, answers throws(TaskError) in
            try TruthfulQAPort.generationResults(document, answers.texts, bleu: InternationalBLEU.score)
                .map { NativeResult(name: $0.name, value: $0.value) }
        },
        "truthfulqa.utils.process_results_mc2": { document, answers throws(TaskError) in
            try TruthfulQAPort.mc2Results(document, answers.scores)
                .map { NativeResult(name: $0.name, value: $0.value) }
        },
        "wikitext.preprocess_wikitext.process_results": { document, answers throws(TaskError) in
            try WikiTextPort.results(document, logLikelihood: answers.scores.first?.logProb ?? .nan)
                .map { NativeResult(name: $0.name, value: $0.value, weight: $0.weight) }
        },
    ]

    /// A metric's aggregation.
    static let aggregations: [String: Aggregation] = ["ifeval.utils.agg_inst_level_acc": .weightedMean]

    /// The metric of programs that a task's metric_list names.
    static let passAtK = "humaneval.utils.pass_at_k"

    /// What process_results wants to know the log-likelihood of besides the generated texts.
    static let continuations = ["squadv2.task.SQuAD2.process_results": SQuAD2Port.unanswerable]

    static func filter(_ function: NativeFunction, _ options: NativeFilterOptions) throws(TaskError) -> FilterFunction {
        guard let make = Self.filters[function.name] else {
            throw TaskError(.unsupported, "\(function.name) is no filter")
        }
        return try make(options)
    }
}

/// What a model answered, for process_results.
struct NativeAnswers: Sendable {
    /// One for each choice, or one for a text.
    var scores: [(logProb: Double, isGreedy: Bool)] = []
    /// Generated and filtered.
    var texts: [String] = []
}

/// One metric that process_results gave.
struct NativeResult: Sendable {
    var name: String
    var value: Double
    var weight = 1.0
    /// As the metric's aggregation names them.
    var terms: [Double] = []
}

/// The keys beside `function` of a filter that is built in.
public struct NativeFilterOptions: Sendable, Hashable {
    var expression = ExtendedRegexFilter.Options()
    /// The key regex_pattern_to_value.
    var values: [Entry] = []

    struct Entry: Sendable, Hashable {
        var text: String
        var value: String
    }

    /// What stands in where nothing is found.
    var fallback: String { self.expression.fallback }
}
