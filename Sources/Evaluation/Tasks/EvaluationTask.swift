internal import Crypto

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
        self.taskHash = SHA256.hash(data: Array(self.canonicalJSON.utf8)).hexadecimal
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
