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
