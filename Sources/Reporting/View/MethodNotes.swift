internal import Evaluation
internal import Statistics

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
        case .normal: "normal"
        case .wilson: "Wilson"
        case .logNormal: "delta, log scale"
        case .ratio: "delta, ratio"
        case .logRatio: "delta, log ratio"
        case .bootstrap: "bootstrap"
        case .bootstrapLog: "bootstrap, log scale"
        case .clustered: "clustered"
        case .clusteredLog: "clustered, log scale"
        case .pooled: "pooled"
        case .averaged: "averaged"
        }
    }

    /// How the numbers were computed, in one or two sentences.
    var note: String {
        switch self {
        case .normal:
            "The score is the mean x̄ over samples. SE = s / √n, with n − 1 in s. Interval: x̄ ± 1.96 SE."
        case .wilson:
            "The score is the share of ones. SE = s / √n, with n − 1 in s. Interval: Wilson’s score interval, used where "
                + "scores are all 0 or 1 and there are fewer than \(Estimate.wilsonLimit) of either."
        case .logNormal:
            "The score is exp(−m), m the mean log-likelihood. SE by the delta method: exp(−m) · s / √n. Interval: "
                + "exp(−m ± 1.96 s / √n)."
        case .ratio:
            "The score is a quotient r of two sums. SE by the delta method, from the residuals eᵢ = xᵢ − r wᵢ: "
                + "√(n / (n − 1) · Σ eᵢ²) / Σ wᵢ. Interval: r ± 1.96 SE."
        case .logRatio:
            "The score is exp(r), r a quotient of two sums. SE of r by the delta method, from the residuals eᵢ = xᵢ − r wᵢ: "
                + "√(n / (n − 1) · Σ eᵢ²) / Σ wᵢ; SE of the score = exp(r) · SE(r). Interval: exp(r ± 1.96 SE(r))."
        case .bootstrap:
            "SE is the standard deviation of the score over samples drawn anew with replacement, with the seeds and as often "
                + "as lm-eval (100,000 times; 100 for translation metrics). Interval: score ± 1.96 SE."
        case .bootstrapLog:
            "The score is exp(−m), m the mean log-likelihood. SE is its standard deviation over samples drawn anew with "
                + "replacement, with the seeds and as often as lm-eval (100,000 times). Interval: exp(−m ± 1.96 s / √n)."
        case .clustered:
            "Samples come in C clusters, which are independent, not the samples. With the residuals eᵢ = xᵢ − r wᵢ of the mean "
                + "or quotient r: SE = √(C / (C − 1) · Σ over clusters of (Σ eᵢ)²) / Σ wᵢ. Interval: r ± t SE, with Student’s "
                + "t of C − 1 degrees of freedom; where all scores are 0, or all are 1, Wilson’s for C samples."
        case .clusteredLog:
            "The score is exp(r), r a quotient of two sums over samples in C clusters, which are independent, not the samples. "
                + "SE of r from the sums of residuals in each cluster; SE of the score = exp(r) · SE(r). Interval: "
                + "exp(r ± t SE(r)), with Student’s t of C − 1 degrees of freedom."
        case .pooled:
            "The score is the mean of k tasks’ scores, each counted by its samples nᵢ. SE as lm-eval pools it: "
                + "√(Σ (nᵢ − 1) nᵢ SEᵢ² / (Σ nᵢ − k) / Σ nᵢ). Interval: score ± 1.96 SE; where SE is 0, that of the least sure task."
        case .averaged:
            "The score is the mean of k tasks’ scores, each counted alike. SE = √(Σ SEᵢ²) / k. Interval: "
                + "score ± 1.96 SE; where SE is 0, that of the least sure task."
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
