// Prints how long the statistics of a million samples take: score, standard error and interval of each aggregation, with
// samples that are independent and with clusters of five. `score-speed COUNT` takes another number of samples.

import Evaluation
import Glibc
import ScoreMetrics
import Statistics

let count = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 1_000_000
var state: UInt64 = 1
@MainActor func unit() -> Double {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Double(state >> 11) * 0x1p-53
}

/// What a sample stores besides its value.
@MainActor func terms(_ aggregation: Aggregation) -> [Double] {
    let (length, quality) = (10 + (20 * unit()).rounded(), 0.3 + 0.6 * unit())
    switch aggregation {
    case .f1, .matthewsCorrelation:
        let gold = unit() < 0.3
        return [gold ? 1 : 0, (unit() < 0.8) == gold ? 1 : 0]
    case .calibrationError: return [unit()]
    case .bleu:
        return [length, length + 1] + (1...4).map { (pow(quality, Double($0)) * length).rounded() }
            + (0..<4).map { length - Double($0) }
    case .chrF, .chrFPlusPlus:
        return (0..<aggregation.terms.count / 3).flatMap { order -> [Double] in
            let size = 5 * length - Double(order)
            return [size, size + 2, (quality * size).rounded()]
        }
    case .translationEditRate: return [(length * (1 - quality)).rounded(), length]
    case .bestThreshold: return [unit() < 0.5 ? 1 : 0, unit() < 0.5 ? 1 : 0, unit()]
    default: return []
    }
}

/// The seconds that `work` takes.
func seconds(_ work: () -> Void) -> Double {
    let duration = ContinuousClock().measure(work)
    return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
}

/// As Reporting makes a report's estimate from a column.
func estimate(_ column: MetricColumn, clusters: [String]?) -> Estimate? {
    guard let parts = column.parts else { return nil }
    let drawn = clusters == nil ? column.bootstrapStandardError : nil
    switch parts {
    case .quotient(let values, let weights):
        let samples = zip(values, weights).map { WeightedValue(value: $0, weight: $1) }
        if column.aggregation == .f1 { return .f1(of: samples, clusters: clusters) }
        let isPerplexity = [.perplexity, .weightedPerplexity].contains(column.aggregation)
        if let clusters {
            return .clustered(
                samples, clusters: clusters, scale: isPerplexity ? .perplexity : .times(1),
                in: isPerplexity || column.aggregation == .bitsPerByte ? nil : 0...100)
        }
        switch column.aggregation {
        case .perplexity:
            return .perplexity(
                ofLogLikelihoods: values,
                bootstrapError: drawn ?? Estimate.bootstrapErrorOfPerplexity(ofLogLikelihoods: values))
        case .weightedPerplexity: return .weightedPerplexity(ofLogLikelihoods: samples)
        case .bitsPerByte: return .bitsPerByte(ofLogLikelihoods: samples)
        default: return .mean(of: samples.map(\.value), in: 0...100)
        }
    case .influences(let influences, let smallestClass, let sizes):
        return .statistic(
            score: column.score, influences: influences, clusters: clusters,
            in: column.aggregation == .translationEditRate ? nil : -100...100, bootstrapError: drawn,
            units: smallestClass, sizes: sizes)
    case .median: return .median(of: column.values, clusters: clusters, in: nil, bootstrapError: drawn)
    case .bins(let bins):
        return .calibration(column.terms, isRight: column.values, bins: bins, clusters: clusters)
    }
}

let names = (0..<count).map { "passage \($0 / 5)" }
print("| \(count) samples | seconds | in clusters |\n|---|---:|---:|")
for aggregation in Aggregation.allCases {
    let isLikelihood = [.perplexity, .weightedPerplexity, .bitsPerByte].contains(aggregation)
    let isRight = aggregation == .calibrationError
    let values = (0..<count).map { _ in isLikelihood ? -5 * unit() : isRight ? unit().rounded() : unit() }
    let weights = values.map { _ in isLikelihood ? 1 + (9 * unit()).rounded() : 1 }
    guard
        let column = MetricColumn(
            aggregation, values: values, weights: weights, terms: values.flatMap { _ in terms(aggregation) })
    else { continue }
    let times = [nil, names].map { clusters in seconds { _ = estimate(column, clusters: clusters) } }
    let texts = times.map { "\(($0 * 100).rounded() / 100)" }
    print("| \(aggregation.rawValue) | \(texts.joined(separator: " | ")) |")
}
