internal import CLlama

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

    /// - Returns: `nil` if a logit is NaN or positive infinity.
    init?(_ logits: UnsafeBufferPointer<Float>) {
        let reduced = assay_reduce_logits(logits.baseAddress, Int32(clamping: logits.count))
        guard reduced.sum.isFinite, reduced.argmax >= 0, reduced.maximum.isFinite else { return nil }
        self.logits = logits
        self.normalizer = Double(reduced.maximum) + log(reduced.sum)
        self.mostLikely = reduced.argmax
    }

    /// The number of tokens.
    public var count: Int { self.logits.count }

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
        guard (0..<self.decodedTokens).contains(index), let row = llama_get_logits_ith(self.pointer, Int32(index))
        else {
            throw LlamaError(
                .limitExceeded, "no output after token \(index) of the last batch of \(self.decodedTokens) tokens")
        }
        let logits = UnsafeBufferPointer(start: row, count: self.vocabularySize)
        guard let distribution = Distribution(logits) else { return nil }
        return body(distribution)
    }
}
