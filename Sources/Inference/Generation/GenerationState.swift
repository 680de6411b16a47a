internal import Evaluation
internal import Llama

/// One text that is being generated.
struct GenerationState: Sendable {
    let request: GenerationRequest
    private let vocabulary: Vocabulary
    /// Stop strings, and EOS as it is written.
    private let stops: [String]
    private var tokens: [Int32] = []
    private var tokenLogProbs: [Float] = []
    private var scanner: StopScanner

    init(_ request: GenerationRequest, _ vocabulary: Vocabulary) {
        self.request = request
        self.vocabulary = vocabulary
        let end = vocabulary.endOfText.map(vocabulary.name)
        self.stops = request.stop + [end].compactMap { $0 }.filter { !request.stop.contains($0) }
        self.scanner = StopScanner(stops: self.stops)
    }

    /// What there is of the text.
    var text: String { self.vocabulary.detokenize(self.tokens) }

    /// The token to feed next; `nil` before the first one.
    var lastToken: Int32? { self.tokens.last }

    /// The position of `lastToken`.
    var lastPosition: Int { self.request.prompt.count + self.tokens.count - 1 }

    /// How the next token is drawn; `nil` if the most likely one is taken.
    var nextDraw: (rule: DrawingRule, unit: Double)? {
        guard let sampling = self.request.sampling else { return nil }
        let rule = DrawingRule(
            temperature: sampling.rule.temperature, topK: sampling.rule.topK, topP: sampling.rule.topP,
            minP: sampling.rule.minP)
        return (rule, sampling.stream.unit(at: self.tokens.count))
    }

    /// Whether a token ends the text.
    func ends(with token: Int32) -> Bool {
        self.request.endTokens.map { $0.contains(token) } ?? self.vocabulary.endsGeneration(token)
    }

    /// Takes the next token.
    ///
    /// - Parameter isEnd: It ends the text and is no part of it.
    /// - Returns: the whole text, if it has ended.
    mutating func append(_ token: Int32, logProb: Float, isEnd: Bool) -> Generation? {
        guard !isEnd else { return self.finished(.endOfText) }
        // Stop strings may be special tokens, which the text does not show.
        let piece =
            self.tokens.isEmpty
            ? self.vocabulary.firstPiece(token, showsSpecial: true) : self.vocabulary.piece(token, showsSpecial: true)
        self.tokens.append(token)
        self.tokenLogProbs.append(logProb)
        if self.scanner.append(piece) { return self.finished(.stop) }
        return self.tokens.count >= self.request.maxTokens ? self.finished(.length) : nil
    }

    private func finished(_ reason: FinishReason) -> Generation {
        Generation(
            tokens: self.tokens, tokenLogProbs: self.tokenLogProbs,
            text: StopScanner.cut(self.answer, before: self.stops), finishReason: reason)
    }

    /// The text after the model's thoughts.
    private var answer: String {
        let answer: String
        switch self.request.thinkingEnd {
        case nil: return self.text
        case .token(let end):
            let start = self.tokens.lastIndex(of: end).map { $0 + 1 } ?? 0
            answer = self.vocabulary.detokenize(self.tokens[start...])
        case .text(let end):
            let text = Array(self.text.utf8)
            let start = text.ranges(of: Array(end.utf8)).last?.upperBound ?? 0
            answer = String(decoding: text[start...], as: UTF8.self)
        }
        return ThinkingEnd.trimmed(answer)
    }
}
