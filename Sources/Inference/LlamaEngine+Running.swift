public import Evaluation
internal import Llama

/// Log-likelihoods.
extension LlamaEngine {
    /// Answers all scoring requests.
    func score(
        _ requests: [EngineRequest], into responses: inout [EngineResponse?], meter: inout ProgressMeter
    ) throws(EngineError) {
        let scored = requests.enumerated().compactMap { index, request -> (index: Int, request: ScoringRequest)? in
            if case .score(let request) = request { (index, request) } else { nil }
        }
        guard !scored.isEmpty else { return }
        let plan = BatchPlan(scored.map(\.request), limits: self.settings.limits)
        let longest = scored.map(\.request.tokens.count).max() ?? 0
        let context = try self.emptyContext(self.settings.scoringShape(longest: longest))
        var board = ScoreBoard(scored.map(\.request))
        for step in plan.steps {
            try self.checkCancellation()
            let finished = try translatingErrors { () throws(LlamaError) in
                try context.perform(step, board: &board)
            }
            if let request = board.notFinite {
                throw EngineError(
                    .notFinite, "the model's output is not a number; the model or its quantization is damaged",
                    requestIndex: scored[request].index)
            }
            for request in finished {
                responses[scored[request].index] = .score(board.answer(request))
            }
            guard let batch = step.batch else { continue }
            meter.update {
                $0.requestsDone += finished.count
                $0.computedTokens += batch.tokens.count
            }
        }
        meter.update { $0.savedTokens += plan.usefulTokens - plan.computedTokens }
    }
}

extension LlamaContext {
    /// Performs one step of a plan; returns the requests whose last token was scored in it.
    fileprivate func perform(_ step: BatchPlan.Step, board: inout ScoreBoard) throws(LlamaError) -> [Int] {
        switch step {
        case .trimTrunk(let length):
            try self.truncate(sequence: 0, from: length)
            return []
        case .extendTrunk(let batch):
            return try self.compute(batch, board: &board)
        case .pack(let batch, let sequenceCount):
            let branches = 1...Int32(sequenceCount)
            if let first = batch.positions.first, first > 0 {
                for branch in branches { try self.copy(sequence: 0, to: branch) }
            }
            let finished = try self.compute(batch, board: &board)
            for branch in branches { try self.truncate(sequence: branch) }
            return finished
        }
    }

    private func compute(_ plan: BatchPlan.Batch, board: inout ScoreBoard) throws(LlamaError) -> [Int] {
        var batch = LlamaBatch()
        for index in plan.tokens.indices {
            batch.append(
                plan.tokens[index], position: plan.positions[index], sequences: plan.sequences[index],
                wantsOutput: plan.wantsOutput[index])
        }
        try self.decode(batch)
        var finished: [Int] = []
        var targets = plan.targets[...]
        while let first = targets.first {
            // All targets of one output: choices that begin alike.
            let group = targets.prefix { $0.index == first.index }
            targets = targets.dropFirst(group.count)
            let isFinite = try self.withDistribution(after: first.index) { distribution in
                for target in group where board.record(target, distribution) { finished.append(target.request) }
                return true
            }
            if isFinite == nil { board.notFinite = first.request }
        }
        return finished
    }
}

/// The scores of a shard as they come in.
struct ScoreBoard {
    private var logProbs: [[Float]]
    private var isGreedy: [Bool]
    private var missing: [Int]
    /// A request for which the model's output was not finite.
    var notFinite: Int?

    init(_ requests: [ScoringRequest]) {
        self.missing = requests.map { $0.tokens.count - $0.scoredFrom }
        self.logProbs = self.missing.map { Array(repeating: 0, count: $0) }
        self.isGreedy = Array(repeating: true, count: requests.count)
    }

    /// Notes one token's score; returns whether it was its request's last.
    mutating func record(_ target: BatchPlan.Target, _ distribution: borrowing Distribution) -> Bool {
        self.logProbs[target.request][target.position] = distribution.logProb(of: target.token)
        if distribution.mostLikely != target.token { self.isGreedy[target.request] = false }
        self.missing[target.request] -= 1
        return self.missing[target.request] == 0
    }

    func answer(_ request: Int) -> ScoredContinuation {
        ScoredContinuation(tokenLogProbs: self.logProbs[request], isGreedy: self.isGreedy[request])
    }
}

/// Generation of many texts at once.
extension LlamaEngine {
    /// Answers all generation requests; equal ones are computed once.
    func generate(
        _ requests: [EngineRequest], into responses: inout [EngineResponse?], meter: inout ProgressMeter
    ) throws(EngineError) {
        var texts: [GenerationRequest] = []
        /// For each text, the requests that it answers.
        var askers: [[Int]] = []
        var known: [GenerationRequest: Int] = [:]
        for (index, request) in requests.enumerated() {
            guard case .generate(let request) = request else { continue }
            if let text = known[request] {
                askers[text].append(index)
            } else {
                known[request] = texts.count
                texts.append(request)
                askers.append([index])
            }
        }
        let grammars = try self.grammars(of: texts, askers)
        guard let longest = texts.map({ $0.prompt.count + $0.maxTokens }).max() else { return }
        let shape = try self.settings.generationShape(texts: texts.count, length: longest)
        let context = try self.emptyContext(shape)
        var session = GenerationSession(
            texts, grammars, context: context, vocabulary: self.model.vocabulary)
        while true {
            try self.checkCancellation()
            let before = (computed: session.computedTokens, saved: session.savedTokens)
            let step = try translatingErrors { () throws(LlamaError) in try session.step() }
            guard let finished = step else { return }
            if let text = session.deadEnd {
                throw EngineError(
                    .invalidRequest,
                    "no token of the vocabulary continues the text \"\(session.text(text).suffix(80))\" as the grammar wants it",
                    requestIndex: askers[text].first)
            }
            if let text = session.notFinite {
                throw EngineError(
                    .notFinite, "the model's output is not a number; the model or its quantization is damaged",
                    requestIndex: askers[text].first)
            }
            for (text, generation) in finished {
                for request in askers[text] { responses[request] = .generation(generation) }
            }
            meter.update { progress in
                progress.computedTokens += session.computedTokens - before.computed
                progress.savedTokens += session.savedTokens - before.saved
                for (text, generation) in finished {
                    progress.requestsDone += askers[text].count
                    progress.generatedTokens += generation.tokens.count
                    progress.savedTokens += (askers[text].count - 1) * texts[text].prompt.count
                }
            }
        }
    }
}

/// The texts of a shard while they are generated: each step is one decode.
struct GenerationSession {
    private let context: LlamaContext
    private let vocabulary: Vocabulary
    private var schedule: SlotSchedule
    private var states: [GenerationState]
    private var batch = LlamaBatch()
    private(set) var computedTokens = 0
    private(set) var savedTokens = 0
    /// A text for which the model's output was not finite.
    private(set) var notFinite: Int?
    /// A text that can't go on as its grammar wants it.
    private(set) var deadEnd: Int?
    private let grammars: [TextConstraint: Grammar]
    /// Where the texts at work stand in their grammars.
    private var matchers: [Int: GrammarMatcher] = [:]

    init(
        _ requests: [GenerationRequest], _ grammars: [TextConstraint: Grammar], context: LlamaContext,
        vocabulary: Vocabulary
    ) {
        self.grammars = grammars
        self.context = context
        self.vocabulary = vocabulary
        self.schedule = SlotSchedule(
            prompts: requests.map(\.prompt), slots: context.shape.sequences, block: context.shape.block)
        self.states = requests.map { GenerationState($0, vocabulary) }
    }

    /// Starts one prompt if a slot is free, else adds one token to every text at work.
    ///
    /// - Returns: the texts that ended with it; `nil` if there is nothing left to do.
    mutating func step() throws(LlamaError) -> [(text: Int, generation: Generation)]? {
        if let start = self.schedule.start() { return try self.begin(start) }
        while let move = self.schedule.closeGap() {
            try self.context.copy(sequence: Int32(move.from), to: Int32(move.to))
        }
        let active = self.schedule.active
        guard !active.isEmpty else { return nil }
        self.batch.removeAll()
        let texts = Dictionary(uniqueKeysWithValues: active.map { ($0.slot, $0.prompt) })
        var places: [(index: Int, slot: Int, text: Int)] = []
        // With blocks, free slots get a token too, so that the number of rows does not depend on how many texts are at work.
        for slot in 0..<self.context.shape.sequences {
            if let text = texts[slot], let token = self.states[text].lastToken {
                self.batch.append(
                    token, position: self.states[text].lastPosition, sequence: Int32(slot), wantsOutput: true,
                    temperature: self.states[text].nextDraw?.rule.wholeTemperature ?? 0)
                self.schedule.feed(token, to: slot)
                places.append((self.batch.count - 1, slot, text))
            } else if self.context.shape.block > 1 {
                try self.context.truncate(sequence: Int32(slot))
                self.batch.append(0, position: 0, sequence: Int32(slot), wantsOutput: true)
            }
        }
        try self.decode()
        var finished: [(text: Int, generation: Generation)] = []
        for (index, slot, text) in places {
            if let generation = try self.take(after: index, slot: slot, text: text) {
                finished.append((text, generation))
            }
        }
        return finished
    }

    /// Computes a prompt, as far as it is not there yet, and its first new token.
    private mutating func begin(
        _ start: SlotSchedule.Start
    ) throws(LlamaError) -> [(text: Int, generation: Generation)] {
        let slot = Int32(start.slot)
        if let constraint = self.states[start.prompt].request.constraint, let grammar = self.grammars[constraint] {
            self.matchers[start.prompt] = try GrammarMatcher(grammar, vocabulary: self.vocabulary)
        }
        if let source = start.copyFrom { try self.context.copy(sequence: Int32(source), to: slot) }
        try self.context.truncate(sequence: slot, from: start.kept)
        self.savedTokens += start.kept
        let prompt = self.states[start.prompt].request.prompt
        var position = start.kept
        while position < prompt.count {
            let end = min(prompt.count, position + self.context.shape.batchTokens)
            self.batch.removeAll()
            for index in position..<end {
                self.batch.append(
                    prompt[index], position: index, sequence: slot, wantsOutput: index == prompt.count - 1)
            }
            try self.decode()
            position = end
        }
        let generation = try self.take(after: self.batch.count - 1, slot: start.slot, text: start.prompt)
        return generation.map { [(start.prompt, $0)] } ?? []
    }

    private mutating func decode() throws(LlamaError) {
        try self.context.decode(self.batch)
        self.computedTokens += self.batch.count
    }

    /// Takes the most likely token after token `index` of the batch, or draws one.
    private mutating func take(after index: Int, slot: Int, text: Int) throws(LlamaError) -> Generation? {
        let draw = self.states[text].nextDraw
        let matcher = self.matchers[text]
        let best = try self.context.withDistribution(after: index) { distribution in
            let token =
                if let matcher {
                    distribution.next(draw, within: matcher)
                } else {
                    draw.map { distribution.draw($0.rule, unit: $0.unit) } ?? distribution.mostLikely
                }
            return token.map { (token: $0, logProb: distribution.logProb(of: $0)) }
        }
        guard let best else {
            self.notFinite = text
            return nil
        }
        guard let best else {
            self.deadEnd = text
            return nil
        }
        // A grammar can't go on after what it takes for the end.
        let isEnd =
            self.states[text].ends(with: best.token) || (matcher != nil && self.vocabulary.endsGrammar(best.token))
        if !isEnd { try matcher?.accept(best.token) }
        let generation = self.states[text].append(best.token, logProb: best.logProb, isEnd: isEnd)
        if generation != nil {
            self.schedule.finish(slot)
            self.matchers[text] = nil
        }
        return generation
    }

    /// What there is of a text.
    func text(_ text: Int) -> String { self.states[text].text }
}

extension LlamaEngine {
    /// Why a constraint can't be followed; `nil` if it can.
    @Sendable public static func problem(_ constraint: TextConstraint) -> String? {
        do throws(LlamaError) {
            _ = try Grammar(constraint)
            return nil
        } catch {
            return error.message
        }
    }

    /// The grammars of texts, each checked before anything is computed.
    ///
    /// - Parameter askers: For each text, the requests that it answers.
    func grammars(
        of texts: [GenerationRequest], _ askers: [[Int]]
    ) throws(EngineError) -> [TextConstraint: Grammar] {
        var grammars: [TextConstraint: Grammar] = [:]
        for (text, request) in texts.enumerated() {
            guard let constraint = request.constraint, grammars[constraint] == nil else { continue }
            do throws(LlamaError) {
                let grammar = try Grammar(constraint)
                _ = try GrammarMatcher(grammar, vocabulary: self.model.vocabulary)
                grammars[constraint] = grammar
            } catch {
                throw EngineError(
                    .invalidRequest, "\(constraint.key): \(error.message)", requestIndex: askers[text].first)
            }
        }
        return grammars
    }
}

extension Grammar {
    fileprivate init(_ constraint: TextConstraint) throws(LlamaError) {
        switch constraint {
        case .grammar(let text): try self.init(gbnf: text)
        case .jsonSchema(let schema): try self.init(jsonSchema: schema)
        }
    }
}
