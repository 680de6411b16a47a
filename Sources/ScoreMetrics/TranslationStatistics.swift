/// What a sample contributes to the score of a corpus: numbers that add up.
///
/// The score of a corpus is the score of its samples' sum, so a bootstrap needs sums only.
public protocol TranslationStatistics: Sendable, Hashable {
    /// Those of no sample.
    init()

    /// Reads what `values` wrote; `nil` for another number of values, or one that is negative or not finite.
    init?(values: [Double])

    /// The numbers in sacrebleu's order.
    var values: [Double] { get }

    /// 0...100; beyond that for an edit rate.
    var score: Double { get }

    static func += (sum: inout Self, sample: Self)
}

extension TranslationStatistics {
    /// The statistics of a corpus; added in order.
    public static func sum(of samples: some Sequence<Self>) -> Self {
        samples.reduce(into: Self()) { $0 += $1 }
    }

    static func areCounts(_ values: [Double]) -> Bool { values.allSatisfy { $0.isFinite && $0 >= 0 } }
}
