import Glibc
import Statistics

/// How often an interval held in simulations with one set of facts.
struct Coverage {
    /// What is simulated, such as "0/1, clusters of 5, ICC 0.1".
    var kind: String
    /// Independent units: samples, or clusters.
    var units: Int
    var truth: Double
    var held = 0
    var width = 0.0
    /// Intervals with an end outside the bounds of the score.
    var outside = 0
    /// Runs without an interval.
    var absent = 0
    /// The share that no interval can be closer to 95 % with, as counts are whole; nil where that is no matter.
    var attainable: Double?

    let runs: Int
    /// What a kind must have in it to be simulated; nil for all.
    static let only = CommandLine.arguments.firstIndex(of: "--only").flatMap {
        CommandLine.arguments.dropFirst($0 + 1).first
    }
    /// The largest share that is wanted: 96 %, or 98 % where so few units differ from the rest that their spread is not seen.
    var most: Double

    var share: Double { Double(self.held) / Double(self.runs) }

    /// What lines are added up by: `kind` without its last part.
    var family: String {
        let parts = self.kind.split(separator: ", ")
        return parts.count == 1 ? self.kind : parts.dropLast().joined(separator: ", ")
    }

    /// What is wrong; nil for nothing.
    ///
    /// 94 % to `most` are wanted from 30 units on, and 93 % below; three standard errors of the simulation are allowed for.
    var failure: String? {
        if self.outside > 0 { return "\(self.outside) with an end out of bounds" }
        // Without bounds there is none where a few samples happen to be alike.
        if self.absent > self.runs / 1000 { return "\(self.absent) without an interval" }
        func slack(_ wanted: Double) -> Double { 3 * (wanted * (1 - wanted) / Double(self.runs)).squareRoot() }
        let wanted = self.units >= 30 ? 0.94 : 0.93
        if self.share < wanted - slack(wanted) { return "held too seldom" }
        let most = max(self.most, self.attainable ?? 0)
        return self.units >= 30 && self.share > most + slack(most) ? "held too often" : nil
    }

    /// - Parameter estimate: Of one simulated set of samples.
    init(
        _ kind: String, units: Int, truth: Double, bounds: ClosedRange<Double>? = 0...1, seed: inout UInt64,
        runs: Int = 10_000, _ estimate: (inout Random) -> Estimate
    ) {
        self.kind = kind
        self.units = units
        self.truth = truth
        self.runs = Self.only.map { kind.contains($0) } ?? true ? runs : 0
        self.most = bounds == 0...1 && Double(units) * min(truth, 1 - truth) < 10 ? 0.98 : 0.96
        seed &+= 1
        var random = Random(seed: seed)
        for _ in 0..<self.runs {
            guard let interval = estimate(&random).interval else {
                self.absent += 1
                continue
            }
            // Ends that are decimal fractions are told from the truth up to a rounding.
            if interval.lower <= truth + 1e-12, truth - 1e-12 <= interval.upper { self.held += 1 }
            if let bounds, !bounds.contains(interval.lower) || !bounds.contains(interval.upper) { self.outside += 1 }
            self.width += interval.upper - interval.lower
        }
        self.width /= Double(max(1, self.runs - self.absent))
    }
}

/// SplitMix64 and the distributions that the simulations draw from.
struct Random: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        self.state = seed &* 0xD134_2543_DE82_EF95
    }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Above 0 and below 1.
    mutating func unit() -> Double { (Double(self.next() >> 11) + 0.5) * 0x1p-53 }

    mutating func chance(_ probability: Double) -> Bool { self.unit() < probability }

    mutating func normal() -> Double { (-2 * log(self.unit())).squareRoot() * cos(2 * .pi * self.unit()) }

    /// Marsaglia and Tsang (2000).
    mutating func gamma(_ shape: Double) -> Double {
        if shape < 1 { return self.gamma(shape + 1) * pow(self.unit(), 1 / shape) }
        let d = shape - 1.0 / 3
        let c = 1 / (9 * d).squareRoot()
        while true {
            let x = self.normal()
            let v = 1 + c * x
            guard v > 0 else { continue }
            let cube = v * v * v
            if log(self.unit()) < 0.5 * x * x + d - d * cube + d * log(cube) { return d * cube }
        }
    }

    /// Of mean `mean`; the larger `size`, the narrower.
    mutating func beta(mean: Double, size: Double) -> Double {
        let (a, b) = (self.gamma(mean * size), self.gamma((1 - mean) * size))
        return a + b > 0 ? a / (a + b) : self.chance(mean) ? 1 : 0
    }

    mutating func successes(of count: Int, _ probability: Double) -> Int {
        (0..<count).reduce(0) { sum, _ in sum + (self.chance(probability) ? 1 : 0) }
    }
}
