extension EvaluationTask {
    /// Turns a row into prompts and requests.
    ///
    /// - Throws: `TaskError` that names the row and the task file's key.
    public func prepare(_ document: Document) throws(TaskError) -> PreparedSample {
        let rendered = RenderedDocument(document)
        let id = try document.sampleID()
        let format = self.prompts.question
        let configuration = self.configuration
        func sample(
            _ prompt: String, target: String, gold: Int? = nil, choices: [String] = [], _ requests: [Request]
        ) -> PreparedSample {
            PreparedSample(
                sampleID: id, row: document.row, prompt: prompt, target: target, goldIndex: gold, choices: choices,
                requests: requests)
        }

        switch configuration.outputType {
        case .multipleChoice:
            let prompt = try self.prompts.prompt(rendered)
            let options = try format.options(rendered)
            let gold = try format.gold(rendered, among: options)
            let requests = options.map {
                Request.loglikelihood(context: prompt, continuation: configuration.targetDelimiter + $0)
            }
            return sample(prompt, target: options[gold], gold: gold, choices: options, requests)
        case .loglikelihood:
            let prompt = try self.prompts.prompt(rendered)
            let target = PythonText.str(try format.answer(rendered))
            return sample(prompt, target: target, [.loglikelihood(context: prompt, continuation: target)])
        case .loglikelihoodRolling:
            let text = PythonText.str(try format.answer(rendered))
            return sample(text, target: text, [.rolling(text: text)])
        case .generateUntil:
            let prompt = try self.prompts.prompt(rendered)
            let target: String
            if format.hasChoices {
                let options = try format.options(rendered)
                target = options[try format.gold(rendered, among: options)]
            } else {
                target = PythonText.str(try format.answer(rendered))
            }
            let generation = configuration.generation ?? .init(until: [], maxTokens: 256)
            return sample(
                prompt, target: target,
                [.generate(prompt: prompt, stop: generation.until, maxTokens: generation.maxTokens)])
        }
    }

    /// Turns rows into prompts, in order.
    public func prepare(_ documents: [Document]) throws(TaskError) -> [PreparedSample] {
        try documents.map { document throws(TaskError) in try self.prepare(document) }
    }

    /// Refuses a data set in which two rows would have the same sample id.
    public func checkSampleIDs(in dataSet: DataSet) throws(TaskError) { try dataSet.checkSampleIDs() }
}
