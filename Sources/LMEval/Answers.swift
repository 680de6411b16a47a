internal import Evaluation
internal import JSON
internal import OrderedCollections
internal import PythonCompat

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

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

/// The metrics of a multiple-choice sample, as lm-eval computes them; of equally good choices the first counts.
struct ChoiceScores {
    /// The most likely choice.
    let best: Int
    private let choices: [ChoiceResult]
    private let unconditional: [Double]?
    private let golds: [Int]
    private let probabilities: [Double]

    /// - Parameters:
    ///   - choices: At least one.
    ///   - unconditional: Each choice's log-likelihood without the context; needed for acc_mutual_info alone.
    ///   - golds: The right ones, at least one.
    init(_ choices: [ChoiceResult], unconditional: [Double]?, golds: [Int]) {
        let logProbs = choices.map(\.logProb)
        self.choices = choices
        self.unconditional = unconditional
        self.golds = golds
        self.best = Self.firstMaximum(logProbs)
        let largest = logProbs.max() ?? 0
        let shares = logProbs.map { exp($0 - largest) }
        let sum = shares.reduce(0, +)
        self.probabilities = shares.map { $0 / sum }
    }

    func value(_ metric: Metric) -> ScoredMetric? {
        switch metric {
        case .acc: return self.isRight(self.best)
        case .accNorm: return self.isRight { $0.logProb / Double($0.characterCount) }
        case .accBytes: return self.isRight { $0.logProb / Double($0.byteCount) }
        case .accMutualInfo:
            guard let unconditional else { return nil }
            return self.isRight(Self.firstMaximum(zip(self.choices, unconditional).map { $0.logProb - $1 }))
        case .exactMatch: return ScoredMetric(self.golds.contains { self.choices[$0].isGreedy })
        case .f1, .mcc:
            // Classes are single; lm-eval refuses several as well.
            guard self.golds.count == 1 else { return nil }
            var scored = self.isRight(self.best)
            scored.terms = [Double(self.golds[0]), Double(self.best)]
            return scored
        case .brierScore:
            guard self.golds.count == 1 else { return nil }
            return ScoredMetric(
                self.probabilities.enumerated().reduce(0) { sum, entry in
                    let gap = entry.element - (entry.offset == self.golds[0] ? 1 : 0)
                    return sum + gap * gap
                })
        case .calibrationError:
            var scored = self.isRight(self.best)
            scored.terms = [self.probabilities[self.best]]
            return scored
        default: return nil
        }
    }

    private func isRight(_ choice: Int) -> ScoredMetric { ScoredMetric(self.golds.contains(choice)) }

    private func isRight(by measure: (ChoiceResult) -> Double) -> ScoredMetric {
        self.isRight(Self.firstMaximum(self.choices.map(measure)))
    }

    private static func firstMaximum(_ values: [Double]) -> Int {
        var best = 0
        for (index, value) in values.enumerated() where value > values[best] { best = index }
        return best
    }
}

/// What a row's answers are compared with, as Python has it: `exact_match` of lm-eval compares values, not what they print.
struct Targets: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        /// One value. Where a pipeline leaves one answer, it is turned into what that is.
        case one
        /// Any of several values.
        case several
        /// Texts of choices.
        case choices
    }

    let kind: Kind
    let values: [JSONValue]

    init(_ values: [JSONValue], _ kind: Kind) {
        self.kind = kind
        self.values = values
    }

    init(texts: [String]) { self.init(texts.map(JSONValue.string), .choices) }

    /// As Python prints them.
    var texts: [String] { self.values.map(PythonText.str) }

    /// What an answer of this kind can equal, printed as such an answer is.
    ///
    /// - Parameter inList: The pipeline leaves a list of answers, even if it has only one.
    func comparable(with answer: AnswerKind, inList: Bool) -> [String] {
        if self.kind == .one, !inList { return self.values.map(answer.cast) }
        if answer != .text {
            // An array that has a text in it is one of texts.
            guard self.values.allSatisfy({ $0.isNumeric }) else { return [] }
            return self.values.compactMap(answer.exact)
        }
        let texts = self.values.filter { $0.string != nil }
        // Numpy makes texts of numbers that stand beside a text, and compares no others with a text.
        let isUniform = self.values.allSatisfy { $0.string != nil || $0.isNumeric }
        return (texts.isEmpty || !isUniform ? texts : self.values).map(PythonText.str)
    }
}

/// What an answer is after a pipeline: a text, or a number that a map made of one.
enum AnswerKind: Sendable, Hashable {
    case text
    case integer
    case float
    case boolean

    init(_ value: JSONValue) {
        self =
            switch value {
            case .int: .integer
            case .double: .float
            case .bool: .boolean
            default: .text
            }
    }

    /// Python's `str(target)`, `int(target)`, `float(target)` or `bool(target)`, printed; as it is where that is an error.
    fileprivate func cast(_ target: JSONValue) -> String {
        let text = PythonText.str(target)
        switch self {
        case .text: return text
        case .integer:
            switch target {
            case .string: return PythonNumber.int(text).map { "\($0)" } ?? text
            case .double(let number): return Int(exactly: number.rounded(.towardZero)).map { "\($0)" } ?? text
            case .bool(let flag): return flag ? "1" : "0"
            default: return text
            }
        case .float:
            switch target {
            case .string, .int: return PythonNumber.float(text).map(PythonNumber.str) ?? text
            case .bool(let flag): return flag ? "1.0" : "0.0"
            default: return text
            }
        case .boolean: return target.isTrue ? "True" : "False"
        }
    }

    /// A number that equals `target`, as one of this kind is printed; `nil` if there is none.
    fileprivate func exact(_ target: JSONValue) -> String? {
        let number: Double
        switch target {
        case .int(let value): number = Double(value)
        case .double(let value): number = value
        case .bool(let value): number = value ? 1 : 0
        default: return nil
        }
        switch self {
        case .text: return nil
        case .integer:
            if case .int(let value) = target { return "\(value)" }
            return Int(exactly: number).map { "\($0)" }
        case .float: return PythonNumber.str(number)
        case .boolean: return number == 1 ? "True" : number == 0 ? "False" : nil
        }
    }
}

extension JSONValue {
    /// Python's booleans are numbers.
    fileprivate var isNumeric: Bool {
        switch self {
        case .int, .double, .bool: true
        case .null, .string, .date, .array, .object: false
        }
    }

    /// Python's `bool()`.
    fileprivate var isTrue: Bool {
        switch self {
        case .null: false
        case .bool(let flag): flag
        case .int(let number): number != 0
        case .double(let number): number != 0
        case .string(let text): !text.isEmpty
        case .date: true
        case .array(let items): !items.isEmpty
        case .object(let members): !members.isEmpty
        }
    }
}

/// A row's filtered texts beside what is right.
struct TextComparison {
    let texts: [String]
    let references: [String]
    let normalizer: ExactMatch

    /// A metric that compares texts; `nil` for another one, or with too few texts.
    func value(_ metric: Metric) throws(PatternError) -> ScoredMetric? {
        guard !self.texts.isEmpty else { return nil }
        switch metric {
        case .exactMatch:
            return ScoredMetric(Double(try self.rightTexts) / Double(self.texts.count))
        case .pass(let count):
            return Self.passAt(count, of: self.texts.count, right: try self.rightTexts).map { ScoredMetric($0) }
        case .majority(let count):
            guard count <= self.texts.count else { return nil }
            return ScoredMetric(try self.isRight(Self.mostFrequent(self.texts.prefix(count))))
        default: return nil
        }
    }

    /// A metric of programs that were run; `nil` for another one, or with too few programs.
    static func value(_ metric: Metric, of verdicts: [ProgramVerdict]) -> ScoredMetric? {
        guard case .pass(let count) = metric else { return nil }
        return Self.passAt(count, of: verdicts.count, right: verdicts.count(where: \.isPassed)).map { ScoredMetric($0) }
    }

    /// 1 - C(n - c, k) / C(n, k); `nil` if there are fewer texts than k.
    static func passAt(_ count: Int, of total: Int, right: Int) -> Double? {
        guard count >= 1, count <= total else { return nil }
        guard total - right >= count else { return 1 }
        var failure = 1.0
        for number in stride(from: total - right + 1, through: total, by: 1) {
            failure *= 1 - Double(count) / Double(number)
        }
        return 1 - failure
    }

    private var rightTexts: Int {
        get throws(PatternError) {
            var right = 0
            for text in self.texts where try self.isRight(text) { right += 1 }
            return right
        }
    }

    private func isRight(_ text: String) throws(PatternError) -> Bool {
        for reference in self.references where try self.normalizer.matches(text, reference) { return true }
        return false
    }

    /// Of equally frequent texts the first.
    private static func mostFrequent(_ texts: ArraySlice<String>) -> String {
        var counts: [[UInt8]: Int] = [:]
        for text in texts { counts[Array(text.utf8), default: 0] += 1 }
        let most = counts.values.max() ?? 0
        return texts.first { counts[Array($0.utf8)] == most } ?? ""
    }
}

/// The metric exact_match with what it ignores.
struct ExactMatch: Sendable {
    private let normalizer: TextNormalizer

    init(_ normalization: ExactMatchNormalization) throws(TaskError) {
        do throws(PatternError) {
            self.normalizer = try TextNormalizer(normalization, punctuation: .ascii)
        } catch {
            throw TaskError(.invalidValue, "regexes_to_ignore: \(error.message)")
        }
    }

    func matches(_ prediction: String, _ target: String) throws(PatternError) -> Bool {
        PythonText.equal(try self.normalizer.normalized(prediction), try self.normalizer.normalized(target))
    }
}

/// Takes away what a comparison of texts is to ignore.
struct TextNormalizer: Sendable {
    /// What counts as punctuation.
    enum Punctuation: Sendable {
        /// Python's `string.punctuation`.
        case ascii
        /// Unicode's categories P*.
        case unicode
    }

    private let normalization: ExactMatchNormalization
    private let punctuation: Punctuation
    private let regexes: [PythonRegex]

    init(_ normalization: ExactMatchNormalization, punctuation: Punctuation) throws(PatternError) {
        self.normalization = normalization
        self.punctuation = punctuation
        self.regexes = try normalization.regexesToIgnore.map { pattern throws(PatternError) in
            try PythonRegex(pattern)
        }
    }

    func normalized(_ text: String) throws(PatternError) -> String {
        var text = text
        for regex in self.regexes { text = try regex.removingMatches(from: text) }
        if self.normalization.ignoreCase { text = PythonText.lower(text) }
        if self.normalization.ignorePunctuation { text.unicodeScalars.removeAll(where: self.punctuation.contains) }
        if self.normalization.ignoreNumbers { text.unicodeScalars.removeAll { ("0"..."9").contains($0) } }
        return text
    }
}

extension TextNormalizer.Punctuation {
    fileprivate func contains(_ scalar: Unicode.Scalar) -> Bool {
        switch self {
        case .ascii: PythonText.isASCIIPunctuation(scalar)
        case .unicode: PythonText.isPunctuation(scalar)
        }
    }
}
