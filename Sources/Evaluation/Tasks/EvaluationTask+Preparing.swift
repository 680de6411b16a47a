internal import PythonCompat

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
        self.configuration.processResults.flatMap { NativeFunction.continuations[$0.name] }
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
