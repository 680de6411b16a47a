internal import Evaluation
internal import Llama
internal import PythonCompat

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
        // Python's `str.lstrip`: the white space between the thoughts and the answer belongs to neither.
        return String(answer.unicodeScalars.drop(while: PythonText.isSpace))
    }
}

/// Which prompt is generated from in which sequence.
///
/// Prompts are started in their order, each in the first free slot, and begin with a copy of the longest prefix that any slot
/// still holds. What happens depends on the prompts and on which texts have ended, never on timing.
struct SlotSchedule: Sendable {
    /// How a prompt is to be started.
    struct Start: Sendable, Hashable {
        var prompt: Int
        var slot: Int
        /// The slot to copy first; `nil` if the slot's own content is at least as good.
        var copyFrom: Int?
        /// The tokens of the prompt that are there then; always fewer than the prompt has.
        var kept: Int
    }

    /// A sequence that is to be moved.
    struct Move: Sendable, Hashable {
        var from: Int
        var to: Int
    }

    /// A copy moves all of a sequence's memory, so a few tokens are not worth it.
    static let shortestCopy = 32

    private let prompts: [[Int32]]
    /// Prompts share whole blocks of so many tokens, and none that were generated, if it is more than 1.
    private let block: Int
    private var nextPrompt = 0
    /// The tokens in each slot's memory that others may share.
    private var contents: [[Int32]]
    /// The prompt each slot works at.
    private var occupants: [Int?]

    init(prompts: [[Int32]], slots: Int, block: Int = 1) {
        self.prompts = prompts
        self.block = block
        self.contents = Array(repeating: [], count: slots)
        self.occupants = Array(repeating: nil, count: slots)
    }

    /// The prompts being worked at, by slot, in the order of slots.
    var active: [(slot: Int, prompt: Int)] {
        self.occupants.enumerated().compactMap { slot, prompt in prompt.map { (slot, $0) } }
    }

    /// Assigns the next prompt to the first free slot; `nil` if there is no prompt or no free slot.
    mutating func start() -> Start? {
        guard self.nextPrompt < self.prompts.count, let slot = self.occupants.firstIndex(of: nil) else { return nil }
        let prompt = self.prompts[self.nextPrompt]
        let shared = self.contents.map { Self.commonLength($0, prompt) }
        var start = Start(prompt: self.nextPrompt, slot: slot, kept: shared[slot])
        if let best = shared.indices.max(by: { shared[$0] < shared[$1] || (shared[$0] == shared[$1] && $0 > $1) }),
            shared[best] >= shared[slot] + Self.shortestCopy
        {
            start.copyFrom = best
            start.kept = shared[best]
        }
        // The last token is always computed: its output is the first new token.
        start.kept = min(start.kept, prompt.count - 1) / self.block * self.block
        self.contents[slot] = prompt
        self.occupants[slot] = self.nextPrompt
        self.nextPrompt += 1
        return start
    }

    /// Notes that a token was fed to a slot.
    mutating func feed(_ token: Int32, to slot: Int) {
        if self.block == 1 { self.contents[slot].append(token) }
    }

    /// Frees a slot; its memory stays, for prompts that begin alike.
    mutating func finish(_ slot: Int) {
        self.occupants[slot] = nil
    }

    /// Closes a gap when no prompts wait any more: llama.cpp computes only neighbouring sequences together.
    ///
    /// With blocks there are no gaps: free slots get a token, too.
    mutating func closeGap() -> Move? {
        guard self.block == 1, self.nextPrompt == self.prompts.count, let gap = self.occupants.firstIndex(of: nil),
            let last = self.occupants.lastIndex(where: { $0 != nil }), last > gap
        else { return nil }
        self.occupants.swapAt(gap, last)
        self.contents[gap] = self.contents[last]
        return Move(from: last, to: gap)
    }

    private static func commonLength(_ first: [Int32], _ second: [Int32]) -> Int {
        let end = min(first.count, second.count)
        var length = 0
        while length < end, first[length] == second[length] { length += 1 }
        return length
    }
}

/// Looks for stop strings in the bytes of a text that grows token by token.
///
/// Bytes are compared, not characters: a token may end within a character, and UTF-8 can't be mistaken in the middle.
struct StopScanner: Sendable {
    private let stops: [[UInt8]]
    private let longest: Int
    /// The end of the text, as far as a stop string may have begun in it.
    private var bytes: [UInt8] = []
    private(set) var foundStop = false

    /// Empty strings are ignored.
    init(stops: [String]) {
        self.stops = stops.map { Array($0.utf8) }.filter { !$0.isEmpty }
        self.longest = self.stops.map(\.count).max() ?? 0
    }

    /// Adds a token's bytes; returns whether a stop string has been in the text.
    mutating func append(_ piece: [UInt8]) -> Bool {
        guard !self.foundStop, self.longest > 0 else { return self.foundStop }
        // A new occurrence ends within the new bytes, so it begins not much before them.
        self.bytes = self.bytes.suffix(self.longest - 1) + piece
        self.foundStop = self.bytes.indices.contains { offset in
            self.stops.contains { self.bytes[offset...].starts(with: $0) }
        }
        return self.foundStop
    }

    /// The text before the first occurrence of each stop string, one after the other, as lm-eval cuts it.
    static func cut(_ text: String, before stops: [String]) -> String {
        var bytes = Array(text.utf8)[...]
        for stop in stops.map({ Array($0.utf8) }) where !stop.isEmpty {
            if let place = bytes.firstRange(of: stop) { bytes = bytes[..<place.lowerBound] }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
