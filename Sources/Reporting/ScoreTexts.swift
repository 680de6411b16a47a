internal import Evaluation
internal import ScoreMetrics
internal import Statistics

/// A score's numbers as texts with the same number of decimals.
struct ScoreTexts {
    var value: String
    var standardError: String
    var lower: String
    var upper: String

    static let absent = "n/a"

    init(value: Double?, standardError: Double?, interval: ConfidenceInterval?) {
        let decimals = NumberText.decimals(for: value ?? 0)
        func text(_ number: Double?) -> String {
            number.map { NumberText.fixed($0, decimals: decimals) } ?? Self.absent
        }
        self.value = text(value)
        self.standardError = text(standardError)
        self.lower = text(interval?.lower)
        self.upper = text(interval?.upper)
    }

    init(_ estimate: Estimate) {
        self.init(value: estimate.value, standardError: estimate.standardError, interval: estimate.interval)
    }

    /// The interval, such as "[0.31, 0.42]".
    var interval: String {
        self.lower == Self.absent ? Self.absent : "[\(self.lower), \(self.upper)]"
    }

    /// The standard error with its sign, such as "± 0.0498"; empty if there is none.
    var spread: String {
        self.standardError == Self.absent ? "" : "± \(self.standardError)"
    }
}

extension MetricDefinition {
    /// The metric with its filter, such as "exact_match (strict-match)".
    var title: String { Self.title(self.metric.name, filter: self.filterName) }

    static func title(_ metric: String, filter: String?) -> String {
        guard let filter else { return metric }
        return "\(metric) (\(filter))"
    }

    /// The filter's name; nil where the task names none.
    var filterName: String? { self.filter.isEmpty || self.filter == "none" ? nil : self.filter }

    /// An arrow in the direction of better scores.
    var arrow: String { self.higherIsBetter ? "↑" : "↓" }

    var direction: String { self.higherIsBetter ? "higher is better" : "lower is better" }
}

/// Numbers as people read them; the exact ones stand in report.json.
enum NumberText {
    /// `value` with `decimals` digits after the point.
    static func fixed(_ value: Double, decimals: Int) -> String {
        guard value.isFinite, value.magnitude < 1e12 else { return value.description }
        var factor = 1.0
        for _ in 0..<decimals { factor *= 10 }
        let scaled = (value.magnitude * factor).rounded(.toNearestOrEven)
        guard scaled < 9e15 else { return value.description }
        let digits = String(Int(scaled))
        let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
        let sign = value < 0 && scaled > 0 ? "\u{2212}" : ""
        guard decimals > 0 else { return sign + padded }
        return sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
    }

    /// As many decimals as a score of this size is told with: about four or five digits that count.
    static func decimals(for value: Double) -> Int {
        switch value.magnitude {
        case ..<10: 4
        case ..<100: 3
        case ..<1000: 2
        default: 1
        }
    }

    /// A part of one in percent, such as "12.5 %".
    static func percent(_ share: Double) -> String {
        "\(Self.fixed(share * 100, decimals: 1)) %"
    }

    /// A count with narrow spaces between thousands.
    static func count(_ count: Int, separator: String = "\u{202F}") -> String {
        let digits = String(count.magnitude)
        var text = ""
        for (offset, digit) in digits.enumerated() {
            if offset > 0, (digits.count - offset).isMultiple(of: 3) { text += separator }
            text.append(digit)
        }
        return count < 0 ? "\u{2212}" + text : text
    }
}

/// Makes strings from outside safe to print on one line.
enum Printable {
    /// `text` without control characters, cut after `limit` characters.
    static func text(_ text: String, limit: Int = .max) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            guard !Self.turnsWriting(scalar) else { continue }
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: result.append(" ")
            // Such as the marks that turn the direction of writing.
            default: result.append(scalar)
            }
        }
        let line = String(result)
        return line.count > limit ? line.prefix(limit) + "…" : line
    }

    /// Whether the character sets the direction of writing, and so could make a line read otherwise than it is.
    private static func turnsWriting(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}

extension Aggregation {
    /// How values become the score, in words and formula.
    var summary: String {
        switch self {
        case .mean: "mean over samples"
        case .weightedMean: "Σ value / Σ weight"
        case .bestThreshold: "best mean that refusing to answer above some probability gives, in per cent"
        case .median: "median over samples, of an even number the upper of the two"
        case .f1: "F1 of class 1"
        case .matthewsCorrelation: "Matthews’ correlation of right and predicted choices"
        case .brierScore: "mean squared distance of the choices’ probabilities from the right answer"
        case .calibrationError: "expected calibration error, 15 bins of equally many samples"
        case .bleu: "corpus BLEU as sacrebleu computes it (13a, exponential smoothing), 0–100"
        case .chrF: "corpus chrF as sacrebleu computes it (6 characters, β = 2), 0–100"
        case .chrFPlusPlus: "corpus chrF++ as sacrebleu computes it (6 characters, 2 words, β = 2), 0–100"
        case .translationEditRate: "translation edit rate as sacrebleu computes it, in per cent"
        case .perplexity: "exp(−mean of log-likelihoods)"
        case .weightedPerplexity: "exp(−Σ log-likelihood / Σ weight)"
        case .bitsPerByte: "−Σ log-likelihood / (Σ bytes · ln 2)"
        }
    }
}

extension EstimateMethod {
    /// A few words for a table.
    var label: String {
        switch self {
        case .proportion: "exact, proportion"
        case .bounded: "score, bounded mean"
        case .student: "t, mean"
        case .logNormal: "delta, log scale"
        case .ratio: "delta, ratio"
        case .boundedRatio: "score, bounded ratio"
        case .f1: "exact, F1"
        case .logRatio: "delta, log ratio"
        case .jackknife: "jackknife"
        case .jackknifeLog: "jackknife, log scale"
        case .bootstrapLog: "bootstrap, log scale"
        case .quantile: "order statistics"
        case .calibration: "gaps with noise"
        case .clustered: "clustered"
        case .clusteredBounded: "clustered, bounded"
        case .clusteredF1: "clustered, F1"
        case .clusteredLog: "clustered, log scale"
        case .pooled: "pooled"
        case .averaged: "averaged"
        }
    }

    private static let skewed =
        "by Student’s t with Hall’s correction for skewness, and with fewer than 9 samples or clusters as wide as squares of "
        + "normal numbers need it"
    private static let score =
        "the p with |x̄ − p| ≤ t SE √(p (1 − p) / (x̄ (1 − x̄))), as in Wilson’s interval, with Student’s t and the scores’ range "
        + "as 0…1; where few samples differ from the rest, SE is drawn towards that of the worst case in the range; where none "
        + "does, from what share of other scores there may still be"
    private static let drawn =
        "SE is the standard deviation of the score over samples drawn anew with replacement, with the seeds and as often as "
        + "lm-eval (100,000 times; 100 for translation metrics), and what that comes to by formula where samples are so many "
        + "that it would take long"

    /// How the numbers were computed, in a few sentences.
    var note: String {
        switch self {
        case .proportion:
            "The score is the share of ones. SE = s / √n, with n − 1 in s. Interval: Blaker’s exact one, which covers in at "
                + "least 94 % whatever the true share is, and in 95 % on average."
        case .bounded:
            "The score is the mean x̄ over samples. SE = s / √n, with n − 1 in s. Interval: \(Self.score)."
        case .student:
            "The score is the mean x̄ over samples. SE = s / √n, with n − 1 in s. Interval: \(Self.skewed)."
        case .logNormal:
            "The score is exp(−m), m the mean log-likelihood. SE by the delta method: exp(−m) · s / √n. Interval: the "
                + "exponential of that of −m, \(Self.skewed)."
        case .ratio:
            "The score is a quotient r of two sums. SE by the delta method, from the residuals eᵢ = xᵢ − r wᵢ: "
                + "√(n / (n − 1) · Σ eᵢ²) / Σ wᵢ. Interval: \(Self.skewed), and Satterthwaite’s degrees of freedom."
        case .boundedRatio:
            "The score is a quotient x̄ of two sums. SE by the delta method, from the residuals eᵢ = xᵢ − x̄ wᵢ: "
                + "√(n / (n − 1) · Σ eᵢ²) / Σ wᵢ. Interval: \(Self.score)."
        case .f1:
            "The score is 2 TP / (2 TP + FP + FN) = 2 J / (1 + J), J being the share of the TP true positives among the "
                + "samples that the answer or the right answer puts into class 1. \(Self.drawn). Interval: that of J, Blaker’s "
                + "exact one, which covers in at least 94 %, put into the formula."
        case .logRatio:
            "The score is exp(r), r a quotient of two sums. SE of r by the delta method, from the residuals eᵢ = xᵢ − r wᵢ: "
                + "√(n / (n − 1) · Σ eᵢ²) / Σ wᵢ; SE of the score = exp(r) · SE(r). Interval: the exponential of that of r, "
                + "\(Self.skewed), and Satterthwaite’s degrees of freedom."
        case .jackknife:
            "\(Self.drawn). Interval, with the SE of the jackknife: \(Self.score)."
        case .jackknifeLog:
            "\(Self.drawn). Interval: on the log scale, with the relative SE of the jackknife, \(Self.skewed)."
        case .bootstrapLog:
            "The score is exp(−m), m the mean log-likelihood. \(Self.drawn). Interval: the exponential of that of −m, with "
                + "s / √n as its standard error, \(Self.skewed)."
        case .quantile:
            "The score is the median. \(Self.drawn). Interval: from the value at the lower end to that at the upper end of the "
                + "interval for the share of a half."
        case .calibration:
            "The score is the mean distance between confidence and share of right answers in 15 bins. SE: with normal noise of "
                + "the shares. Interval: from the smallest to the largest multiple of the measured gaps for which, with noise, "
                + "neither so large nor so small a score comes up in 2.5 %. Noise alone gives a score above 0, so the score is "
                + "no center of it."
        case .clustered:
            "Samples come in C clusters, which are independent, not the samples. With the residuals eᵢ = xᵢ − r wᵢ of the mean "
                + "or quotient r: SE = √(C / (C − 1) · Σ over clusters of (Σ eᵢ)²) / Σ wᵢ. Interval: \(Self.skewed), and "
                + "Satterthwaite’s degrees of freedom, which are fewer the more the clusters’ sizes differ."
        case .clusteredBounded:
            "Samples come in C clusters, which are independent, not the samples. With the residuals eᵢ = xᵢ − x̄ wᵢ: "
                + "SE = √(C / (C − 1) · Σ over clusters of (Σ eᵢ)²) / Σ wᵢ. Interval: \(Self.score); with Satterthwaite’s "
                + "degrees of freedom, and corrected where the clusters’ sizes differ."
        case .clusteredF1:
            "The score is 2 TP / (2 TP + FP + FN) = 2 J / (1 + J), J being the share of the TP true positives among the "
                + "samples that the answer or the right answer puts into class 1. SE as for other quotients over clusters. "
                + "Interval: that of J over clusters, put into the formula; \(Self.score)."
        case .clusteredLog:
            "The score is exp(r), r a quotient of two sums over samples in C clusters, which are independent, not the samples. "
                + "SE of r from the sums of residuals in each cluster; SE of the score = exp(r) · SE(r). Interval: the "
                + "exponential of that of r, \(Self.skewed), and Satterthwaite’s degrees of freedom."
        case .pooled:
            "The score is the mean of k tasks’ scores, each counted by its samples nᵢ. SE as lm-eval pools it: "
                + "√(Σ (nᵢ − 1) nᵢ SEᵢ² / (Σ nᵢ − k) / Σ nᵢ). Interval: as for a mean of bounded scores where all tasks’ are, "
                + "else by Student’s t; never narrower than any task’s own interval makes it."
        case .averaged:
            "The score is the mean of k tasks’ scores, each counted alike. SE = √(Σ SEᵢ²) / k. Interval: as for a mean of "
                + "bounded scores where all tasks’ are, else by Student’s t; never narrower than any task’s own interval makes it."
        }
    }
}

extension EstimateGap {
    /// Why a number is missing, as a sentence.
    var note: String {
        switch self {
        case .noSamples: "There are no samples."
        case .oneSample: "One sample has no standard error."
        case .oneCluster: "All samples are in one cluster, so there is no standard error."
        case .noSpread:
            "All samples have the same value and scores have no known bounds, so nothing says how far others may be: there "
                + "is no interval."
        case .notFinite(let samples):
            "\(samples) \(samples == 1 ? "sample has" : "samples have") a value that is not a finite number, so there is no "
                + "score; the samples' file shows which."
        case .noWeight: "The weights add up to zero, so there is no score."
        case .overflow: "The result is too large to be represented."
        case .partWithoutError: "A task of the group has no standard error, so the group has none."
        case .undefined: "The score is not defined for these answers, such as F1 with more than two classes."
        }
    }
}
