internal import Dispatch
internal import PythonCompat
internal import Synchronization

extension MetricColumn {
    /// The standard deviation of the score over samples drawn anew, as lm-eval computes it with the same seeds.
    ///
    /// Draws come in chunks of at most 1000, each with a random stream of its own, whose seed is the chunk's number.
    /// - Returns: `nil` for fewer than two samples or iterations.
    public func bootstrapStandardError(iterations: Int) -> Double? {
        let chunk = min(1000, iterations)
        guard self.values.count > 1, iterations > 1 else { return nil }
        let chunks = iterations / chunk
        let scores = Mutex([[Double]](repeating: [], count: chunks))
        DispatchQueue.concurrentPerform(iterations: chunks) { number in
            var random = PythonRandom(seed: UInt64(number))
            let drawn = (0..<chunk).map { _ in
                self.score(of: random.choices(self.values.count, of: self.values.count))
            }
            scores.withLock { $0[number] = drawn }
        }
        let all = scores.withLock { $0 }.joined()
        let mean = all.reduce(0, +) / Double(chunks * chunk)
        let squares = all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (squares / Double(chunks * chunk - 1)).squareRoot()
    }
}
