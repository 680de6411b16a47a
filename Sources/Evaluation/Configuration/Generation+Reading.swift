internal import PythonCompat

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
