/// Counts for TER, of one sample or of many together.
public struct EditStatistics: TranslationStatistics {
    /// Insertions, deletions, substitutions and shifts to the reference that needs fewest.
    public private(set) var edits = 0.0
    /// Words of a reference, the mean over a sample's references.
    public private(set) var referenceLength = 0.0

    public init() {}

    init(edits: Int, referenceLength: Double) {
        self.edits = Double(edits)
        self.referenceLength = referenceLength
    }

    /// Edits, reference length.
    public init?(values: [Double]) {
        guard values.count == 2, Self.areCounts(values) else { return nil }
        self.edits = values[0]
        self.referenceLength = values[1]
    }

    public var values: [Double] { [self.edits, self.referenceLength] }

    public static func += (sum: inout Self, sample: Self) {
        sum.edits += sample.edits
        sum.referenceLength += sample.referenceLength
    }

    /// Edits per 100 words of reference: 0 is best, more than 100 is possible; 100 for any edits of an empty one.
    public var score: Double {
        if self.referenceLength > 0 { return 100 * (self.edits / self.referenceLength) }
        return self.edits > 0 ? 100 : 0
    }
}
