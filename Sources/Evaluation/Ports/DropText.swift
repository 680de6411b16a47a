internal import PythonCompat

/// How the task drop compares texts: by words without case, articles and punctuation, and numbers by value.
enum DropText {
    /// drop `utils._normalize`.
    static func normalized(_ answer: String) -> String {
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
    static func f1(predicted: Set<ExactText>, gold: Set<ExactText>) -> Double {
        let common = Double(gold.intersection(predicted).count)
        let precision = predicted.isEmpty ? 1 : common / Double(predicted.count)
        let recall = gold.isEmpty ? 1 : common / Double(gold.count)
        return precision == 0 && recall == 0 ? 0 : 2 * precision * recall / (precision + recall)
    }

    /// drop `utils._match_numbers_if_present`: whether a number of the right answer is there, if it has any.
    static func sharesNumber(predicted: Set<ExactText>, gold: Set<ExactText>) -> Bool {
        let numbers = gold.filter { PythonNumber.float($0.text) != nil }
        return numbers.isEmpty || !numbers.isDisjoint(with: predicted)
    }
}
