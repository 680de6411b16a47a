internal import PythonCompat

/// How the official SQuAD scripts compare answers.
public enum SquadAnswer {
    /// `normalize_answer`: lower case without punctuation, articles and superfluous white space.
    public static func normalized(_ answer: String) -> String { Self.tokens(answer).joined(separator: " ") }

    public static func tokens(_ answer: String) -> [String] {
        var scalars = PythonText.lower(answer).unicodeScalars
        scalars.removeAll(where: PythonText.isASCIIPunctuation)
        return PythonText.split(Self.withoutArticles(String(scalars)))
    }

    static func withoutArticles(_ text: String) -> String {
        PythonText.replacingWords(in: text) { word, _ in ["a", "an", "the"].contains(word) ? " " : nil }
    }

    /// `compute_exact` of version 2 and `exact_match_score` of version 1.
    public static func exact(_ prediction: String, gold: String) -> Double {
        PythonText.equal(Self.normalized(prediction), Self.normalized(gold)) ? 1 : 0
    }

    /// `compute_f1` of version 2: two answers without words agree.
    public static func f1(_ prediction: String, gold: String) -> Double {
        let (predicted, gold) = (Self.tokens(prediction), Self.tokens(gold))
        return predicted.isEmpty && gold.isEmpty ? 1 : Self.f1(predicted, gold)
    }

    /// `f1_score` of version 1: two answers without words have nothing in common.
    public static func f1OfVersion1(_ prediction: String, gold: String) -> Double {
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

/// How the task drop compares texts: by words without case, articles and punctuation, and numbers by value.
public enum DropText {
    /// drop `utils._normalize`.
    public static func normalized(_ answer: String) -> String {
        let tokens = answer.unicodeScalars.split { $0 == " " || $0 == "-" }
        return tokens.map { Self.normalizedToken(PythonText.lower(String($0))) }.filter { !$0.isEmpty }
            .joined(separator: " ")
    }

    private static func normalizedToken(_ token: String) -> String {
        var token = token
        if PythonNumber.float(token) == nil { token.unicodeScalars.removeAll(where: PythonText.isASCIIPunctuation) }
        if let number = PythonNumber.float(token) { token = PythonNumber.str(number) }
        return PythonText.split(SquadAnswer.withoutArticles(token)).joined(separator: " ")
    }

    /// drop `utils._compute_f1` for words that a normalized answer has, each once.
    private static func f1(predicted: Set<ExactText>, gold: Set<ExactText>) -> Double {
        let common = Double(gold.intersection(predicted).count)
        let precision = predicted.isEmpty ? 1 : common / Double(predicted.count)
        let recall = gold.isEmpty ? 1 : common / Double(gold.count)
        return precision == 0 && recall == 0 ? 0 : 2 * precision * recall / (precision + recall)
    }

    /// drop `utils._match_numbers_if_present`: whether a number of the right answer is there, if it has any.
    private static func sharesNumber(predicted: Set<ExactText>, gold: Set<ExactText>) -> Bool {
        let numbers = gold.filter { PythonNumber.float($0.text) != nil }
        return numbers.isEmpty || !numbers.isDisjoint(with: predicted)
    }

    /// drop `utils.get_metrics` for normalized answers.
    public static func scores(predicted: [String], gold: [String]) -> (exact: Double, f1: Double) {
        let isExact =
            predicted.count == gold.count && Set(predicted.map(ExactText.init)) == Set(gold.map(ExactText.init))
        let f1 = NumPySum.mean(Self.alignedScores(predicted: predicted.map(Self.words), gold: gold.map(Self.words)))
        // As NumPy rounds to two digits.
        return (isExact ? 1 : 0, (f1 * 100).rounded(.toNearestOrEven) / 100)
    }

    private static func words(_ text: String) -> Set<ExactText> { Set(PythonText.split(text).map(ExactText.init)) }

    /// drop `utils._align_bags`: the F1 of each pair in the best assignment, 0 for what has no partner.
    private static func alignedScores(predicted: [Set<ExactText>], gold: [Set<ExactText>]) -> [Double] {
        let scores = gold.map { gold in
            predicted.map { predicted in
                Self.sharesNumber(predicted: predicted, gold: gold)
                    ? Self.f1(predicted: predicted, gold: gold) : 0
            }
        }
        var aligned = [Double](repeating: 0, count: max(predicted.count, gold.count))
        for (row, column) in LinearAssignment.solve(scores.map { $0.map { -$0 } }) {
            aligned[row] = scores[row][column]
        }
        return aligned
    }
}
