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

extension DataReading {
    /// Reads `dataset_kwargs` of files: which they are, and how they are read.
    static func read(
        _ format: Format, _ arguments: ConfigurationNode
    ) throws(TaskError) -> (DataReading, files: OrderedDictionary<String, [String]>) {
        var reader = try MappingReader(arguments, name: "dataset_kwargs")
        let example = "such as data_files: {test: questions.jsonl}"
        guard let files = reader.node("data_files") else { throw reader.missing("data_files", "write it \(example)") }
        var reading = DataReading(format: format)
        reading.typing = try reader.choice("typing", of: Typing.self) ?? .datasets
        switch format {
        case .json: reading.field = try reader.string("field")
        case .csv: try reading.dialect.read(&reader)
        }
        // What the loaders would do anyway.
        if let encoding = reader.node("encoding") {
            guard case .scalar(.string(let name)) = encoding.content,
                ["utf8", "utf8sig", "utf16"].contains(name.lowercased().filter { $0 != "-" && $0 != "_" })
            else {
                throw reader.wrong(
                    "encoding", encoding, "utf-8 or utf-16; convert other files (iconv -f LATIN1 -t UTF-8)")
            }
        }
        try reader.finish(refused: [
            "data_dir": "name the files in data_files", "features": "columns are typed by their values",
        ])
        switch files.content {
        // Files without a split are the split "train", as in the library that lm-eval uses.
        case .scalar, .list: return (reading, ["train": try Self.paths(files, "data_files")])
        case .mapping(let members):
            var paths: OrderedDictionary<String, [String]> = [:]
            for member in members { paths[member.key] = try Self.paths(member.node, "the split \(member.key)") }
            return (reading, paths)
        case .function:
            throw files.error(
                .invalidValue, "data_files is \(files.found); it must be a path or split: path, \(example)")
        }
    }

    /// One file's path, or several.
    private static func paths(_ node: ConfigurationNode, _ name: String) throws(TaskError) -> [String] {
        let nodes = if case .list(let nodes) = node.content { nodes } else { [node] }
        var paths: [String] = []
        for node in nodes {
            guard case .scalar(.string(let path)) = node.content, !path.isEmpty else {
                throw node.error(.invalidValue, "\(name) is \(node.found); it must be a file's path, or a list of such")
            }
            paths.append(path)
        }
        guard !paths.isEmpty else { throw node.error(.invalidValue, "\(name) names no file") }
        return paths
    }

    /// Reads what canonical JSON says of how the rows were made.
    init(resolved reader: inout MappingReader) throws(TaskError) {
        self.init()
        guard let arguments = reader.node("dataset_kwargs") else { return }
        var reader = try MappingReader(arguments, name: "dataset_kwargs")
        self.typing = try reader.choice("typing", of: Typing.self) ?? .datasets
        try reader.finish()
    }
}

extension CSVDialect {
    /// Reads those arguments of pandas' `read_csv` that are known here.
    mutating func read(_ reader: inout MappingReader) throws(TaskError) {
        for key in ["sep", "delimiter"] {
            guard let node = reader.node(key) else { continue }
            guard case .scalar(.string(let text)) = node.content, text.utf8.count == 1, let byte = text.utf8.first,
                byte < 0x80, ![UInt8(ascii: "\""), UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0].contains(byte)
            else { throw reader.wrong(key, node, "one character, such as \",\", \";\" or \"\\t\"") }
            self.separator = byte
        }
        if let keeps = try reader.boolean("keep_default_na") {
            (self.hasNullWords, self.hasEmptyNulls) = (keeps, keeps)
        }
        if try reader.boolean("na_filter") == false { (self.hasNullWords, self.hasEmptyNulls) = (false, false) }
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

extension MetricConfiguration {
    static func list(
        _ reader: inout MappingReader, outputType: OutputType, isNative: Bool, notes: inout [String]
    ) throws(TaskError) -> [MetricConfiguration] {
        guard let nodes = try reader.list("metric_list") else { return outputType.defaultMetrics.map(Self.init) }
        var metrics: [MetricConfiguration] = []
        for node in nodes {
            let entries: [MetricConfiguration]
            if let programs = try isNative ? nil : Self.ofPrograms(node) {
                guard reader.peek("unsafe_code")?.value == .bool(true) else {
                    throw node.error(
                        .invalidValue,
                        "this metric runs programs that the model writes; allow it with unsafe_code: true")
                }
                entries = programs
            } else {
                entries = [
                    try MetricConfiguration(node, outputType: outputType, isNative: isNative, notes: &notes)
                ]
            }
            for metric in entries {
                guard !metrics.contains(where: { $0.metric == metric.metric }) else {
                    throw node.error(.invalidValue, "the metric \(metric.metric.rawValue) is there twice")
                }
                metrics.append(metric)
            }
        }
        guard !metrics.isEmpty else { throw reader.missing("metric_list", "name at least one metric") }
        return metrics
    }

    /// What humaneval's function gives: pass@k for every k; `nil` for an entry that names no function.
    private static func ofPrograms(_ node: ConfigurationNode) throws(TaskError) -> [MetricConfiguration]? {
        var reader = try MappingReader(node, name: "an entry of metric_list")
        guard let function = try reader.function("metric") else { return nil }
        guard function.name == BuiltinFunction.passAtK else {
            throw node.error(.unsupported, "\(function.name) computes no metric of metric_list")
        }
        guard let list = reader.node("k") else { throw reader.missing("k", "say how many texts count, such as k: [1]") }
        let nodes = if case .list(let nodes) = list.content { nodes } else { [list] }
        let metrics = try nodes.map { item throws(TaskError) in
            guard case .int(let count) = item.value, (1...10_000).contains(count) else {
                throw reader.wrong("k", item, "an integer from 1 to 10000, or a list of such")
            }
            return MetricConfiguration(.pass(at: count))
        }
        for key in ["aggregation", "higher_is_better"] { _ = reader.node(key) }
        try reader.finish()
        return metrics
    }

    /// - Parameter isNative: A function gives the metrics, under names of its own.
    private init(
        _ node: ConfigurationNode, outputType: OutputType, isNative: Bool, notes: inout [String]
    ) throws(TaskError) {
        var reader = try MappingReader(node, name: "an entry of metric_list")
        if isNative {
            self = try Self.native(&reader, outputType: outputType)
            try reader.finish()
            return
        }
        guard let metric = try reader.choice("metric", of: Metric.self) else {
            throw reader.missing("metric", "name a metric")
        }
        guard outputType.has(metric) else {
            let names = outputType.metrics.map(\.rawValue).joined(separator: ", ")
            throw node.error(
                .invalidValue, "\(outputType.rawValue) has no metric \(metric.rawValue); it has \(names)")
        }
        self.init(metric)
        if let aggregation = try reader.choice("aggregation", of: Aggregation.self) {
            guard metric.aggregations.contains(aggregation) else {
                let names = metric.aggregations.map(\.rawValue).joined(separator: " or ")
                throw node.error(
                    .unsupported, "\(metric.rawValue) can't be aggregated by \(aggregation.rawValue), only by \(names)")
            }
            self.aggregation = aggregation
        }
        self.higherIsBetter = try reader.boolean("higher_is_better") ?? metric.higherIsBetter
        if let node = reader.node("hf_evaluate"), node.value != .bool(false) {
            throw node.error(.unsupported, "hf_evaluate loads Python code; name one of the metrics that are built in")
        }
        if metric.comparesTexts, outputType == .generateUntil {
            self.normalization = try ExactMatchNormalization(&reader)
        }
        // lm-eval passes these on to every metric, and the others take no notice.
        for key in [
            "ignore_case", "ignore_punctuation", "ignore_numbers", "regexes_to_ignore", "weight_by_size", "average",
        ]
        where reader.node(key) != nil {
            notes.append("\(key) has no effect on \(metric.rawValue), as in lm-eval")
        }
        try reader.finish()
    }

    /// A metric whose values a function gives: one of ours where the aggregation is, else a mean.
    private static func native(
        _ reader: inout MappingReader, outputType: OutputType
    ) throws(TaskError) -> MetricConfiguration {
        guard let name = try reader.string("metric"), !name.isEmpty else {
            throw reader.missing("metric", "name a metric")
        }
        let aggregation = try Self.aggregation(&reader)
        var metric = MetricConfiguration(.native(name))
        if aggregation == .weightedMean || aggregation == .bestThreshold, let aggregation {
            // Only functions that are built in give values for these.
            metric.aggregation = aggregation
        } else if let known = Metric(rawValue: name), known.isHealth, outputType.has(known) {
            metric = MetricConfiguration(known)
        } else if let known = Metric(rawValue: name), outputType.has(known),
            aggregation == nil || known.aggregations[0] == aggregation
        {
            // Without an aggregation the metric's own is meant, as in lm-eval.
            metric = MetricConfiguration(known)
        } else if let aggregation, aggregation != .mean {
            throw reader.place.error(.unsupported, "\(name) can be aggregated by mean, not by \(aggregation.rawValue)")
        }
        metric.higherIsBetter = try reader.boolean("higher_is_better") ?? metric.higherIsBetter
        return metric
    }

    /// An aggregation by name, or by a function that is built in.
    private static func aggregation(_ reader: inout MappingReader) throws(TaskError) -> Aggregation? {
        guard let node = reader.peek("aggregation"), case .function(let reference) = node.content else {
            return try reader.choice("aggregation", of: Aggregation.self)
        }
        _ = reader.node("aggregation")
        let function = try BuiltinFunction.named(reference, at: node.place)
        guard let aggregation = BuiltinFunction.aggregations[function.name] else {
            throw node.error(.unsupported, "!function \(reference) puts no values together")
        }
        return aggregation
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
