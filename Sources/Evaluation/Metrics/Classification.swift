/// Right and predicted classes, counted, as scikit-learn's metrics need them.
struct Classification {
    /// More classes than any choice has letters; a table of their pairs is still small.
    private static let mostClasses = 1000

    private var width = 0
    /// Gold after gold, each prediction's count; empty if a class is no number from 0 to 999.
    private var counts: [Double] = []

    init(_ pairs: some Collection<(gold: Double, prediction: Double)>) {
        var largest = 0.0
        for pair in pairs {
            for number in [pair.gold, pair.prediction] {
                guard number >= 0, number < Double(Self.mostClasses), number.rounded() == number else { return }
            }
            largest = max(largest, pair.gold, pair.prediction)
        }
        self.width = Int(largest) + 1
        self.counts = [Double](repeating: 0, count: self.width * self.width)
        for pair in pairs { self.counts[Int(pair.gold) * self.width + Int(pair.prediction)] += 1 }
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

    /// Expected calibration error over bins of equally many samples, sorted by confidence; equal ones keep their order.
    ///
    /// Of bins that can't be of one size the first have a sample more.
    static func equalMass(_ samples: [(confidence: Double, isRight: Double)]) -> Double {
        guard !samples.isEmpty, samples.allSatisfy({ !$0.confidence.isNaN && !$0.isRight.isNaN }) else { return .nan }
        let order = samples.indices.sorted {
            (samples[$0].confidence, $0) < (samples[$1].confidence, $1)
        }
        let count = min(Self.bins, samples.count)
        var error = 0.0
        var start = 0
        for bin in 0..<count {
            let size = samples.count / count + (bin < samples.count % count ? 1 : 0)
            let gap = order[start..<start + size].reduce(0) { $0 + samples[$1].confidence - samples[$1].isRight }
            error += abs(gap)
            start += size
        }
        return error / Double(samples.count)
    }
}
