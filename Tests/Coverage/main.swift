// Measures how often the intervals of Statistics cover the true score, in 10,000 simulations for each line, with fixed seeds.
// It ends with 1 where an interval holds too seldom. infra/test runs it; `interval-coverage --table` prints every line, and
// `--only TEXT` simulates those alone whose kind has the text in it.

import Glibc
import Statistics

var seed: UInt64 = 0
var lines: [Coverage] = []
let chances = [0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.9, 0.98]

// MARK: Zeros and ones

for n in [1, 2, 3, 5, 8, 12, 20, 29, 30, 40, 60, 100, 300] {
    // An interval is a function of the number of ones.
    let estimates = (0...n).map { ones in
        Estimate.mean(of: [Double](repeating: 1, count: ones) + [Double](repeating: 0, count: n - ones))
    }
    for p in chances {
        var line = Coverage("0/1", units: n, truth: p, seed: &seed) { estimates[$0.successes(of: n, p)] }
        line.attainable = attainable(n, p)
        lines.append(line)
    }
}

/// How likely 0...n successes are of n trials with probability p.
func binomial(_ n: Int, _ p: Double) -> [Double] {
    (0...n).map { k in
        let ways = lgamma(Double(n) + 1) - lgamma(Double(k) + 1) - lgamma(Double(n - k) + 1)
        return exp(ways + Double(k) * log(p) + Double(n - k) * log1p(-p))
    }
}

/// The smallest probability of at least 94 % that an unbroken row of counts has, of n trials with probability p.
func attainable(_ n: Int, _ p: Double) -> Double {
    let sums = binomial(n, p).reduce(into: [0.0]) { $0.append($0[$0.count - 1] + $1) }
    var (least, first) = (1.0, 0)
    for end in sums.indices {
        while first < end, sums[end] - sums[first + 1] >= 0.94 { first += 1 }
        if sums[end] - sums[first] >= 0.94 { least = min(least, sums[end] - sums[first]) }
    }
    return least
}

// MARK: Clusters

/// Sizes of clusters by a name.
let sizes: [(name: String, size: (Int) -> Int)] = [
    ("clusters of 5", { _ in 5 }), ("clusters of 1 to 13", { 1 + $0 * 7 % 13 }),
]
for (name, size) in sizes {
    for count in [2, 5, 10, 30, 60] {
        let clusters = (0..<count).flatMap { [Int](repeating: $0, count: size($0)) }
        for correlation in [0, 0.1, 0.3] {
            for p in count < 10 ? [0.02, 0.5] : [0.02, 0.1, 0.5] {
                let kind = "0/1, \(name), ICC \(correlation)"
                lines.append(
                    Coverage(kind, units: count, truth: p, seed: &seed) { random in
                        var samples: [WeightedValue] = []
                        samples.reserveCapacity(clusters.count)
                        for cluster in 0..<count {
                            let chance =
                                correlation == 0 ? p : random.beta(mean: p, size: (1 - correlation) / correlation)
                            for _ in 0..<size(cluster) {
                                samples.append(.init(value: random.chance(chance) ? 1 : 0, weight: 1))
                            }
                        }
                        return .clustered(samples, clusters: clusters, in: 0...1)
                    })
            }
        }
    }
}

// MARK: Bounded means

let bounded: [(name: String, draw: (inout Random, Double) -> Double)] = [
    // The mean of 8 epochs of a question, most of which are easy or hard.
    ("mean of 8 epochs", { random, p in Double(random.successes(of: 8, random.beta(mean: p, size: 1))) / 8 }),
    // Right, wrong, and something between: F1 of words.
    (
        "fractions between 0 and 1",
        { random, p in
            let part = min(p, 1 - p)
            let unit = random.unit()
            return unit < part ? random.beta(mean: 0.5, size: 4) : unit < p + part / 2 ? 1 : 0
        }
    ),
    // Many at one end, the others anywhere: ROUGE of long answers.
    (
        "most at one end",
        { random, p in
            let part = 2 * min(p, 1 - p)
            let value = random.chance(part) ? random.unit() : 0
            return p < 0.5 ? value : 1 - value
        }
    ),
    ("narrow", { random, p in random.beta(mean: p, size: 60) }),
]
for (name, draw) in bounded {
    for n in [2, 5, 10, 30, 60] {
        for p in [0.02, 0.1, 0.5, 0.9] {
            lines.append(
                Coverage(name, units: n, truth: p, seed: &seed) { random in
                    .mean(of: (0..<n).map { _ in draw(&random, p) }, in: 0...1)
                })
        }
    }
}
for count in [5, 10, 30, 60] {
    let clusters = (0..<count).flatMap { [Int](repeating: $0, count: 1 + $0 * 7 % 13) }
    for p in [0.02, 0.1, 0.5, 0.9] {
        lines.append(
            Coverage("mean of 4 epochs, clusters of 1 to 13", units: count, truth: p, seed: &seed) { random in
                var samples: [WeightedValue] = []
                for cluster in 0..<count {
                    let chance = random.beta(mean: p, size: 6)
                    for _ in 0..<(1 + cluster * 7 % 13) {
                        let value = Double(random.successes(of: 4, random.beta(mean: chance, size: 2))) / 4
                        samples.append(.init(value: value, weight: 1))
                    }
                }
                return .clustered(samples, clusters: clusters, in: 0...1)
            })
    }
}

// MARK: Quotients

/// Precision and recall alike, which F1 is then, too.
func draw(_ random: inout Random, recall: Double, share: Double, gold: Bool) -> WeightedValue {
    let found = random.chance(gold ? recall : share * (1 - recall) / (1 - share))
    return .init(value: gold && found ? 2 : 0, weight: (gold ? 1 : 0) + (found ? 1 : 0))
}

/// As in reports: nothing was found and there was nothing to find, so that F1 may be anything.
func f1(_ samples: [WeightedValue], _ clusters: [Int]?) -> Estimate {
    let estimate = Estimate.f1(of: samples, clusters: clusters)
    if estimate.gap != .noWeight { return estimate }
    return Estimate(
        count: samples.count, value: 0, standardError: 0, interval: .init(lower: 0, upper: 1), method: .f1)
}

for n in [5, 10, 30, 100, 300] {
    for (recall, share) in [(0.05, 0.3), (0.5, 0.3), (0.9, 0.3), (0.8, 0.1), (0.98, 0.5)] {
        var line = Coverage("F1, \(Int(share * 100)) % positive", units: n, truth: recall, seed: &seed) { random in
            f1(
                (0..<n).map { _ in
                    let gold = random.chance(share)
                    return draw(&random, recall: recall, share: share, gold: gold)
                }, nil)
        }
        // Of the samples that a side calls positive, both do in this share.
        let said = share * (2 - recall)
        line.attainable = binomial(n, said).enumerated().reduce(0) {
            $0 + $1.element * attainable($1.offset, recall / (2 - recall))
        }
        lines.append(line)
    }
}
for count in [5, 10, 30, 60] {
    let clusters = (0..<count).flatMap { [Int](repeating: $0, count: 1 + $0 * 7 % 13) }
    for (recall, share) in [(0.5, 0.3), (0.9, 0.3), (0.8, 0.1)] {
        lines.append(
            Coverage("F1 over clusters of 1 to 13", units: count, truth: recall, seed: &seed) { random in
                var samples: [WeightedValue] = []
                for cluster in 0..<count {
                    // Clusters differ in how often they are positive, and in how often that is found.
                    let positive = random.beta(mean: share, size: 4)
                    let (isEasy, mean) = (random.unit(), recall)
                    let part = min(mean, 1 - mean) / 2
                    let chance = isEasy < 0.5 ? mean - part : mean + part
                    for _ in 0..<(1 + cluster * 7 % 13) {
                        let gold = random.chance(positive)
                        let found = random.chance(gold ? chance : share * (1 - chance) / (1 - share))
                        samples.append(.init(value: gold && found ? 2 : 0, weight: (gold ? 1 : 0) + (found ? 1 : 0)))
                    }
                }
                return f1(samples, clusters)
            })
    }
}

// MARK: Without bounds

let unbounded: [(name: String, mean: Double, draw: (inout Random) -> Double)] = [
    ("normal", 0, { $0.normal() }), ("gamma 2", 2, { $0.gamma(2) }), ("exponential", 1, { -log($0.unit()) }),
    ("gamma 0.5", 0.5, { $0.gamma(0.5) }),
]
for (name, mean, draw) in unbounded {
    for n in [2, 3, 4, 5, 6, 8, 10, 20, 30, 100] {
        lines.append(
            Coverage("perplexity, \(name)", units: n, truth: exp(mean), bounds: 0...(.infinity), seed: &seed) {
                random in
                .perplexity(ofLogLikelihoods: (0..<n).map { _ in -draw(&random) })
            })
    }
}
for (name, mean, draw) in unbounded {
    for n in [2, 3, 5, 10, 30, 100] {
        lines.append(
            Coverage("mean without bounds, \(name)", units: n, truth: mean, bounds: nil, seed: &seed) { random in
                .mean(of: (0..<n).map { _ in draw(&random) })
            })
    }
}
for n in [2, 3, 5, 10, 30, 100] {
    lines.append(
        Coverage("bits per byte, lengths of many sizes", units: n, truth: Estimate.bitsPerNat, bounds: nil, seed: &seed)
        {
            random in
            let samples = (0..<n).map { _ -> WeightedValue in
                let length = exp(0.8 * random.normal())
                return .init(value: -length * (1 + 0.3 * random.normal()), weight: length)
            }
            return .bitsPerByte(ofLogLikelihoods: samples)
        })
}
for count in [5, 10, 30, 60] {
    let clusters = (0..<count).flatMap { [Int](repeating: $0, count: 1 + $0 * 7 % 13) }
    lines.append(
        Coverage("perplexity, clusters of 1 to 13", units: count, truth: exp(2), bounds: nil, seed: &seed) { random in
            var samples: [WeightedValue] = []
            for cluster in 0..<count {
                let shift = 0.5 * random.normal()
                for _ in 0..<(1 + cluster * 7 % 13) {
                    samples.append(.init(value: -(random.gamma(2) + shift), weight: 1))
                }
            }
            return .clustered(samples, clusters: clusters, scale: .perplexity)
        })
}

// MARK: Scores that are no quotients

/// The correlation of two yes/no columns by how often they say yes and no: gold and found, gold alone, found alone, neither.
func correlation(_ cells: [Double]) -> Double {
    let (both, gold, found, none) = (cells[0], cells[1], cells[2], cells[3])
    let product = (both + gold) * (both + found) * (none + gold) * (none + found)
    return product > 0 ? (both * none - gold * found) / product.squareRoot() : 0
}

for n in [10, 30, 100, 300] {
    for (share, right) in [(0.5, 0.8), (0.5, 0.6), (0.3, 0.9), (0.15, 0.8)] {
        let chances = [share * right, share * (1 - right), (1 - share) * (1 - right), (1 - share) * right]
        var line = Coverage(
            "correlation (mcc), \(Int((100 * share).rounded())) % positive", units: n, truth: correlation(chances),
            bounds: -1...1, seed: &seed
        ) { random in
            var cells = [0.0, 0, 0, 0]
            let samples = (0..<n).map { _ -> Int in
                let cell = random.chance(share) ? (random.chance(right) ? 0 : 1) : (random.chance(right) ? 3 : 2)
                cells[cell] += 1
                return cell
            }
            let score = correlation(cells)
            let influence = (0..<4).map { cell -> Double in
                guard cells[cell] > 0 else { return 0 }
                var others = cells
                others[cell] -= 1
                return Double(n - 1) * (score - correlation(others))
            }
            let classes = [cells[0] + cells[1], cells[2] + cells[3], cells[0] + cells[2], cells[1] + cells[3]]
            return .statistic(
                score: score, influences: samples.map { influence[$0] }, clusters: nil as [Int]?, in: -1...1,
                units: Int(classes.min() ?? 0))
        }
        // Of 30 samples as few as 5 are of one class.
        if n * Int((100 * share).rounded()) < 1000 { line.most = 0.98 }
        lines.append(line)
    }
}
for (name, median, draw) in [
    ("normal", 0, { $0.normal() }), ("exponential", log(2), { -log($0.unit()) }),
    ("two humps", 0, { $0.normal() + ($0.chance(0.5) ? 2 : -2) }),
] as [(String, Double, (inout Random) -> Double)] {
    for n in [10, 30, 31, 100, 300] {
        var line = Coverage("median, \(name)", units: n, truth: median, bounds: nil, seed: &seed) { random in
            .median(of: (0..<n).map { _ in draw(&random) }, clusters: nil as [Int]?, in: nil)
        }
        // Both ends are equally far from the middle.
        let sums = binomial(n, 0.5).reduce(into: [0.0]) { $0.append($0[$0.count - 1] + $1) }
        line.attainable = sums.prefix(n / 2 + 1).map { 1 - 2 * $0 }.filter { $0 >= 0.94 }.min()
        lines.append(line)
    }
}

for count in [10, 30, 60] {
    let clusters = (0..<count).flatMap { [Int](repeating: $0, count: 1 + $0 * 7 % 13) }
    lines.append(
        Coverage("median over clusters of 1 to 13, normal", units: count, truth: 0, bounds: nil, seed: &seed) {
            random in
            var values: [Double] = []
            for cluster in 0..<count {
                let shift = 0.5 * random.normal()
                for _ in 0..<(1 + cluster * 7 % 13) { values.append(random.normal() + shift) }
            }
            return .median(of: values, clusters: clusters, in: nil)
        })
}

// MARK: Translations

/// BLEU of lengths (hypothesis, reference), matches and totals of 1 to 4 words, as Evaluation has it.
func bleu(_ sums: UnsafeBufferPointer<Double>) -> Double {
    guard (2..<6).contains(where: { sums[$0] > 0 }), (6..<10).allSatisfy({ sums[$0] > 0 }) else { return 0 }
    var (smoothing, logarithm) = (1.0, 0.0)
    for order in 2..<6 {
        if sums[order] == 0 { smoothing *= 2 }
        logarithm += log(100 * (sums[order] > 0 ? sums[order] : 1 / smoothing) / sums[order + 4])
    }
    return exp(logarithm / 4 + min(0, 1 - sums[1] / sums[0]))
}

/// chrF of hypothesis, reference and matches of 1 to 6 characters, as Evaluation has it.
func chrF(_ sums: UnsafeBufferPointer<Double>) -> Double {
    var (precision, recall, orders) = (0.0, 0.0, 0.0)
    for order in stride(from: 0, to: 18, by: 3) where sums[order] > 0 && sums[order + 1] > 0 {
        precision += sums[order + 2] / sums[order]
        recall += sums[order + 2] / sums[order + 1]
        orders += 1
    }
    return precision + recall > 0 ? 100 * (5 * precision * recall / (4 * precision + recall)) / orders : 0
}

func translationEditRate(_ sums: UnsafeBufferPointer<Double>) -> Double { 100 * sums[0] / sums[1] }

/// A sentence's lengths, and which of its words are right: each with `quality`.
func sentence(_ random: inout Random, quality: Double) -> (words: [Bool], reference: Double) {
    let length = max(1, (18 * exp(0.5 * random.normal())).rounded())
    let reference = max(1, (length * exp(0.03 + 0.12 * random.normal())).rounded())
    return ((0..<Int(length)).map { _ in random.chance(quality) }, reference)
}

func bleuTerms(_ random: inout Random, quality: Double) -> [Double] {
    let (words, reference) = sentence(&random, quality: quality)
    var terms = [Double(words.count), reference] + [Double](repeating: 0, count: 8)
    var run = 0
    for (index, isRight) in words.enumerated() {
        run = isRight ? run + 1 : 0
        for order in 0..<4 {
            if run > order { terms[2 + order] += 1 }
            if index >= order { terms[6 + order] += 1 }
        }
    }
    return terms
}

func chrFTerms(_ random: inout Random, quality: Double) -> [Double] {
    let (words, reference) = sentence(&random, quality: quality)
    // A wrong word of five characters has a third of them right, one after the other.
    let right = words.map { $0 ? 5 : Int(3.5 * random.unit()) }
    return (0..<6).flatMap { order -> [Double] in
        let (hypothesis, other) = (max(0, 5 * words.count - order), max(0, 5 * Int(reference) - order))
        var (matches, run) = (0, 0)
        for characters in right {
            run = characters == 5 ? run + 5 : 0
            matches += run > 0 ? min(5, max(0, run - order)) : max(0, characters - order)
        }
        return [Double(hypothesis), Double(other), Double(min(matches, hypothesis, other))]
    }
}

func editTerms(_ random: inout Random, quality: Double) -> [Double] {
    let (words, reference) = sentence(&random, quality: quality)
    // One in a hundred goes on and on, by up to twice its length.
    let more = random.chance(0.01) ? 2 * random.unit() * reference : abs(Double(words.count) - reference)
    return [(Double(words.count { !$0 }) + more).rounded(), reference]
}

/// The score of a corpus with the jackknife's influences, as Evaluation and Reporting have it.
func corpusEstimate(
    _ terms: [[Double]], _ clusters: [Int]?, _ range: ClosedRange<Double>?,
    _ score: (UnsafeBufferPointer<Double>) -> Double
) -> Estimate {
    var sums = [Double](repeating: 0, count: terms[0].count)
    for sample in terms { for index in sums.indices { sums[index] += sample[index] } }
    let all = sums.withUnsafeBufferPointer(score)
    var less = sums
    let influences = terms.map { sample in
        for index in sums.indices { less[index] = max(0, sums[index] - sample[index]) }
        return Double(terms.count - 1) * (all - less.withUnsafeBufferPointer(score))
    }
    let sizes = range == nil ? terms.map { $0[1] } : nil
    return .statistic(score: all, influences: influences, clusters: clusters, in: range, sizes: sizes)
}

let corpora:
    [(
        name: String, range: ClosedRange<Double>?, terms: (inout Random, Double) -> [Double],
        score: (UnsafeBufferPointer<Double>) -> Double
    )] = [
        ("BLEU", 0...100, { bleuTerms(&$0, quality: $1) }, bleu),
        ("chrF", 0...100, { chrFTerms(&$0, quality: $1) }, chrF),
        ("TER", nil, { editTerms(&$0, quality: $1) }, translationEditRate),
    ]
for (name, range, terms, score) in corpora {
    for quality in [0.4, 0.75, 0.95] {
        // The score of as many sentences as there may be; its error is 1/45 of that of 100.
        var random = Random(seed: 0)
        var expected: [Double] = []
        for _ in 0..<200_000 {
            let sample = terms(&random, random.beta(mean: quality, size: 5))
            expected = expected.isEmpty ? sample : zip(expected, sample).map(+)
        }
        let truth = expected.withUnsafeBufferPointer(score)
        for n in [5, 10, 30, 100] {
            var line = Coverage(
                "\(name), quality \(quality)", units: n, truth: truth, bounds: range ?? 0...(.infinity), seed: &seed
            ) { random in
                let samples = (0..<n).map { _ in terms(&random, random.beta(mean: quality, size: 5)) }
                return corpusEstimate(samples, nil, range, score)
            }
            // Edit rates have room for rare answers that go on and on.
            if range == nil { line.most = 0.97 }
            lines.append(line)
        }
        for count in [5, 10, 30] {
            let clusters = (0..<count).flatMap { [Int](repeating: $0, count: 1 + $0 * 7 % 13) }
            lines.append(
                Coverage(
                    "\(name) over clusters of 1 to 13, quality \(quality)", units: count, truth: truth, bounds: range,
                    seed: &seed
                ) { random in
                    var samples: [[Double]] = []
                    for cluster in 0..<count {
                        // Texts are as different as sentences are all together.
                        let mean = random.beta(mean: quality, size: 11)
                        for _ in 0..<(1 + cluster * 7 % 13) {
                            samples.append(terms(&random, random.beta(mean: mean, size: 10)))
                        }
                    }
                    return corpusEstimate(samples, clusters, range, score)
                })
        }
    }
}

// MARK: Groups

for (tasks, n) in [(2, 10), (2, 50), (5, 20), (30, 10), (57, 20)] {
    for p in [0.05, 0.3, 0.9] {
        var known: [Int: Estimate] = [:]
        for weighted in [true, false] {
            let chances = (0..<tasks).map { p + min(p, 1 - p) * (Double($0) / Double(tasks - 1) - 0.5) }
            lines.append(
                Coverage(
                    "\(weighted ? "pooled" : "averaged") tasks of \(n) 0/1 each", units: tasks, truth: p, seed: &seed
                ) { random in
                    let parts = chances.map { chance -> Estimate in
                        let ones = random.successes(of: n, chance)
                        if let estimate = known[ones] { return estimate }
                        let estimate = Estimate.mean(
                            of: [Double](repeating: 1, count: ones) + [Double](repeating: 0, count: n - ones))
                        known[ones] = estimate
                        return estimate
                    }
                    return weighted ? .pooled(parts) : .averaged(parts)
                })
        }
    }
}

// MARK: Calibration

for n in [60, 300] {
    for shift in [0, 0.1, 0.25] {
        lines.append(
            Coverage("calibration error, sure by \(shift) too much", units: n, truth: shift, seed: &seed, runs: 200) {
                random in
                let confidences = (0..<n).map { shift + (1 - shift) * (Double($0) + 0.5) / Double(n) }
                let isRight = confidences.map { random.chance($0 - shift) ? 1.0 : 0 }
                let bins = (0..<15).map { bin in Array(n / 15 * bin..<n / 15 * (bin + 1)) }
                return .calibration(confidences, isRight: isRight, bins: bins, clusters: nil as [Int]?)
            })
    }
}

// MARK: The verdict

lines.removeAll { $0.runs == 0 }
let isTable = CommandLine.arguments.contains("--table")
func text(_ number: Double, _ digits: Int) -> String {
    guard abs(number) < 1e6 else { return "large" }
    let scale = pow(10, Double(digits))
    let whole = Int((abs(number) * scale).rounded())
    let part = String(whole % Int(scale))
    let zeros = String(repeating: "0", count: digits - part.count)
    return "\(number < 0 ? "-" : "")\(whole / Int(scale)).\(zeros)\(part)"
}
if isTable { print("| scores | units | true score | held, % | mean width | |\n|---|---:|---:|---:|---:|---|") }
var failures = 0
for line in lines {
    let failure = line.failure
    if failure != nil { failures += 1 }
    guard isTable || failure != nil else { continue }
    var notes = failure.map { [$0] } ?? []
    if let attainable = line.attainable, attainable > 0.96 {
        notes.append("can't be below \(text(100 * attainable, 1))")
    }
    print(
        "| \(line.kind) | \(line.units) | \(text(line.truth, 3)) | \(text(100 * line.share, 2)) | \(text(line.width, 4)) | "
            + "\(notes.joined(separator: "; ")) |")
}
print("\n| scores | units | lines | held, %: least | mean | most |\n|---|---|---:|---:|---:|---:|")
var kinds: [String] = []
for line in lines where !kinds.contains(line.family) { kinds.append(line.family) }
for kind in kinds {
    for (title, isWanted) in [("below 30", { $0 < 30 }), ("30 and more", { $0 >= 30 })] as [(String, (Int) -> Bool)] {
        let shares = lines.filter { $0.family == kind && isWanted($0.units) }.map(\.share)
        guard let least = shares.min(), let most = shares.max() else { continue }
        let mean = shares.reduce(0, +) / Double(shares.count)
        print(
            "| \(kind) | \(title) | \(shares.count) | \(text(100 * least, 1)) | \(text(100 * mean, 1)) | \(text(100 * most, 1)) |"
        )
    }
}
if failures > 0 {
    print(
        "\(failures) of \(lines.count) kinds of intervals do not hold as often as they should; see Sources/Statistics")
    exit(1)
}
