#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

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

extension Distribution {
    /// Draws a token.
    ///
    /// The rules apply in transformers' order: temperature, top-k, top-p, min-p. Tokens are taken in the order of falling
    /// probability, equally likely ones in the order of ids, so that the result is a function of the logits and `unit`.
    /// - Parameter unit: In [0, 1).
    public func draw(_ rule: DrawingRule, unit: Double) -> Int32 {
        let candidates = self.candidates(rule)
        var left = unit * candidates.reduce(0) { $0 + $1.weight }
        for candidate in candidates {
            left -= candidate.weight
            if left < 0 { return candidate.token }
        }
        // Rounding can leave a little behind the last one.
        return candidates.last?.token ?? self.mostLikely
    }

    private struct Candidate {
        var token: Int32
        /// Its probability with the temperature, in units of the most likely token's.
        var weight: Double
    }

    private func candidates(_ rule: DrawingRule) -> [Candidate] {
        let wanted = min(max(rule.topK ?? self.count, 1), self.count)
        var total = 0.0
        if rule.topK == nil, rule.topP < 1 { self.forEachWeight(rule.temperature) { total += $1 } }
        // Only what can be left over is sorted: a vocabulary is long, and nearly all of it is unlikely.
        var cut = rule.topK == nil && rule.topP >= 1 ? max(rule.minP, 0) : 0.0625
        // What min-p leaves out counts for top-p still, where that is a part of what top-k left.
        let floor = rule.topK != nil && rule.topP < 1 ? 1e-300 : max(rule.minP, 1e-300)
        var found: [Candidate] = []
        while true {
            found.removeAll(keepingCapacity: true)
            var mass = 0.0
            self.forEachWeight(rule.temperature) { token, weight in
                guard weight >= cut, weight > 0 else { return }
                found.append(Candidate(token: token, weight: weight))
                mass += weight
            }
            let isEnough =
                cut <= floor
                || (rule.topK != nil ? found.count >= wanted : mass >= rule.topP * total)
            if isEnough { break }
            cut = cut > 1e-30 ? cut * cut : 0
        }
        found.sort { ($1.weight, $0.token) < ($0.weight, $1.token) }
        if rule.topK != nil { found.removeLast(max(0, found.count - wanted)) }
        if rule.topP < 1 {
            if rule.topK != nil { total = found.reduce(0) { $0 + $1.weight } }
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

    private func forEachWeight(_ temperature: Double, _ body: (Int32, Double) -> Void) {
        let most = Double(self.logit(of: self.mostLikely))
        for token in 0..<Int32(self.count) {
            body(token, exp((Double(self.logit(of: token)) - most) / temperature))
        }
    }
}
