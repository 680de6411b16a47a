internal import ConfigFile
internal import Crypto
public import Datasets
public import Evaluation
internal import Files
internal import JSON
internal import PythonCompat

/// A task with parsed templates and its few-shot examples: what turns rows into requests and answers into scores.
///
/// Threads may share an instance.
public struct EvaluationTask: Sendable {
    public let configuration: TaskConfiguration
    /// Everything that prompts and scores depend on but rows, as JSON; with the rows the task can be made from it.
    public let canonicalJSON: String
    /// The sha256 of `canonicalJSON`, 64 hexadecimal digits.
    public let taskHash: String
    /// The columns that every sample has, in order.
    public var metrics: [MetricDefinition] { self.configuration.columns }

    /// Whether the few-shot pool is needed besides the canonical JSON.
    public let drawsExamples: Bool

    /// Which random numbers are this task's, so that rows of two tasks share none.
    let randomTask: UInt32
    let prompts: PromptFormat
    let filters: [CompiledPipeline]
    let normalizers: [ExactMatch]

    /// - Parameters:
    ///   - data: Needed only where examples are drawn for each row, or come from a split.
    ///   - rows: How many rows will be prepared, from the first; `nil` for all.
    public init(_ configuration: TaskConfiguration, _ data: TaskData? = nil, rows: Int? = nil) throws(TaskError) {
        let pool = try configuration.examplePool(data?.fewShotPool)
        var (samples, named): ([JSONValue], TaskConfiguration.Pool?)
        switch pool {
        case .listed(let documents): (samples, named) = (documents, nil)
        case .dataSet(let set, _): (samples, named) = ([], .init(sha256: set.sha256, rows: set.rowCount))
        }
        if let wanted = configuration.fewShot.pool, wanted != named {
            throw TaskError(
                .invalidData,
                "few-shot examples are drawn from the data set \(wanted.sha256), not \(named?.sha256 ?? "from none")")
        }
        self.configuration = configuration
        self.drawsExamples = named != nil
        self.canonicalJSON = configuration.canonical(samples: samples, pool: named).storedText
        self.taskHash = SHA256.text(of: self.canonicalJSON.utf8)
        self.randomTask = SHA256.hash(data: Array(configuration.name.utf8)).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
        self.prompts = try PromptFormat(
            configuration,
            examples: try FewShotExamples(
                configuration, pool: pool, rows: rows ?? data?.evaluated.rowCount ?? 0, evaluated: data?.evaluated))
        self.filters = try CompiledPipeline.compiled(configuration.usedFilters)
        self.normalizers = try configuration.metrics.map { metric throws(TaskError) in
            try ExactMatch(metric.normalization)
        }
    }

    /// From the canonical JSON of another instance.
    public init(canonicalJSON: String, _ data: TaskData? = nil, rows: Int? = nil) throws(TaskError) {
        try self.init(try TaskConfiguration(canonicalJSON: canonicalJSON), data, rows: rows)
    }

    /// Reads a task file whose rows are in files, the data set that it evaluates and its few-shot examples.
    ///
    /// - Parameters:
    ///   - searchFolders: Where data files are looked for that are not beside the task file.
    ///   - fewShot: As many examples instead of what the file says.
    ///   - epochs: So often instead of what the file says.
    public static func load(
        path: String, searchFolders: [String] = [], fewShot: Int? = nil, epochs: Int? = nil
    ) throws(TaskError) -> (task: EvaluationTask, data: TaskData) {
        let configuration = try TaskConfiguration.load(path: path, fewShot: fewShot, epochs: epochs)
        return try self.made(of: configuration, try TaskData(configuration, searchFolders: searchFolders))
    }

    /// Reads a task file, the data set that it evaluates and its few-shot examples.
    ///
    /// - Parameters:
    ///   - epochs: So often instead of what the file says.
    ///   - catalog: Asked only if the task names no files.
    public static func load(
        path: String, searchFolders: [String] = [], fewShot: Int? = nil, epochs: Int? = nil, catalog: any DataSetCatalog
    ) async throws(TaskError) -> (task: EvaluationTask, data: TaskData) {
        let configuration = try TaskConfiguration.load(path: path, fewShot: fewShot, epochs: epochs)
        let data: TaskData
        do throws(TaskError) {
            data = try await TaskData(configuration, searchFolders: searchFolders, catalog: catalog)
        } catch {
            throw error.placed(in: path)
        }
        return try self.made(of: configuration, data)
    }

    private static func made(
        of configuration: TaskConfiguration, _ data: TaskData
    ) throws(TaskError) -> (task: EvaluationTask, data: TaskData) {
        do throws(TaskError) {
            let data = try data.processed(by: configuration)
            var configuration = configuration
            configuration.notes += data.notes
            try configuration.decideKinds(by: data.evaluated)
            try configuration.checkExamples(data)
            return (try EvaluationTask(configuration, data), data)
        } catch {
            throw error.placed(in: configuration.file)
        }
    }
}

extension TaskConfiguration {
    fileprivate static func load(path: String, fewShot: Int?, epochs: Int?) throws(TaskError) -> TaskConfiguration {
        var configuration = try self.load(path: path)
        if let fewShot, fewShot > 0, configuration.fewShot.isNone {
            configuration.notes.append(
                "num_fewshot \(fewShot) has no effect: the task file says num_fewshot: 0, which cannot be overridden, as in "
                    + "lm-eval; remove it from the file to use examples")
        } else if let fewShot {
            configuration.fewShot.count = fewShot
        }
        if let epochs { try configuration.setEpochs(epochs) }
        return configuration
    }

    fileprivate mutating func setEpochs(_ epochs: Int) throws(TaskError) {
        guard self.outputType == .generateUntil || epochs == 1 else {
            throw TaskError(
                .invalidValue, "epochs is \(epochs), but the task generates nothing; its answers would be the same",
                file: self.file)
        }
        self.epochs = epochs
        try self.checkEpochs(.init(file: self.file))
    }
}

extension TaskConfiguration {
    /// Refuses examples of other columns: lm-eval asks the evaluated rows whether a name is a column's.
    fileprivate func checkExamples(_ data: TaskData) throws(TaskError) {
        guard self.fewShot.count > 0, data.evaluated.rowCount > 0 else { return }
        let row = try data.evaluated.document(at: 0).value
        let pool = try self.examplePool(data.fewShotPool)
        var fields: [(key: String, text: String)] = []
        if case .text(let text) = self.fewShot.docToText ?? self.docToText { fields.append(("doc_to_text", text)) }
        if case .text(let text) = self.fewShot.docToTarget ?? self.docToTarget {
            fields.append(("doc_to_target", text))
        }
        if case .text(let text)? = self.fewShot.docToChoice ?? self.docToChoice {
            fields.append(("doc_to_choice", text))
        }
        // All rows of a data set have the same columns.
        let count = if case .listed = pool { pool.count } else { min(pool.count, 1) }
        for index in 0..<count {
            let example = try pool.document(at: index)
            for (key, text) in fields where (row[text] == nil) != (example[text] == nil) {
                throw TaskError(
                    .invalidData,
                    row[text] == nil
                        ? "\(key) of the examples is \(text), a column that only they have, which lm-eval would take for a "
                            + "template; write {{\(text)}}"
                        : "few-shot example \(index) has no column \(text), which \(key) names")
            }
        }
    }

    /// Says what the first row decides in lm-eval: whether choices are contexts, and targets lists.
    mutating func decideKinds(by rows: DataSet) throws(TaskError) {
        try self.decideInputs(by: rows)
        try self.decideTargets(by: rows)
    }

    /// Says that the choices are contexts where doc_to_text renders a number in the first row.
    private mutating func decideInputs(by rows: DataSet) throws(TaskError) {
        guard self.docToChoice != nil, self.multipleInput == nil, rows.rowCount > 0 else { return }
        let format = try DocumentFormat(text: self.docToText, target: self.docToTarget, choices: self.docToChoice)
        if format.rendersNumber(RenderedDocument(try rows.document(at: 0))) == true { self.multipleInput = true }
    }

    /// Says whether targets are lists where rows differ.
    private mutating func decideTargets(by rows: DataSet) throws(TaskError) {
        guard self.outputType == .generateUntil, self.docToChoice == nil, self.processResults == nil,
            self.multipleTarget == nil, rows.rowCount > 0
        else { return }
        let format = try DocumentFormat(text: self.docToText, target: self.docToTarget, choices: nil)
        func answer(_ row: Int) throws(TaskError) -> JSONValue? {
            let document = RenderedDocument(try rows.document(at: row))
            // What is wrong with a row is said when it is prepared.
            return try? format.answer(document)
        }
        guard let first = try answer(0) else { return }
        if case .array(let items) = first, !items.isEmpty, !items.contains(where: { $0.string != nil }) {
            self.notes.append(
                "doc_to_target gives lists without texts, which no answer can equal, as in lm-eval; turn them into texts, "
                    + "such as {{answers|map('string')|list}}")
        }
        if first.string == nil, first.kind != "a list", self.metrics.contains(where: { $0.metric == .exactMatch }),
            let filter = self.filters.first(where: { $0.filters.last != .takeFirst })
        {
            self.notes.append(
                "doc_to_target gives \(first.kind), which equals none of the texts that the filter \(filter.name) leaves, as in "
                    + "lm-eval; end the filter with take_first")
        }
        let isList = if case .array(let items) = first { !items.isEmpty } else { false }
        // A column has lists in every row or in none: the texts in it are no lists, whatever stands in them.
        if format.takesColumn(RenderedDocument(try rows.document(at: 0))), isList || first.kind != "a list" { return }
        for row in 0..<rows.rowCount {
            guard let found = try answer(row) else { continue }
            guard isList == (found.kind != "a list") else { continue }
            self.multipleTarget = isList
            self.notes.append(
                "doc_to_target gives lists in some rows only; as in lm-eval, the first row decides, so "
                    + (isList
                        ? "a text counts as a list of its characters (row \(row))"
                        : "a list counts as a text (row \(row))"))
            return
        }
    }
}

extension TaskError {
    /// The error with the file, unless it names one.
    fileprivate func placed(in file: String) -> TaskError {
        guard self.file.isEmpty else { return self }
        var placed = self
        placed.file = file
        return placed
    }
}

extension EvaluationTask {
    /// Turns a row into prompts and requests.
    ///
    /// - Throws: `TaskError` that names the row and the task file's key.
    public func prepare(_ document: Document, style: PromptStyle = .plain) throws(TaskError) -> PreparedSample {
        var sample = try self.prepared(document, style)
        sample.cluster = try self.configuration.cluster(of: document)
        return sample
    }

    private func prepared(_ document: Document, _ style: PromptStyle) throws(TaskError) -> PreparedSample {
        let rendered = RenderedDocument(document)
        let id = document.sampleID
        switch self.configuration.outputType {
        case .multipleChoice: return try self.choices(rendered, id, style)
        case .loglikelihood:
            let prompt = try self.prompt(rendered, style)
            let target = try self.target(rendered)
            return PreparedSample(
                rendered, id: id, prompt: prompt, references: [target],
                [.loglikelihood(context: prompt, continuation: target)])
        case .loglikelihoodRolling:
            let text = try self.target(rendered)
            return PreparedSample(rendered, id: id, prompt: text, references: [text], [.rolling(text: text)])
        case .generateUntil:
            let prompt = try self.prompt(rendered, style)
            let generation = self.configuration.generation ?? .init(until: [], maxTokens: 256)
            let texts = (0..<(self.configuration.epochs * self.configuration.repeats)).map { number in
                Request.generate(
                    prompt: prompt, stop: generation.until, maxTokens: generation.maxTokens,
                    sampling: generation.sampling.map {
                        SampledText($0, task: self.randomTask, row: document.row, repeat: number)
                    },
                    constraint: generation.constraint)
            }
            let targets = try self.targets(rendered)
            return PreparedSample(
                rendered, id: id, prompt: prompt, references: targets.texts, targets: targets,
                texts + (self.continuation.map { [.loglikelihood(context: prompt, continuation: $0)] } ?? []))
        }
    }

    /// Turns rows into prompts, in order.
    public func prepare(
        _ documents: [Document], style: PromptStyle = .plain
    ) throws(TaskError) -> [PreparedSample] {
        try documents.map { document throws(TaskError) in try self.prepare(document, style: style) }
    }

    private func choices(
        _ document: RenderedDocument, _ id: String, _ style: PromptStyle
    ) throws(TaskError) -> PreparedSample {
        let format = self.prompts.question
        let options = try format.options(document)
        let delimiter = self.continuationDelimiter(style)
        var requests: [Request]
        let (prompt, golds): (String, [Int])
        switch try self.prompts.prompt(document, style) {
        case .one(let text):
            (prompt, golds) = (text, try format.golds(document, among: options))
            requests = options.map { .loglikelihood(context: text, continuation: delimiter + $0) }
        case .many(let texts, let gold):
            // The choices are contexts of one continuation.
            let continuation = delimiter + (try self.target(document))
            (prompt, golds) = (texts[gold], [gold])
            requests = texts.map { .loglikelihood(context: $0, continuation: continuation) }
        }
        if self.needsUnconditional {
            requests += options.map { .loglikelihood(context: "", continuation: delimiter + $0) }
        }
        return PreparedSample(
            document, id: id, prompt: prompt, references: golds.map { options[$0] }, golds: golds, choices: options,
            requests)
    }

    /// What stands between prompt and choice.
    private func continuationDelimiter(_ style: PromptStyle) -> String {
        let delimiter = self.configuration.targetDelimiter
        guard style.template != nil else { return delimiter }
        // A chat template ends where the answer begins, unless the answer's beginning was given.
        guard let last = self.configuration.genPrefix?.unicodeScalars.last, !PythonText.isSpace(last) else { return "" }
        return delimiter
    }

    /// What is scored besides the texts that are generated; `nil` for most tasks.
    var continuation: String? {
        self.configuration.processResults.flatMap { BuiltinFunction.continuations[$0.name] }
    }

    /// Whether each choice's log-likelihood is wanted without a context.
    var needsUnconditional: Bool { self.configuration.metrics.contains { $0.metric == .accMutualInfo } }

    private func prompt(_ document: RenderedDocument, _ style: PromptStyle) throws(TaskError) -> String {
        guard case .one(let prompt) = try self.prompts.prompt(document, style) else {
            throw document.error(
                "doc_to_text gives a number; choices can be contexts only with output_type multiple_choice")
        }
        return prompt
    }

    /// The one text that is scored.
    private func target(_ document: RenderedDocument) throws(TaskError) -> String {
        let answer = try self.prompts.question.answer(document)
        guard answer.kind != "a list", answer != .null else {
            throw document.error("doc_to_target gives \(answer.kind); only one text can be scored here")
        }
        return PythonText.str(answer)
    }

    /// The texts that a generated one is compared with.
    private func targets(_ document: RenderedDocument) throws(TaskError) -> Targets {
        let format = self.prompts.question
        guard format.hasChoices else {
            return try format.targets(document, areLists: self.configuration.multipleTarget)
        }
        let options = try format.options(document)
        return Targets(texts: try format.golds(document, among: options).map { options[$0] })
    }
}

/// A document turned into prompts: everything about a sample that does not depend on the model's answers.
public struct PreparedSample: Sendable, Hashable {
    /// The data set's id column, or the row number.
    public var sampleID: String
    /// The row in the data set, from 0.
    public var row: Int
    /// The prompt as rendered (for multiple choice: the shared context; for rolling: the text).
    public var prompt: String
    /// The target in text; for multiple choice the first right choice's text.
    public var target: String
    /// Everything that is right, in text; at least one.
    public var references: [String]
    /// The same as generated texts are compared with it.
    var targets: Targets
    /// The right choices' indices in `choices`; empty unless the task is multiple choice.
    public var golds: [Int]
    /// The answer options without delimiter; empty unless the task is multiple choice.
    public var choices: [String]
    /// What the model is asked: for multiple choice one for each choice, and one more for each if the choices'
    /// log-likelihoods without a context are needed; one for the other output types.
    public var requests: [Request]
    /// Samples with the same one are not independent; `nil` where the task names no cluster key.
    public var cluster: String?
    /// The columns that a filter reads.
    var document: JSONValue

    init(
        _ document: RenderedDocument, id: String, prompt: String, references: [String], targets: Targets? = nil,
        golds: [Int] = [], choices: [String] = [], _ requests: [Request]
    ) {
        self.sampleID = id
        self.row = document.row
        self.prompt = prompt
        self.target = references.first ?? ""
        self.references = references
        self.targets = targets ?? Targets(texts: references)
        self.golds = golds
        self.choices = choices
        self.requests = requests
        self.document = document.value
    }
}

extension EvaluationTask {
    /// The sha256 of all that a model would be asked for some rows, 64 hexadecimal digits: equal hashes, equal prompts.
    public func promptHash(
        of dataSet: DataSet, rows: Range<Int>, style: PromptStyle = .plain
    ) throws(TaskError) -> String {
        var hasher = SHA256()
        for row in rows {
            for request in try self.prepare(try dataSet.document(at: row), style: style).requests {
                for text in request.hashedTexts {
                    // Lengths keep texts apart.
                    hasher.update(data: Array("\(text.utf8.count) ".utf8))
                    hasher.update(data: Array(text.utf8))
                }
            }
        }
        return hasher.finalize().hexadecimal
    }
}

extension Request {
    /// All that decides the answer.
    fileprivate var hashedTexts: [String] {
        switch self {
        case .loglikelihood(let context, let continuation): return ["loglikelihood", context, continuation]
        case .rolling(let text): return ["rolling", text]
        case .generate(let prompt, let stop, let maxTokens, let sampling, let constraint):
            let drawing = sampling.map { sampling in
                let rule = sampling.rule
                return
                    "\(rule.temperature) \(rule.topK ?? 0) \(rule.topP) \(rule.minP) \(sampling.stream.seed) "
                    + "\(sampling.stream.row) \(sampling.stream.repeat)"
            }
            return ["generate", prompt, String(maxTokens), drawing ?? "greedy"] + stop
                + (constraint.map { [$0.key, $0.text] } ?? [])
        }
    }
}
