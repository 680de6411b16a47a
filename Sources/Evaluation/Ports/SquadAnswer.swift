internal import PythonCompat

/// How the official SQuAD scripts compare answers.
enum SquadAnswer {
    /// `normalize_answer`: lower case without punctuation, articles and superfluous white space.
    static func normalized(_ answer: String) -> String { Self.tokens(answer).joined(separator: " ") }

    static func tokens(_ answer: String) -> [String] {
        var scalars = PythonText.lower(answer).unicodeScalars
        scalars.removeAll(where: PythonText.isASCIIPunctuation)
        return PythonText.split(Self.withoutArticles(String(scalars)))
    }

    static func withoutArticles(_ text: String) -> String {
        PythonText.replacingWords(in: text) { word, _ in ["a", "an", "the"].contains(word) ? " " : nil }
    }

    /// `compute_exact` of version 2 and `exact_match_score` of version 1.
    static func exact(_ prediction: String, gold: String) -> Double {
        PythonText.equal(Self.normalized(prediction), Self.normalized(gold)) ? 1 : 0
    }

    /// `compute_f1` of version 2: two answers without words agree.
    static func f1(_ prediction: String, gold: String) -> Double {
        let (predicted, gold) = (Self.tokens(prediction), Self.tokens(gold))
        return predicted.isEmpty && gold.isEmpty ? 1 : Self.f1(predicted, gold)
    }

    /// `f1_score` of version 1: two answers without words have nothing in common.
    static func f1OfVersion1(_ prediction: String, gold: String) -> Double {
        Self.f1(Self.tokens(prediction), Self.tokens(gold))
    }

    private static func f1(_ predicted: [String], _ gold: [String]) -> Double {
        var counts: [ExactText: Int] = [:]
        for token in gold { counts[ExactText(token), default: 0] += 1 }
        var common = 0
        for token in predicted {
            guard let count = counts[ExactText(token)], count > 0 else { continue }
            counts[ExactText(token)] = count - 1
            common += 1
        }
        guard common > 0 else { return 0 }
        let (precision, recall) = (Double(common) / Double(predicted.count), Double(common) / Double(gold.count))
        return 2 * precision * recall / (precision + recall)
    }
}
