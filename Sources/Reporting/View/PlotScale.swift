internal import Glibc

/// A linear axis with ticks at round numbers.
struct PlotScale {
    let lower: Double
    let upper: Double
    let ticks: [Double]
    /// As many as the ticks need.
    let decimals: Int

    /// The axis of shares.
    static let share = PlotScale(lower: 0, upper: 1, ticks: [0, 0.25, 0.5, 0.75, 1], decimals: 2)

    private init(lower: Double, upper: Double, ticks: [Double], decimals: Int) {
        self.lower = lower
        self.upper = upper
        self.ticks = ticks
        self.decimals = decimals
    }

    /// An axis with room for all of `values`, which are finite.
    init(covering values: [Double]) {
        let smallest = values.min() ?? 0
        let largest = values.max() ?? 1
        // Scores without a spread still need an axis of some length.
        let spread = largest - smallest
        let margin = spread > 0 ? spread * 0.12 : max(smallest.magnitude * 0.1, 0.1)
        let (low, high) = (smallest - margin, largest + margin)
        guard (high - low).isFinite, high - low > 0 else {
            self.init(lower: smallest, upper: largest, ticks: [], decimals: 0)
            return
        }
        let step = Self.roundStep(for: (high - low) / 4)
        var ticks: [Double] = []
        var number = (low / step).rounded(.up)
        while number * step <= high, ticks.count < 12 {
            ticks.append(number * step)
            number += 1
        }
        self.init(lower: low, upper: high, ticks: ticks, decimals: max(0, -Int(log10(step).rounded(.down))))
    }

    /// Where `value` stands, 0 at the lower end of the axis and 1 at the upper.
    func position(of value: Double) -> Double {
        guard self.upper > self.lower else { return 0.5 }
        return min(1, max(0, (value - self.lower) / (self.upper - self.lower)))
    }

    /// The smallest of 1, 2, 5 times a power of ten that is at least `length`.
    private static func roundStep(for length: Double) -> Double {
        let power = pow(10, log10(length).rounded(.down))
        return ([1, 2, 5].first { $0 * power >= length } ?? 10) * power
    }
}
