internal import Glibc

/// A two-sided interval that covers the true value in 95 % of repetitions.
public struct ConfidenceInterval: Sendable, Hashable {
    public var lower: Double
    public var upper: Double

    /// The probability of covering that every interval of this module has.
    public static let level = 0.95
    /// The standard normal quantile at (1 + `level`) / 2.
    public static let z = 1.959963984540054

    public init(lower: Double, upper: Double) {
        self.lower = lower
        self.upper = upper
    }

    /// The interval of a normally distributed estimate.
    public static func normal(around value: Double, standardError: Double) -> ConfidenceInterval {
        .init(lower: value - Self.z * standardError, upper: value + Self.z * standardError)
    }

    /// Wilson's score interval of a proportion; nil unless 0 <= `successes` <= `count` and `count` > 0.
    public static func wilson(successes: Int, count: Int) -> ConfidenceInterval? {
        guard count > 0, (0...count).contains(successes) else { return nil }
        let n = Double(count)
        let p = Double(successes) / n
        let z2 = Self.z * Self.z
        let centre = (p + z2 / (2 * n)) / (1 + z2 / n)
        let half = Self.z / (1 + z2 / n) * (p * (1 - p) / n + z2 / (4 * n * n)).squareRoot()
        // At the ends the interval reaches 0 and 1 exactly; in floating point it would miss them by a rounding.
        return .init(
            lower: successes == 0 ? 0 : max(0, centre - half), upper: successes == count ? 1 : min(1, centre + half))
    }

    /// The smallest interval that holds all of `intervals`; nil for none.
    static func covering(_ intervals: [ConfidenceInterval]) -> ConfidenceInterval? {
        guard let lower = intervals.map(\.lower).min(), let upper = intervals.map(\.upper).max() else { return nil }
        return .init(lower: lower, upper: upper)
    }

    /// The interval of the exponential of what this interval is of.
    var exponentiated: ConfidenceInterval { .init(lower: exp(self.lower), upper: exp(self.upper)) }

    var isFinite: Bool { self.lower.isFinite && self.upper.isFinite }
}
