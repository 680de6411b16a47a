/// Right and predicted classes, counted, as scikit-learn's metrics need them.
struct Classification {
    /// More classes than any choice has letters; a table of their pairs is still small.
    private static let mostClasses = 1000

    private(set) var width = 0
    /// Gold after gold, each prediction's count; empty if a class is no number from 0 to 999.
    private var counts: [Double] = []

    init(_ pairs: some Collection<(gold: Double, prediction: Double)>) {
        guard let (cells, width) = Self.cells(pairs) else { return }
        self.width = width
        self.counts = [Double](repeating: 0, count: width * width)
        for cell in cells { self.counts[cell] += 1 }
    }

    init(counts: [Double], width: Int) {
        self.counts = counts
        self.width = width
    }

    /// Each pair's place in `counts`, and their width; nil if a class is no number from 0 to 999.
    static func cells(_ pairs: some Collection<(gold: Double, prediction: Double)>) -> (cells: [Int], width: Int)? {
        var largest = 0.0
        for pair in pairs {
            for number in [pair.gold, pair.prediction] {
                guard number >= 0, number < Double(Self.mostClasses), number.rounded() == number else { return nil }
            }
            largest = max(largest, pair.gold, pair.prediction)
        }
        let width = Int(largest) + 1
        return (pairs.map { Int($0.gold) * width + Int($0.prediction) }, width)
    }

    /// Without one sample of each cell, as `score` has it; of cells without samples 0.
    func withoutOne(_ score: (Classification) -> Double) -> [Double] {
        self.counts.indices.map { cell in
            guard self.counts[cell] > 0 else { return 0 }
            var table = self
            table.counts[cell] -= 1
            return score(table)
        }
    }

    /// The samples of the rarest class on either side that has any.
    var smallestClass: Int {
        let classes = 0..<self.width
        let golds = classes.map { gold in classes.reduce(0) { $0 + self.count(gold, $1) } }
        let predictions = classes.map { prediction in classes.reduce(0) { $0 + self.count($1, prediction) } }
        return Int((golds + predictions).filter { $0 > 0 }.min() ?? 0)
    }

    private func count(_ gold: Int, _ prediction: Int) -> Double {
        gold < self.width && prediction < self.width ? self.counts[gold * self.width + prediction] : 0
    }

    /// F1 of class 1, 0 where neither side has it; NaN if there are other classes than 0 and 1.
    var f1: Double {
        guard (1...2).contains(self.width) else { return .nan }
        let all = 2 * self.count(1, 1) + self.count(0, 1) + self.count(1, 0)
        return all == 0 ? 0 : 2 * self.count(1, 1) / all
    }

    /// Matthews' correlation for any number of classes (Gorodkin 2004); 0 where one side has a single class.
    var matthewsCorrelation: Double {
        guard self.width > 0 else { return .nan }
        let classes = 0..<self.width
        let golds = classes.map { gold in classes.reduce(0) { $0 + self.count(gold, $1) } }
        let predictions = classes.map { prediction in classes.reduce(0) { $0 + self.count($1, prediction) } }
        let right = classes.reduce(0) { $0 + self.count($1, $1) }
        let total = golds.reduce(0, +)
        func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        let square = total * total
        let spread = (square - product(predictions, predictions)) * (square - product(golds, golds))
        return spread == 0 ? 0 : (right * total - product(golds, predictions)) / spread.squareRoot()
    }
}

/// How far confidence is from being right.
enum CalibrationError {
    /// As many bins as Guo and others (2017) use.
    static let bins = 15

    /// The samples in bins of equally many, sorted by confidence; equal ones keep their order.
    ///
    /// Of bins that can't be of one size the first have a sample more. nil where a number is NaN, and without samples.
    static func equalMass(_ samples: [(confidence: Double, isRight: Double)]) -> [[Int]]? {
        guard !samples.isEmpty, samples.allSatisfy({ !$0.confidence.isNaN && !$0.isRight.isNaN }) else { return nil }
        let order = samples.indices.sorted {
            (samples[$0].confidence, $0) < (samples[$1].confidence, $1)
        }
        let count = min(Self.bins, samples.count)
        var bins: [[Int]] = []
        var start = 0
        for bin in 0..<count {
            let size = samples.count / count + (bin < samples.count % count ? 1 : 0)
            bins.append(Array(order[start..<start + size]))
            start += size
        }
        return bins
    }

    /// The mean over all samples of their bin's distance between confidence and share of right answers; NaN for none.
    static func score(_ samples: [(confidence: Double, isRight: Double)]) -> Double {
        guard let bins = Self.equalMass(samples) else { return .nan }
        let error = bins.reduce(0) { sum, bin in
            sum + abs(bin.reduce(0) { $0 + samples[$1].confidence - samples[$1].isRight })
        }
        return error / Double(samples.count)
    }
}
