internal import PythonCompat

/// langdetect's guess at a text's language, as it is with `DetectorFactory.seed = 0`.
///
/// The method is Shuyo's (2010): naive Bayes on n-grams drawn at random, until one language is certain.
enum LanguageDetector {
    private static let trials = 7
    private static let lastRound = 1000
    private static let smoothing = (mean: 0.5, deviation: 0.05, base: 10_000.0)

    /// langdetect `detect`: a language's code or "unknown"; `nil` where it raises an error, as nothing can be told.
    static func language(_ text: [Unicode.Scalar]) -> String? {
        let profiles = LanguageProfiles.all
        let grams = Self.grams(LanguageText.cleaned(text), profiles)
        guard !grams.isEmpty else { return nil }
        var random = PythonRandom(seed: 0)
        var gauss = PythonGauss()
        var sums = [Double](repeating: 0, count: profiles.names.count)
        for _ in 0..<Self.trials {
            let alpha = Self.smoothing.mean + gauss.next(&random) * Self.smoothing.deviation
            let probabilities = Self.trial(grams, languages: sums.count, weight: alpha / Self.smoothing.base, &random)
            for (index, probability) in probabilities.enumerated() { sums[index] += probability / Double(Self.trials) }
        }
        var best: (index: Int, sum: Double)?
        for (index, sum) in sums.enumerated() where sum > 0.1 && sum > best?.sum ?? 0 { best = (index, sum) }
        return best.map { profiles.names[$0.index] } ?? "unknown"
    }

    private static func trial(
        _ grams: [ArraySlice<LanguageProfiles.Entry>], languages: Int, weight: Double, _ random: inout PythonRandom
    ) -> [Double] {
        var probabilities = [Double](repeating: 1 / Double(languages), count: languages)
        var round = 0
        while true {
            var factors = [Double](repeating: weight, count: languages)
            for entry in grams[random.below(grams.count)] { factors[entry.language] += entry.probability }
            for index in probabilities.indices { probabilities[index] *= factors[index] }
            if round % 5 == 0, Self.normalize(&probabilities) > 0.99999 || round >= Self.lastRound {
                return probabilities
            }
            round += 1
        }
    }

    /// langdetect `Detector._normalize_prob`: gives the largest.
    private static func normalize(_ probabilities: inout [Double]) -> Double {
        let sum = probabilities.reduce(0, +)
        for index in probabilities.indices { probabilities[index] /= sum }
        return probabilities.reduce(0) { $0 < $1 ? $1 : $0 }
    }

    /// langdetect `Detector._extract_ngrams`: what the profiles say of each n-gram that they know.
    private static func grams(
        _ text: [Unicode.Scalar], _ profiles: LanguageProfiles
    ) -> [ArraySlice<LanguageProfiles.Entry>] {
        let characters = LanguageCharacters.all
        var grams: [ArraySlice<LanguageProfiles.Entry>] = []
        // The last code points, at most three, from a space on.
        var window: [Unicode.Scalar] = [" "]
        var isCapitalWord = false
        for scalar in text.lazy.map(characters.normalized) {
            let last = window.last ?? " "
            if last == " " {
                window = [" "]
                isCapitalWord = false
                if scalar == " " { continue }
            } else if window.count >= 3 {
                window.removeFirst()
            }
            window.append(scalar)
            if !PythonText.isUpper(scalar) {
                isCapitalWord = false
            } else if PythonText.isUpper(last) {
                isCapitalWord = true
            }
            if isCapitalWord { continue }
            for length in 1...window.count where length > 1 || scalar != " " {
                guard let gram = LanguageProfiles.NGram(window.suffix(length)) else { continue }
                let entries = profiles.entries(gram)
                if !entries.isEmpty { grams.append(entries) }
            }
        }
        return grams
    }
}
