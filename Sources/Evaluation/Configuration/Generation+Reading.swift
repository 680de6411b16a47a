extension TaskConfiguration.Generation {
    /// `nil` unless the task generates.
    init?(
        _ reader: inout MappingReader, outputType: OutputType, fewShotDelimiter: String
    ) throws(TaskError) {
        self.until = [fewShotDelimiter]
        self.maxTokens = 256
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
            if let limit = try inner.integer(key, in: 1...1_000_000) { self.maxTokens = limit }
        }
        let greedy = "only greedy answers are supported: set do_sample to false and temperature to 0"
        if let sample = inner.node("do_sample"), sample.value != .bool(false) {
            throw sample.error(.unsupported, "do_sample is \(sample.found); \(greedy)")
        }
        if let temperature = inner.node("temperature"), ![.int(0), .double(0)].contains(temperature.value) {
            throw temperature.error(.unsupported, "temperature is \(temperature.found); \(greedy)")
        }
        let sampling = "it is for sampling; \(greedy)"
        try inner.finish(refused: [
            "top_p": sampling, "top_k": sampling, "min_p": sampling, "seed": sampling, "num_beams": sampling,
            "repetition_penalty": sampling, "presence_penalty": sampling, "frequency_penalty": sampling,
            "max_length": "use max_gen_toks",
        ])
    }
}
