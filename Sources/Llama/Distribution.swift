internal import CLlama
internal import CLogits

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The probabilities of the next token, borrowed from a context.
public struct Distribution: ~Copyable {
    /// The raw outputs, one per token of the vocabulary; valid while this value is.
    private let logits: UnsafeBufferPointer<Float>
    /// The logarithm of the sum of the exponentials of all logits.
    private let normalizer: Double
    /// The most likely token; of equally likely ones the smallest id.
    public let mostLikely: Int32
    /// The sum of all tokens' probabilities at a temperature, in units of the most likely one's; to about 1e-6 of it.
    let weights: (temperature: Double, sum: Double)

    /// - Returns: `nil` if a logit is NaN or positive infinity.
    init?(_ logits: UnsafeBufferPointer<Float>) {
        self.init(logits, assay_reduce_logits(logits.baseAddress, Int32(clamping: logits.count)))
    }

    init?(
        _ logits: UnsafeBufferPointer<Float>, _ reduced: assay_distribution,
        weights: (temperature: Double, sum: Double)? = nil
    ) {
        guard reduced.sum.isFinite, reduced.argmax >= 0, reduced.maximum.isFinite else { return nil }
        self.weights = weights ?? (1, reduced.sum)
        self.logits = logits
        self.normalizer = Double(reduced.maximum) + log(reduced.sum)
        self.mostLikely = reduced.argmax
    }

    /// The number of tokens.
    public var count: Int { self.logits.count }

    /// The raw outputs of all tokens; valid while this value is.
    var allLogits: UnsafeBufferPointer<Float> { self.logits }

    /// The raw output of a token.
    func logit(of token: Int32) -> Float { self.logits[Int(token)] }

    /// The log-probability of a token in nat.
    public func logProb(of token: Int32) -> Float {
        Float(Double(self.logits[Int(token)]) - self.normalizer)
    }
}

extension LlamaContext {
    /// Passes the distribution after token `index` of the last batch, which must have wanted it, to `body`.
    ///
    /// - Throws: `LlamaError` of code `limitExceeded` if there is no such output.
    /// - Returns: `nil` if the model's output holds NaN or infinity.
    public func withDistribution<Result>(
        after index: Int, _ body: (borrowing Distribution) -> Result
    ) throws(LlamaError) -> Result? {
        if self.outputs.isEmpty { self.reduceOutputs() }
        guard self.outputs.indices.contains(index), let output = self.outputs[index] else {
            throw LlamaError(
                .limitExceeded, "no output after token \(index) of the last batch of \(self.wantsOutput.count) tokens")
        }
        let logits = UnsafeBufferPointer(start: output.row, count: self.vocabularySize)
        guard let distribution = Distribution(logits, output.reduced, weights: output.weights) else { return nil }
        return body(distribution)
    }

    /// Reduces all outputs of the last batch together, on the context's threads.
    private func reduceOutputs() {
        self.outputs = Array(repeating: nil, count: self.wantsOutput.count)
        var tokens: [Int] = []
        var rows: [UnsafePointer<Float>?] = []
        for token in self.wantsOutput.indices where self.wantsOutput[token] != 0 {
            guard let row = llama_get_logits_ith(self.pointer, Int32(token)) else { continue }
            tokens.append(token)
            rows.append(UnsafePointer(row))
        }
        var reduced = Array(repeating: assay_distribution(), count: rows.count)
        // At temperature 1 the sum is that of the probabilities.
        let temperatures = tokens.map { self.temperatures[$0] == 1 ? 0 : self.temperatures[$0] }
        var weights = Array(repeating: 0.0, count: rows.count)
        assay_reduce_rows(
            &rows, &reduced, temperatures, &weights, Int32(rows.count), Int32(clamping: self.vocabularySize),
            Int32(self.shape.threads))
        for (place, token) in tokens.enumerated() {
            guard let row = rows[place] else { continue }
            self.outputs[token] = Output(
                row: row, reduced: reduced[place],
                weights: temperatures[place] == 0 ? nil : (temperatures[place], weights[place]))
        }
    }

    /// One row of outputs, and what is known of it.
    struct Output {
        let row: UnsafePointer<Float>
        let reduced: assay_distribution
        let weights: (temperature: Double, sum: Double)?
    }
}

/// Which tokens may be drawn, and how their probabilities are changed.
public struct DrawingRule: Sendable, Hashable {
    /// Above 0.
    public var temperature: Double
    /// Only so many of the most likely tokens; `nil` for all.
    public var topK: Int?
    /// Only the most likely tokens that have so much of the probability that `topK` left; 1 for all.
    public var topP: Double
    /// Only tokens with this part of the most likely one's probability; 0 for all.
    public var minP: Double

    public init(temperature: Double, topK: Int? = nil, topP: Double = 1, minP: Double = 0) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.minP = minP
    }
}

extension DrawingRule {
    /// The temperature, where the weight of all tokens is needed to draw one.
    public var wholeTemperature: Double? {
        self.topK == nil && (self.topP < 1 || self.minP <= 0) ? self.temperature : nil
    }
}

extension Distribution {
    /// Draws a token.
    ///
    /// The rules apply in transformers' order: temperature, top-k, top-p, min-p. Tokens are taken in the order of falling
    /// probability, equally likely ones in the order of ids, so that the result is a function of the logits and `unit`.
    /// - Parameter unit: In [0, 1).
    public func draw(_ rule: DrawingRule, unit: Double) -> Int32 {
        guard let temperature = rule.wholeTemperature else {
            return Self.drawn(self.candidates(rule), unit: unit) ?? self.mostLikely
        }
        // A rough sum tells nearly always which token it is; the exact one takes longer than all the rest.
        if temperature == self.weights.temperature,
            let token = self.draw(rule, unit: unit, of: self.weights.sum, within: Self.roughness)
        {
            return token
        }
        let exact = assay_sum_weights(
            self.allLogits.baseAddress, Int32(clamping: self.count), self.logit(of: self.mostLikely), temperature)
        return self.draw(rule, unit: unit, of: exact, within: 0) ?? self.mostLikely
    }

    /// More than `weights` can be wrong by.
    private static let roughness = 1e-5

    /// Draws a token where the weight of all is known to be within a part of `total`.
    ///
    /// - Returns: `nil` if the token depends on where.
    private func draw(_ rule: DrawingRule, unit: Double, of total: Double, within part: Double) -> Int32? {
        guard rule.topP < 1 else { return self.drawFromAll(rule, unit: unit, of: total, within: part) }
        var shells = Shells(self.allLogits, mostLikely: self.mostLikely, temperature: rule.temperature)
        var found: [Candidate] = []
        var mass = 0.0
        var end: Int?
        while end == nil, let shell = shells.next() {
            for candidate in shell.sorted(by: { $0.precedes($1) }) {
                mass += candidate.weight
                found.append(candidate)
                guard mass >= rule.topP * total * (1 - part) else { continue }
                guard mass >= rule.topP * total * (1 + part) || part == 0 else { return nil }
                end = found.count
                break
            }
        }
        if end == nil, part > 0 { return nil }
        let most = found.first?.weight ?? 1
        return Self.drawn(rule.minP > 0 ? found.filter { $0.weight >= rule.minP * most } : found, unit: unit)
    }

    /// Goes down from the most likely token.
    private func drawFromAll(
        _ rule: DrawingRule, unit: Double, of total: Double, within part: Double
    ) -> Int32? {
        var shells = Shells(self.allLogits, mostLikely: self.mostLikely, temperature: rule.temperature)
        let (low, high) = (unit * total * (1 - part), unit * total * (1 + part))
        var mass = 0.0
        var last: Candidate?
        while var shell = shells.next() {
            let sum = shell.reduce(0) { $0 + $1.weight }
            if mass + sum > low {
                let (found, end) = shell.first(beyond: low, from: mass)
                return part == 0 || end > high ? found.token : nil
            }
            mass += sum
            last = shell.max { $0.precedes($1) } ?? last
        }
        // Rounding can leave a little behind the last one.
        return part > 0 ? nil : last?.token
    }

    private static func drawn(_ candidates: [Candidate], unit: Double) -> Int32? {
        var left = unit * candidates.reduce(0) { $0 + $1.weight }
        for candidate in candidates {
            left -= candidate.weight
            if left < 0 { return candidate.token }
        }
        return candidates.last?.token
    }

    /// What top-k, or min-p alone, leaves.
    private func candidates(_ rule: DrawingRule) -> [Candidate] {
        var shells = Shells(self.allLogits, mostLikely: self.mostLikely, temperature: rule.temperature)
        let wanted = min(max(rule.topK ?? self.count, 1), self.count)
        // What min-p leaves out counts for top-p still, where that is a part of what top-k left.
        let least = rule.topP < 1 ? 0 : rule.minP
        var found: [Candidate] = []
        while found.count < wanted, (found.last?.weight ?? 1) >= least, let shell = shells.next() {
            found += shell.sorted { $0.precedes($1) }
        }
        found.removeLast(max(0, found.count - wanted))
        if rule.topP < 1 {
            let total = found.reduce(0) { $0 + $1.weight }
            var mass = 0.0
            let last = found.firstIndex { candidate in
                mass += candidate.weight
                return mass >= rule.topP * total
            }
            if let last { found.removeLast(found.count - 1 - last) }
        }
        let most = found.first?.weight ?? 1
        return rule.minP > 0 ? found.filter { $0.weight >= rule.minP * most } : found
    }
}

private struct Candidate {
    var token: Int32
    /// Its probability with the temperature, in units of the most likely token's.
    var weight: Double

    /// Falling probability; of equally likely ones the smaller id.
    func precedes(_ other: Candidate) -> Bool { (other.weight, self.token) < (self.weight, other.token) }
}

extension [Candidate] {
    /// The first one, in their order, with which the sum of weights goes beyond `limit`, and that sum.
    ///
    /// It is the last one if rounding keeps the sum below. Most of them are never sorted.
    /// - Parameter start: The weight of all that comes before them.
    fileprivate mutating func first(beyond limit: Double, from start: Double) -> (Candidate, end: Double) {
        var sum = start
        // Those that it may be among, and the one behind them, with which the sum is beyond.
        var (lower, upper) = (0, self.count)
        var behind: (Candidate, end: Double)?
        while upper - lower > 24 {
            // The middle one of three waits at the end.
            let middle = lower + (upper - lower) / 2
            if self[middle].precedes(self[lower]) { self.swapAt(middle, lower) }
            if self[upper - 1].precedes(self[lower]) { self.swapAt(upper - 1, lower) }
            if self[middle].precedes(self[upper - 1]) { self.swapAt(middle, upper - 1) }
            let pivot = self[upper - 1]
            var (place, weight) = (lower, 0.0)
            for index in lower..<(upper - 1) where self[index].precedes(pivot) {
                weight += self[index].weight
                self.swapAt(index, place)
                place += 1
            }
            self.swapAt(place, upper - 1)
            let end = sum + weight + pivot.weight
            guard end > limit else {
                sum = end
                lower = place + 1
                continue
            }
            if sum + weight <= limit { return (pivot, end) }
            behind = (pivot, end)
            upper = place
        }
        var last = (self[self.count - 1], end: sum)
        for candidate in self[lower..<upper].sorted(by: { $0.precedes($1) }) {
            sum += candidate.weight
            last = (candidate, sum)
            if sum > limit { return last }
        }
        return behind ?? last
    }
}

/// All tokens that can be drawn, some at a time: each is more likely than those that come later.
///
/// A vocabulary is long, and nearly all of it is unlikely: only what is asked for is looked at.
private struct Shells {
    private let logits: UnsafeBufferPointer<Float>
    private let most: Float
    private let temperature: Double
    /// What was handed out begins here.
    private var edge = Float.infinity
    /// The least weight of the next shell.
    private var cut = 1.0 / 16
    private var isDone = false

    init(_ logits: UnsafeBufferPointer<Float>, mostLikely: Int32, temperature: Double) {
        self.logits = logits
        self.most = logits[Int(mostLikely)]
        self.temperature = temperature
    }

    /// In no order; `nil` when there are no more; may be empty.
    mutating func next() -> [Candidate]? {
        guard !self.isDone else { return nil }
        // The smallest double above zero is about exp(-745).
        let low = self.cut > 1e-300 ? Float(Double(self.most) + self.temperature * log(self.cut)) : -.infinity
        self.isDone = low == -.infinity
        let tokens = self.tokens(from: low, capacity: 1024)
        self.edge = low
        self.cut /= 16
        var weights = [Double](repeating: 0, count: tokens.count)
        assay_weigh_logits(
            self.logits.baseAddress, tokens, Int32(clamping: tokens.count), self.most, self.temperature, &weights)
        return zip(tokens, weights).compactMap { token, weight in
            weight > 0 ? Candidate(token: token, weight: weight) : nil
        }
    }

    /// Those with logits in `low..<edge`, in the order of ids.
    private func tokens(from low: Float, capacity: Int) -> [Int32] {
        var needed = 0
        let tokens = [Int32](unsafeUninitializedCapacity: capacity) { room, count in
            needed = Int(
                assay_find_logits(
                    self.logits.baseAddress, Int32(clamping: self.logits.count), low, self.edge, room.baseAddress,
                    Int32(clamping: room.count)))
            count = min(needed, capacity)
        }
        return needed <= capacity ? tokens : self.tokens(from: low, capacity: needed)
    }
}
