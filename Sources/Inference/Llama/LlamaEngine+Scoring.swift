internal import Evaluation
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
