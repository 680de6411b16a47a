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
