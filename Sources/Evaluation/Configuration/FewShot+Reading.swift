extension TaskConfiguration.FewShot {
    init(
        _ reader: inout MappingReader, isResolved: Bool, processDocs: NativeFunction?
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
