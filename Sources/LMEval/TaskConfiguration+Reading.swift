internal import ConfigFile
internal import Datasets
public import Evaluation
internal import JSON
internal import Jinja
internal import OrderedCollections
internal import PythonCompat

extension TaskConfiguration {
    /// Reads a task file.
    ///
    /// - Throws: `TaskError` with file, line and column.
    public static func load(path: String) throws(TaskError) -> TaskConfiguration {
        try TaskConfiguration(root: try ConfigurationNode.load(path: path), file: path)
    }

    /// Reads a task file's text; `file` names it in messages, and files that it includes or uses stand beside it.
    public init(yaml: String, file: String) throws(TaskError) {
        try self.init(root: try ConfigurationNode(yaml: yaml, file: file), file: file)
    }

    private init(root: ConfigurationNode, file: String) throws(TaskError) {
        if let group = root.groupName {
            throw root.error(
                .invalidValue,
                "this is the group \(group), whose tasks have files of their own; name one of those, or put the group into a "
                    + "job file")
        }
        let node = try root.includingOthers()
        try self.init(try node.expandingClass(), file: file, isResolved: false)
        self.notes = node.notes + self.notes
    }

    /// `isResolved`: the node is canonical JSON, which has few-shot examples but no data files.
    init(_ node: ConfigurationNode, file: String, isResolved: Bool) throws(TaskError) {
        var reader = try MappingReader(node, name: "the task")
        self.file = file
        self.notes = []
        guard let name = try reader.string("task"), !name.isEmpty else {
            throw reader.missing("task", "give the task a name")
        }
        self.name = name
        self.alias = try reader.string("task_alias")
        self.tags = try reader.strings("tag") ?? []
        self.outputType = try reader.choice("output_type", of: OutputType.self) ?? .generateUntil
        self.trainingSplit = try reader.string("training_split")
        self.validationSplit = try reader.string("validation_split")
        self.testSplit = try reader.string("test_split")
        (self.dataReading, self.dataFiles, self.dataSet) =
            isResolved
            ? (try DataReading(resolved: &reader), [:], nil) : try Self.dataSource(&reader, notes: &self.notes)

        self.processDocs = try reader.function("process_docs")
        self.processResults = try reader.function("process_results")
        guard let docToText = try reader.field("doc_to_text") ?? (self.outputType.readsNoText ? .text("") : nil) else {
            throw reader.missing("doc_to_text", "it makes a prompt of a row, such as \"Question: {{question}}\"")
        }
        self.docToText = docToText
        guard let docToTarget = try reader.target("doc_to_target") else {
            throw reader.missing("doc_to_target", "it gives a row's answer: a column, a template or a number")
        }
        self.docToTarget = docToTarget
        self.docToChoice = try reader.choices("doc_to_choice")
        if self.outputType == .multipleChoice, self.docToChoice == nil {
            throw reader.missing("doc_to_choice", "it gives a row's answer options as a list")
        }
        self.multipleInput = try reader.boolean("multiple_input")
        self.multipleTarget = try reader.boolean("multiple_target")
        self.taskDescription = try reader.template("description") ?? ""
        self.targetDelimiter = try reader.string("target_delimiter") ?? " "
        self.fewShotDelimiter = try reader.string("fewshot_delimiter") ?? "\n\n"
        self.genPrefix = try reader.template("gen_prefix")
        self.fewShot = try FewShot(&reader, isResolved: isResolved, processDocs: self.processDocs)
        if self.fewShot.indices != nil, !isResolved {
            self.notes.append("fewshot_indices chooses the rows of examples; lm-eval 0.4.13 does not read it")
        }
        self.generation = try Generation(
            &reader, outputType: self.outputType, fewShotDelimiter: self.fewShotDelimiter, notes: &self.notes)
        self.filters = try FilterPipeline.list(&reader, outputType: self.outputType)
        self.metrics = try MetricConfiguration.list(
            &reader, outputType: self.outputType, isNative: self.processResults != nil, notes: &self.notes)
        self.shouldDecontaminate = try reader.boolean("should_decontaminate") ?? false
        self.decontaminationQuery = try reader.template("doc_to_decontamination_query")
        let metadata = reader.node("metadata")
        self.metadata = metadata?.value.storable ?? .object([:])
        if let key = self.metadata["cluster_key"], key.string == nil, let metadata {
            throw metadata.error(.invalidValue, "cluster_key is \(key.kind); it must be a column's name")
        }
        self.repeats = try reader.integer("repeats", in: 1...10_000) ?? 1
        self.epochs = try reader.integer("epochs", in: 1...1000) ?? 1
        self.runsCode = try reader.boolean("unsafe_code") ?? false
        try self.checkCode(reader)
        try self.checkRepeats(reader)
        try reader.finish(refused: Self.refusedKeys)
        try self.checkSplits(reader, isResolved: isResolved)
        if self.fewShot.count > 0, self.fewShot.samples == nil, !self.dropsOwnDocument,
            self.fewShotSplit == self.evaluationSplit
        {
            self.notes.append(
                "a row may be among its own few-shot examples, as in lm-eval; make \(self.evaluationSplit) the "
                    + "test_split and the fewshot_split to leave it out")
        }
    }

    private static let refusedKeys = [
        "process_docs": "name a function that is built in, or prepare the data file",
        "process_results": "name a function that is built in, or use the metrics in metric_list",
        "custom_dataset": "it runs Python code; give a file in dataset_kwargs.data_files",
        "dataset_name": "files have no configurations; remove the key or set it to null",
        "use_prompt": "promptsource prompts are not available; write doc_to_text",
        "doc_to_image": "only text is evaluated",
        "doc_to_audio": "only text is evaluated",
        "class": "name a class that is built in, or write what it does in keys",
        "group": "this is a task, not a group; submit several tasks in one job file",
        "include": "it was resolved already",
    ]

    /// Reads where the rows are: in files, or in a data set that is registered by name.
    private static func dataSource(
        _ reader: inout MappingReader, notes: inout [String]
    ) throws(TaskError) -> (DataReading, files: OrderedDictionary<String, [String]>, dataSet: DataSetReference?) {
        guard let path = reader.node("dataset_path") else {
            throw reader.missing(
                "dataset_path",
                "write the name of a data set that `assay dataset list` shows, or json or csv with the files in "
                    + "dataset_kwargs.data_files")
        }
        guard case .scalar(.string(let name)) = path.content, !name.isEmpty else {
            throw reader.wrong("dataset_path", path, "json, csv or the name of a registered data set")
        }
        guard DataSetReference.fileFormats.contains(name) else {
            return (DataReading(), [:], try DataSetReference(name, &reader, notes: &notes))
        }
        guard let format = DataReading.Format(rawValue: name) else {
            throw path.error(
                .unsupported,
                "dataset_path is \(path.found), which is not read; make JSON Lines of the files, and write json and the "
                    + "new files here")
        }
        guard let arguments = reader.node("dataset_kwargs") else {
            throw reader.missing(
                "dataset_kwargs", "it names the data files, such as data_files: {test: questions.jsonl}")
        }
        let (reading, files) = try DataReading.read(format, arguments)
        return (reading, files, nil)
    }

    private func checkSplits(_ reader: MappingReader, isResolved: Bool) throws(TaskError) {
        guard !self.evaluationSplit.isEmpty else {
            throw reader.missing("test_split", "name the split that is evaluated here or in validation_split")
        }
        if isResolved || self.dataSet != nil { return }
        var splits = [self.evaluationSplit]
        if self.fewShot.count > 0, let split = self.fewShotSplit { splits.append(split) }
        for split in splits where self.dataFiles[split] == nil {
            let known = self.dataFiles.keys.sorted().joined(separator: ", ")
            throw reader.place.error(
                .invalidValue,
                "the split \(split) has no file; data_files names \(known) (one file without a split is train)")
        }
    }
}

extension OutputType {
    fileprivate var readsNoText: Bool { self == .loglikelihoodRolling }
}

extension JSONValue {
    /// With texts in place of numbers that are not finite, so that every reader of JSON can read it.
    fileprivate var storable: JSONValue {
        switch self {
        case .date: .string(PythonText.str(self))
        case .double(let number) where !number.isFinite: .string(PythonText.str(self))
        case .array(let items): .array(items.map(\.storable))
        case .object(let members): .object(members.mapValues(\.storable))
        default: self
        }
    }
}

extension TaskConfiguration.FewShot {
    init(
        _ reader: inout MappingReader, isResolved: Bool, processDocs: BuiltinFunction?
    ) throws(TaskError) {
        let count = try reader.integer("num_fewshot", in: 0...1000)
        self.count = count ?? 0
        self.isNone = count == 0 && !isResolved
        self.split = try reader.string("fewshot_split")
        guard let node = reader.node("fewshot_config") else { return }
        var inner = try MappingReader(node, name: "fewshot_config")
        self.sampler = try inner.choice("sampler", of: Sampler.self) ?? .random
        // As in lm-eval, a key without a value takes away what the task says.
        for key in ["target_delimiter", "fewshot_delimiter", "doc_to_choice", "process_docs"] where inner.isNull(key) {
            guard key == "doc_to_choice" || processDocs != nil || key != "process_docs" else { continue }
            throw node.error(
                .unsupported,
                "fewshot_config has \(key) without a value, so that examples would have none; leave it out")
        }
        let hasNoPrefix = inner.isNull("gen_prefix")
        if inner.isNull("split") { self.split = nil }
        self.split = try inner.string("split") ?? self.split
        if let seed = try inner.integer("seed", in: 0...Int.max) { self.seed = UInt64(seed) }
        self.samples = try Self.samples(&inner)
        self.indices = try Self.indices(&inner)
        self.docToText = try inner.field("doc_to_text")
        self.docToTarget = try inner.target("doc_to_target")
        self.docToChoice = try inner.choices("doc_to_choice")
        self.genPrefix = try inner.template("gen_prefix") ?? (hasNoPrefix ? "" : nil)
        self.targetDelimiter = try inner.string("target_delimiter")
        self.delimiter = try inner.string("fewshot_delimiter")
        if isResolved { self.pool = try TaskConfiguration.Pool(&inner) }
        if let function = try inner.function("process_docs") {
            guard function == processDocs else {
                throw node.error(
                    .unsupported,
                    "fewshot_config has a process_docs of its own; only the task's can be applied to examples")
            }
        }
        try inner.finish(refused: ["process_docs": "Assay runs no Python; prepare the data file instead"])
        // As in lm-eval, a split comes before listed samples.
        if self.split != nil, !isResolved { self.samples = nil }
        if let samples = self.samples, samples.count < self.count {
            throw node.error(
                .invalidValue, "num_fewshot is \(self.count), but fewshot_config lists \(samples.count) samples")
        }
    }

    private static func samples(_ reader: inout MappingReader) throws(TaskError) -> [JSONValue]? {
        guard let nodes = try reader.list("samples") else { return nil }
        var samples: [JSONValue] = []
        for node in nodes {
            guard case .mapping = node.content else {
                throw reader.wrong("samples", node, "a list of rows (column: value)")
            }
            try Self.checkKeys(of: node)
            samples.append(node.value)
        }
        return samples
    }

    /// A mapping with keys that are no texts would print them as texts.
    private static func checkKeys(of node: ConfigurationNode) throws(TaskError) {
        switch node.content {
        case .mapping(let members):
            for member in members {
                guard member.isText else {
                    throw member.place.error(
                        .unsupported, "the key \(member.key) of a sample is no text for YAML; put it in quotes")
                }
                try Self.checkKeys(of: member.node)
            }
        case .list(let nodes): for node in nodes { try Self.checkKeys(of: node) }
        case .scalar, .function: break
        }
    }

    private static func indices(_ reader: inout MappingReader) throws(TaskError) -> [Int]? {
        guard let nodes = try reader.list("fewshot_indices"), !nodes.isEmpty else { return nil }
        var indices: [Int] = []
        for node in nodes {
            guard case .scalar(.int(let index)) = node.content, index >= 0 else {
                throw reader.wrong("fewshot_indices", node, "a list of row numbers, from 0")
            }
            indices.append(index)
        }
        return indices
    }
}

extension TaskConfiguration.Pool {
    fileprivate init?(_ reader: inout MappingReader) throws(TaskError) {
        guard let node = reader.node("pool") else { return nil }
        var inner = try MappingReader(node, name: "pool")
        guard let sha256 = try inner.string("sha256") else { throw inner.missing("sha256", "name the data set") }
        guard let rows = try inner.integer("rows", in: 0...Int.max) else { throw inner.missing("rows", "count them") }
        try inner.finish()
        self.init(sha256: sha256, rows: rows)
    }
}

extension TaskConfiguration.Generation {
    /// `nil` unless the task generates.
    init?(
        _ reader: inout MappingReader, outputType: OutputType, fewShotDelimiter: String, notes: inout [String]
    ) throws(TaskError) {
        self.init(until: [fewShotDelimiter], maxTokens: 256)
        guard let node = reader.node("generation_kwargs") else {
            if outputType == .generateUntil { return }
            return nil
        }
        guard outputType == .generateUntil else {
            throw node.error(
                .invalidValue, "generation_kwargs is for output_type generate_until, not \(outputType.rawValue)")
        }
        var inner = try MappingReader(node, name: "generation_kwargs")
        if let until = try inner.strings("until") {
            guard !until.contains("") else {
                throw node.error(.invalidValue, "until has an empty string, at which every text would end")
            }
            self.until = until
        }
        for key in ["max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens"].reversed() {
            if let limit = try inner.integer(key, in: 1...1_000_000, readsText: true) { self.maxTokens = limit }
        }
        self.sampling = try Sampling(&inner, notes: &notes)
        self.constraint = try TextConstraint(&inner)
        if let beams = inner.node("num_beams"), beams.value != .int(1) {
            throw beams.error(.unsupported, "num_beams is \(beams.found); beam search is not available, it must be 1")
        }
        for (key, neutral) in ["repetition_penalty": 1.0, "presence_penalty": 0, "frequency_penalty": 0] {
            guard let node = inner.node(key), node.value != .int(Int(neutral)), node.value != .double(neutral) else {
                continue
            }
            throw node.error(.unsupported, "\(key) is \(node.found); penalties are not available, leave it out")
        }
        try inner.finish(refused: ["max_length": "use max_gen_toks"])
    }
}

extension Sampling {
    /// `nil` if the most likely tokens are taken.
    fileprivate init?(_ reader: inout MappingReader, notes: inout [String]) throws(TaskError) {
        let draws = try reader.boolean("do_sample")
        let node = reader.node("temperature")
        let temperature = try node.map { node throws(TaskError) in
            // YAML takes 1e-1 for a text, which lm-eval turns into a number.
            if let number = node.value.string.flatMap(PythonNumber.float) { return number }
            return try reader.number("temperature", node)
        }
        let topK = reader.node("top_k")
        let topP = reader.node("top_p")
        let minP = reader.node("min_p")
        let seed = try reader.integer("seed", in: 0...Int.max)
        guard draws ?? ((temperature ?? 0) > 0) else {
            if temperature ?? 0 > 0 || topK != nil || topP != nil || minP != nil {
                notes.append(
                    "do_sample is \(draws == false ? "false" : "not set"), so temperature and top_p have no effect")
            }
            return nil
        }
        guard let temperature, temperature > 0, temperature <= 100 else {
            throw (node?.place ?? reader.place).error(
                .invalidValue, "do_sample is true, so temperature must be above 0 and at most 100")
        }
        self.init(temperature: temperature)
        if let seed { self.seed = UInt64(seed) }
        if let topK {
            // 0 and -1 stand for all in the engines that task files were written for.
            guard case .int(let count) = topK.value, (-1...1_000_000).contains(count) else {
                throw reader.wrong("top_k", topK, "an integer from 1, or 0 for all")
            }
            self.topK = count < 1 ? nil : count
        }
        if let topP {
            self.topP = try reader.number("top_p", topP)
            guard self.topP > 0, self.topP <= 1 else { throw reader.wrong("top_p", topP, "above 0 and at most 1") }
        }
        if let minP {
            self.minP = try reader.number("min_p", minP)
            guard (0...1).contains(self.minP) else { throw reader.wrong("min_p", minP, "from 0 to 1") }
        }
    }
}

extension MappingReader {
    fileprivate func number(_ key: String, _ node: ConfigurationNode) throws(TaskError) -> Double {
        switch node.value {
        case .int(let number): return Double(number)
        case .double(let number): return number
        default: throw self.wrong(key, node, "a number")
        }
    }
}

extension MappingReader {
    /// A function that is built in; a key with something else is left alone.
    mutating func function(_ key: String) throws(TaskError) -> BuiltinFunction? {
        guard let node = self.peek(key), let reference = node.functionReference else { return nil }
        _ = self.node(key)
        return try BuiltinFunction.named(reference, at: node.place)
    }

    /// A column's name or a template that can be parsed, or a function.
    mutating func field(_ key: String) throws(TaskError) -> TaskConfiguration.Field? {
        if let function = try self.function(key) { return .function(function) }
        return try self.template(key).map { .text($0) }
    }

    /// A column's name or a template that can be parsed.
    mutating func template(_ key: String) throws(TaskError) -> String? {
        guard let node = self.node(key) else { return nil }
        guard case .scalar(.string(let text)) = node.content else {
            throw self.wrong(key, node, "a column's name or a template")
        }
        try Self.checkTemplate(text, key, node)
        return text
    }

    mutating func target(_ key: String) throws(TaskError) -> TaskConfiguration.Target? {
        if let function = try self.function(key) { return .function(function) }
        guard let node = self.node(key) else { return nil }
        switch node.content {
        case .scalar(.int(let number)): return .number(number)
        case .scalar(.string(let text)):
            try Self.checkTemplate(text, key, node)
            return .text(text)
        case .list(let nodes):
            let items = nodes.map(\.value)
            guard !items.isEmpty, items.allSatisfy({ ["a string", "an integer"].contains($0.kind) }) else {
                throw self.wrong(key, node, "a list of texts or numbers, any of which is right")
            }
            return .list(items)
        default: throw self.wrong(key, node, "a column's name, a template or a number")
        }
    }

    mutating func choices(_ key: String) throws(TaskError) -> TaskConfiguration.Choices? {
        if let function = try self.function(key) { return .function(function) }
        guard let node = self.node(key) else { return nil }
        var nodes: [ConfigurationNode] = []
        switch node.content {
        case .scalar(.string(let text)):
            try Self.checkTemplate(text, key, node)
            return .text(text)
        case .list(let items): nodes = items
        // As in lm-eval, a mapping stands for its values.
        case .mapping(let members): nodes = members.map(\.node)
        default: throw self.wrong(key, node, "a column's name, a template or a list of strings")
        }
        var choices: [String] = []
        for node in nodes {
            guard case .scalar(.string(let text)) = node.content, !text.isEmpty else {
                throw self.wrong(key, node, "a list of strings that are not empty; quote numbers, yes and no")
            }
            choices.append(text)
        }
        guard !choices.isEmpty else { throw node.error(.invalidValue, "\(key) is an empty list") }
        return .list(choices)
    }

    private static func checkTemplate(_ text: String, _ key: String, _ node: ConfigurationNode) throws(TaskError) {
        do throws(JinjaError) {
            _ = try Template(text)
        } catch {
            throw node.error(.invalidTemplate, "\(key): \(error)")
        }
    }
}
