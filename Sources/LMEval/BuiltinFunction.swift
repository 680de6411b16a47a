internal import ConfigFile
internal import Crypto
internal import Evaluation
internal import Files
internal import JSON
internal import OrderedCollections
internal import ScoreMetrics

/// A Python function of lm-eval's own tasks that is built in, so that task files that name it run without Python.
public struct BuiltinFunction: Sendable, Hashable {
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
    typealias ResultFunction = @Sendable (JSONValue, BuiltinAnswers) throws(TaskError) -> [BuiltinResult]

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
    static let filters: [String: @Sendable (BuiltinFilterOptions) throws(TaskError) -> FilterFunction] = [
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
            try DropPort.results(document, answers.texts).map { BuiltinResult(name: $0.name, value: $0.value) }
        },
        "ifeval.utils.process_results": { document, answers throws(TaskError) in
            try IFEvalPort.results(document, answers.texts)
        },
        "squad_completion.task.SQUADCompletion.process_results": { document, answers throws(TaskError) in
            try SquadCompletionPort.results(document, answers.texts)
                .map { BuiltinResult(name: $0.name, value: $0.value) }
        },
        "squadv2.task.SQuAD2.process_results": { document, answers throws(TaskError) in
            try SQuAD2Port.results(document, answers)
        },
        "truthfulqa.utils.process_results_gen": { document, answers throws(TaskError) in
            try TruthfulQAPort.generationResults(document, answers.texts, bleu: InternationalBLEU.score)
                .map { BuiltinResult(name: $0.name, value: $0.value) }
        },
        "truthfulqa.utils.process_results_mc2": { document, answers throws(TaskError) in
            try TruthfulQAPort.mc2Results(document, answers.scores)
                .map { BuiltinResult(name: $0.name, value: $0.value) }
        },
        "wikitext.preprocess_wikitext.process_results": { document, answers throws(TaskError) in
            try WikiTextPort.results(document, logLikelihood: answers.scores.first?.logProb ?? .nan)
                .map { BuiltinResult(name: $0.name, value: $0.value, weight: $0.weight) }
        },
    ]

    /// A metric's aggregation.
    static let aggregations: [String: Aggregation] = ["ifeval.utils.agg_inst_level_acc": .weightedMean]

    /// The metric of programs that a task's metric_list names.
    static let passAtK = "humaneval.utils.pass_at_k"

    /// What process_results wants to know the log-likelihood of besides the generated texts.
    static let continuations = ["squadv2.task.SQuAD2.process_results": SQuAD2Port.unanswerable]

    static func filter(_ function: BuiltinFunction, _ options: BuiltinFilterOptions) throws(TaskError) -> FilterFunction
    {
        guard let make = Self.filters[function.name] else {
            throw TaskError(.unsupported, "\(function.name) is no filter")
        }
        return try make(options)
    }
}

/// What a model answered, for process_results.
struct BuiltinAnswers: Sendable {
    /// One for each choice, or one for a text.
    var scores: [(logProb: Double, isGreedy: Bool)] = []
    /// Generated and filtered.
    var texts: [String] = []
}

/// One metric that process_results gave.
struct BuiltinResult: Sendable {
    var name: String
    var value: Double
    var weight = 1.0
    /// As the metric's aggregation names them.
    var terms: [Double] = []
}

/// The keys beside `function` of a filter that is built in.
public struct BuiltinFilterOptions: Sendable, Hashable {
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

extension BuiltinFunction {
    /// Modules of lm-eval 0.4.13 by the sha256 of their files: a file that differs may do something else.
    private static let modules = [
        "07d23b60b28f2a4f658dcf8440623a63fe6644854ce9b846a114dde980dc1214": "hellaswag.utils",
        "1ab8f14808c826f93f2364883487ed63cf4267980bf4761fda8053899c013632": "ifeval.utils",
        "5f77adbf75b4342a6113fea30168ea57b4e5c3877ffd3b4942cb338b3edb2c95": "humaneval.utils",
        "92a917c531f41fa2f63b1a10c9ef989ff191a1c72f58350fe6933e20c29e14b2": "squad_completion.task",
        "a44020374b172159bf5be80a64d2c4194c9d5c77284f696ac666361338c8da7d": "wikitext.preprocess_wikitext",
        "a5782ee7d2e537968a5b83976195ae2b9b6e2a565a0bfb5c24d221b4d61a04f5": "drop.utils",
        "b9879cbee0966b35896f4d7f0d374d0c4f720d12d6dc79881496d3a0d68669e3": "mmlu-pro-plus.utils",
        "c0ce848b3d9792d6a701bf292bad8efad7f4621ae1efdb305e70ee82ab90e9b7": "squadv2.task",
        "d3c827d1e2cd442a1e4738b527a18effd48cbb2aed478c12a652311b5ea4dbc8": "truthfulqa.utils",
        "d47eae06ecf1e9535b033394de62185327a1dca977cb29049003699adeb92801": "mmlu_pro.utils",
        "e55327629264a98f1d383fda24645b6779afb53fa0bce2150042b9416b1ae006": "winogrande.preprocess_winogrande",
        "ecc017c5c3c0a03757d94072fb74feac74406b63d2f6efa6ec68f73f8db8a9fd": "bbh.utils",
    ]

    /// What modules import from beside them, and do most of their work in.
    private static let companions = [
        "ifeval.utils": [
            "instructions.py": "511cc41a53787d818c292d8335c8e98aa833296a0789ac470db56bcd6496345e",
            "instructions_registry.py": "9db1c062cdb70a91420d3789a588235a1064c2b9a1a66e09e5fb9df9e7584a6c",
            "instructions_util.py": "e8c4d9187bac1482d93941fb46469609c3ae78d896195bfcb300a0707d492567",
        ]
    ]

    /// The function that `!function reference` names in a task file.
    ///
    /// Where the module's file stands beside the task file it must be lm-eval's own; where it does not, the name must say the
    /// folder too, as in `hellaswag.utils.process_docs`.
    /// - Throws: `TaskError` with the place and what to write instead.
    static func named(_ reference: String, at place: ConfigurationNode.Place) throws(TaskError) -> BuiltinFunction {
        let advice = "Assay runs no Python: write a Jinja template, or prepare the data file"
        guard let dot = reference.lastIndex(of: ".") else {
            throw place.error(.unsupported, "!function \(reference) names no module; \(advice)")
        }
        let module = reference[..<dot]
        let file = sibling(module.replacing(".", with: "/") + ".py", of: place.file)
        let name: String
        if let bytes = try? TextFile.bytes(file, limit: 4 << 20) {
            guard let known = Self.modules[SHA256.text(of: bytes)] else {
                throw place.error(
                    .unsupported,
                    "!function \(reference): \(file) is not one of the files of lm-eval 0.4.13 whose functions are built in; "
                        + advice)
            }
            for (companion, hash) in (Self.companions[known] ?? [:]).sorted(by: { $0.key < $1.key }) {
                let path = sibling(companion, of: file)
                guard let bytes = try? TextFile.bytes(path, limit: 4 << 20),
                    SHA256.text(of: bytes) == hash
                else {
                    throw place.error(
                        .unsupported,
                        "!function \(reference): \(path), which it imports, is missing or not that of lm-eval 0.4.13; "
                            + advice)
                }
            }
            name = known + reference[dot...]
        } else {
            name = reference
        }
        guard let function = BuiltinFunction(name: name) else {
            throw place.error(.unsupported, "!function \(reference): this function is not built in; \(advice)")
        }
        return function
    }
}

extension ConfigurationNode {
    /// A task that names a Python class, with the keys that say what the class does; its own keys win.
    func expandingClass() throws(TaskError) -> ConfigurationNode {
        guard case .mapping(var members) = self.content,
            let index = members.firstIndex(where: { $0.key == "class" }),
            case .function(let reference) = members[index].node.content
        else { return self }
        let place = members.remove(at: index).place
        let function = try BuiltinFunction.named(reference, at: place)
        guard let yaml = BuiltinFunction.classes[function.name] else {
            throw place.error(.unsupported, "!function \(reference) is no class of a task")
        }
        let others = try ConfigurationNode(yaml: yaml, file: self.place.file)
        guard case .mapping(let others) = others.content else { return self }
        members += others.filter { other in !members.contains { $0.key == other.key } }
        return ConfigurationNode(.mapping(members), place: self.place)
    }
}

extension BuiltinFunction {
    /// Classes of tasks, and what they do in the words of a task file.
    static let classes = [
        "squad_completion.task.SQUADCompletion": """
        dataset_path: hazyresearch/based-squad
        dataset_name: default
        output_type: generate_until
        validation_split: validation
        doc_to_text: !function squad_completion.task.SQUADCompletion.doc_to_text
        doc_to_target: !function squad_completion.task.SQUADCompletion.doc_to_target
        process_results: !function squad_completion.task.SQUADCompletion.process_results
        generation_kwargs: {until: ["\\n"], max_gen_toks: 48}
        metric_list:
          - {metric: contains, aggregation: mean, higher_is_better: true}
        metadata: {version: 1}
        """,
        "squadv2.task.SQuAD2": """
        dataset_path: lighteval/squad_v2
        output_type: generate_until
        training_split: train
        validation_split: validation
        doc_to_text: !function squadv2.task.SQuAD2.doc_to_text
        doc_to_target: !function squadv2.task.SQuAD2.doc_to_target
        process_results: !function squadv2.task.SQuAD2.process_results
        generation_kwargs: {until: ["\\n"]}
        should_decontaminate: true
        doc_to_decontamination_query: context
        metric_list:
          - {metric: exact, aggregation: mean}
          - {metric: f1, aggregation: mean}
          - {metric: HasAns_exact, aggregation: weighted_mean}
          - {metric: HasAns_f1, aggregation: weighted_mean}
          - {metric: NoAns_exact, aggregation: weighted_mean}
          - {metric: NoAns_f1, aggregation: weighted_mean}
          - {metric: best_exact, aggregation: best_threshold}
          - {metric: best_f1, aggregation: best_threshold}
        metadata: {version: 3}
        """,
    ]
}
