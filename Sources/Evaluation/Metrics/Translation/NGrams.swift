/// Runs of n symbols: of words or of code points, each as a number.
enum NGrams {
    /// How many n-grams of the order a sequence of that length has.
    static func count(order: Int, length: Int) -> Int { max(0, length - order + 1) }

    /// For each order from 1 on: how many n-grams of the hypothesis are in the references.
    ///
    /// One that is there repeatedly counts at most as often as in the reference that has it most often.
    static func matches(_ hypothesis: [UInt32], _ references: [[UInt32]], orders: Int) -> [Int] {
        // An n-gram is known by the number of its first n - 1 symbols and by its last symbol. Only what matched in
        // one order can match in the next, so what the hypothesis alone has is never stored.
        var hypothesis = Runs(hypothesis)
        var references = references.map { Runs($0) }
        var numbers: [UInt64: UInt32] = [:]
        return (1...orders).map { order in
            numbers.removeAll(keepingCapacity: true)
            var limits: [Int] = []
            for index in references.indices {
                var counts = [Int](repeating: 0, count: limits.count)
                references[index].extend(to: order) { run in
                    let number = numbers[run] ?? UInt32(truncatingIfNeeded: counts.count)
                    if Int(number) == counts.count {
                        numbers[run] = number
                        counts.append(0)
                    }
                    counts[Int(number)] += 1
                    return number
                }
                limits = counts.enumerated().map { max($1, $0 < limits.count ? limits[$0] : 0) }
            }
            var matches = 0
            hypothesis.extend(to: order) { run in
                guard let number = numbers[run] else { return nil }
                if limits[Int(number)] > 0 {
                    limits[Int(number)] -= 1
                    matches += 1
                }
                return number
            }
            return matches
        }
    }
}

/// The n-grams of a sequence: where each starts and its number.
private struct Runs {
    private let symbols: [UInt32]
    private var runs: [(start: Int, number: UInt32)]

    init(_ symbols: [UInt32]) {
        self.symbols = symbols
        self.runs = symbols.indices.map { ($0, 0) }
    }

    /// Makes each one symbol longer and numbers it; drops those that end or get no number.
    mutating func extend(to order: Int, number: (UInt64) -> UInt32?) {
        var kept = 0
        for (start, shorter) in self.runs {
            let last = start + order - 1
            guard last < self.symbols.count,
                let longer = number(UInt64(shorter) << 32 | UInt64(self.symbols[last]))
            else { continue }
            self.runs[kept] = (start, longer)
            kept += 1
        }
        self.runs.removeLast(self.runs.count - kept)
    }
}
