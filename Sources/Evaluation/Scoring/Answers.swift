/// An engine's answers to a sample's requests, checked against each other.
struct Answers {
    private let sample: PreparedSample
    private let requests: [[EngineRequest]]
    private let responses: [[EngineResponse]]

    init(
        _ sample: PreparedSample, _ requests: [[EngineRequest]], _ responses: [[EngineResponse]]
    ) throws(TaskError) {
        self.sample = sample
        self.requests = requests
        self.responses = responses
        guard requests.count == sample.requests.count, responses.map(\.count) == requests.map(\.count) else {
            throw self.error("the answers are not as many as the requests")
        }
        for (request, response) in zip(requests.joined(), responses.joined()) {
            switch (request, response) {
            case (.score(let request), .score(let scored)):
                guard scored.tokenLogProbs.count == request.tokens.count - request.scoredFrom else {
                    throw self.error(
                        "\(request.tokens.count - request.scoredFrom) tokens were to be scored, but the engine "
                            + "answered \(scored.tokenLogProbs.count) log-probabilities")
                }
                try self.checkNumbers(scored.tokenLogProbs)
            case (.generate, .generation(let generation)):
                guard generation.tokens.count == generation.tokenLogProbs.count else {
                    throw self.error("the engine's tokens and log-probabilities are not equally many")
                }
                try self.checkNumbers(generation.tokenLogProbs)
            default: throw self.error("the engine answered a request of another kind")
            }
        }
    }

    func error(_ message: String) -> TaskError {
        TaskError(.invalidResponse, "sample \(self.sample.sampleID) (row \(self.sample.row)): \(message)")
    }

    private func checkNumbers(_ logProbs: [Float]) throws(TaskError) {
        guard logProbs.allSatisfy({ !$0.isNaN }) else {
            throw self.error("the engine answered a log-probability that is not a number")
        }
    }

    /// The one answer to a choice or continuation.
    func continuation(of request: Int) throws(TaskError) -> ScoredContinuation {
        guard self.responses.indices.contains(request), self.responses[request].count == 1,
            case .score(let scored) = self.responses[request][0]
        else { throw self.error("request \(request) has no score") }
        return scored
    }

    /// The answers to a text's windows.
    func windows() throws(TaskError) -> [ScoredContinuation] {
        var windows: [ScoredContinuation] = []
        for response in self.responses.joined() {
            guard case .score(let scored) = response else { throw self.error("a window has no score") }
            windows.append(scored)
        }
        return windows
    }

    /// The texts generated, at least one.
    func generations() throws(TaskError) -> [Generation] {
        var generations: [Generation] = []
        for (request, response) in zip(self.sample.requests, self.responses) {
            guard case .generate = request else { continue }
            guard response.count == 1, case .generation(let generation) = response[0] else {
                throw self.error("the request has no generated text")
            }
            generations.append(generation)
        }
        guard !generations.isEmpty else { throw self.error("there is no generated text") }
        return generations
    }

    var promptTokens: Int {
        self.requests.joined().reduce(0) { sum, request in
            switch request {
            case .score(let request): sum + request.scoredFrom
            case .generate(let request): sum + request.prompt.count
            }
        }
    }

    var generatedTokens: Int {
        self.responses.joined().reduce(0) { sum, response in
            if case .generation(let generation) = response { sum + generation.tokens.count } else { sum }
        }
    }

    var isTruncated: Bool { self.requests.joined().contains { $0.truncated > 0 } }

    /// Every token of every request; windows are counted as requests.
    var tokens: [TokenResult] {
        var tokens: [TokenResult] = []
        for (index, (request, response)) in zip(self.requests.joined(), self.responses.joined()).enumerated() {
            let (prompt, others, logProbs) = Self.parts(request, response)
            tokens += prompt.map {
                TokenResult(tokenID: $0, logProb: .nan, isPrompt: true, request: Int32(clamping: index))
            }
            tokens += zip(others, logProbs).map {
                TokenResult(tokenID: $0, logProb: $1, isPrompt: false, request: Int32(clamping: index))
            }
        }
        return tokens
    }

    private static func parts(
        _ request: EngineRequest, _ response: EngineResponse
    ) -> (prompt: ArraySlice<Int32>, others: ArraySlice<Int32>, logProbs: [Float]) {
        switch (request, response) {
        case (.score(let request), .score(let scored)):
            (request.tokens[..<request.scoredFrom], request.tokens[request.scoredFrom...], scored.tokenLogProbs)
        case (.generate(let request), .generation(let generation)):
            (request.prompt[...], generation.tokens[...], generation.tokenLogProbs)
        default: ([], [], [])
        }
    }
}
