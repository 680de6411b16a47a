/// Counts for chrF or chrF++, of one sample or of many together.
public struct CharacterFStatistics: TranslationStatistics {
    /// The n-grams of one order.
    struct Counts: Hashable {
        /// 0 where the reference has no n-gram of that order.
        var hypothesis = 0.0
        var reference = 0.0
        var matches = 0.0
    }

    /// Characters 1...6, then words 1...2 for chrF++; none before a sample was added.
    private(set) var orders: [Counts] = []

    public init() {}

    init(orders: [Counts]) { self.orders = orders }

    /// For each order: hypothesis, reference, matches.
    public init?(values: [Double]) {
        guard [0, 18, 24].contains(values.count), Self.areCounts(values) else { return nil }
        self.orders = stride(from: 0, to: values.count, by: 3).map { index in
            Counts(hypothesis: values[index], reference: values[index + 1], matches: values[index + 2])
        }
    }

    public var values: [Double] { self.orders.flatMap { [$0.hypothesis, $0.reference, $0.matches] } }

    /// An order that one of them lacks counts as 0 there.
    public static func += (sum: inout Self, sample: Self) {
        let missing = max(0, sample.orders.count - sum.orders.count)
        sum.orders.append(contentsOf: repeatElement(Counts(), count: missing))
        for (index, counts) in sample.orders.enumerated() {
            sum.orders[index].hypothesis += counts.hypothesis
            sum.orders[index].reference += counts.reference
            sum.orders[index].matches += counts.matches
        }
    }

    /// chrF2 or chrF2++ (Popović, 2015 and 2017), 0...100, over the orders that both sides have.
    public var score: Double {
        let factor = 4.0  // Beta is 2.
        let present = self.orders.filter { $0.hypothesis > 0 && $0.reference > 0 }
        guard !present.isEmpty else { return 0 }
        let precision = present.reduce(0) { $0 + $1.matches / $1.hypothesis } / Double(present.count)
        let recall = present.reduce(0) { $0 + $1.matches / $1.reference } / Double(present.count)
        guard precision + recall > 0 else { return 0 }
        return 100 * ((1 + factor) * precision * recall / (factor * precision + recall))
    }
}
