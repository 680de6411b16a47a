extension TaskConfiguration.FewShot {
    init(_ reader: inout MappingReader, isResolved: Bool) throws(TaskError) {
        self.count = try reader.integer("num_fewshot", in: 0...1000) ?? 0
        let split = try reader.string("fewshot_split")
        guard let node = reader.node("fewshot_config") else {
            self.split = split
            guard self.count == 0 else { throw Self.randomSampler(reader.place) }
            return
        }
        var inner = try MappingReader(node, name: "fewshot_config")
        let sampler = try inner.string("sampler") ?? "default"
        self.split = try inner.string("split") ?? split
        if let nodes = try inner.list("samples") {
            guard self.split == nil || isResolved else {
                throw node.error(.invalidValue, "fewshot_config has samples and a split; remove one of them")
            }
            var samples: [JSONValue] = []
            for node in nodes {
                guard case .mapping = node.content else {
                    throw inner.wrong("samples", node, "a list of rows (column: value)")
                }
                samples.append(node.value)
            }
            self.samples = samples
        }
        self.docToText = try inner.template("doc_to_text")
        self.docToTarget = try inner.target("doc_to_target")
        self.docToChoice = try inner.choices("doc_to_choice")
        self.targetDelimiter = try inner.string("target_delimiter")
        self.delimiter = try inner.string("fewshot_delimiter")
        try inner.finish(refused: [
            "process_docs": "it runs Python code; prepare the data file instead",
            "fewshot_indices": "put the rows you want first in the file, or list them as samples",
            "gen_prefix": "put the text at the end of doc_to_text",
        ])
        guard self.count == 0 || sampler == "first_n" else { throw Self.randomSampler(node.place) }
        if let samples = self.samples, samples.count < self.count {
            throw node.error(
                .invalidValue, "num_fewshot is \(self.count), but fewshot_config lists \(samples.count) samples")
        }
    }

    private static func randomSampler(_ place: ConfigurationNode.Place) -> TaskError {
        place.error(
            .unsupported,
            "num_fewshot is above 0 with lm-eval's random sampler, which is not supported yet; add "
                + "fewshot_config: {sampler: first_n}")
    }
}
