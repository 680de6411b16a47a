#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Counts for BLEU, of one sample or of many together; lengths in tokens.
public struct BLEUStatistics: TranslationStatistics {
    public private(set) var hypothesisLength = 0.0
    /// Of the reference whose length is closest to the hypothesis'.
    public private(set) var referenceLength = 0.0
    /// The hypothesis' n-grams that are in a reference, for n = 1...4.
    public private(set) var matches = SIMD4<Double>.zero
    /// All n-grams of the hypothesis, for n = 1...4.
    public private(set) var totals = SIMD4<Double>.zero

    public init() {}

    init(hypothesisLength: Int, referenceLength: Int, matches: [Int]) {
        self.hypothesisLength = Double(hypothesisLength)
        self.referenceLength = Double(referenceLength)
        for index in self.matches.indices {
            self.matches[index] = Double(matches[index])
            self.totals[index] = Double(NGrams.count(order: index + 1, length: hypothesisLength))
        }
    }

    /// Hypothesis length, reference length, the four matches, the four totals.
    public init?(values: [Double]) {
        guard values.count == 10, Self.areCounts(values) else { return nil }
        self.hypothesisLength = values[0]
        self.referenceLength = values[1]
        self.matches = SIMD4(values[2..<6])
        self.totals = SIMD4(values[6..<10])
    }

    public var values: [Double] {
        [self.hypothesisLength, self.referenceLength]
            + self.matches.indices.map { self.matches[$0] } + self.totals.indices.map { self.totals[$0] }
    }

    public static func += (sum: inout Self, sample: Self) {
        sum.hypothesisLength += sample.hypothesisLength
        sum.referenceLength += sample.referenceLength
        sum.matches += sample.matches
        sum.totals += sample.totals
    }

    /// BLEU (Papineni and others, 2002), 0...100; an order without a match is smoothed as mteval-v13a does.
    public var score: Double {
        // An order for which no hypothesis has enough tokens makes the geometric mean 0, too.
        guard self.matches != .zero, self.totals.min() > 0 else { return 0 }
        var smoothing = 1.0
        var sum = 0.0
        for index in self.matches.indices {
            if self.matches[index] > 0 {
                sum += log(100 * self.matches[index] / self.totals[index])
            } else {
                smoothing *= 2
                sum += log(100 / (smoothing * self.totals[index]))
            }
        }
        return self.brevityPenalty * exp(sum / 4)
    }

    private var brevityPenalty: Double {
        guard self.hypothesisLength < self.referenceLength else { return 1 }
        return exp(1 - self.referenceLength / self.hypothesisLength)
    }
}
