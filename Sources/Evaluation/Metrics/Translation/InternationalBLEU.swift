internal import PythonCompat

/// BLEU of one text with sacrebleu's tokenizer "intl": mteval-v14's international tokenization.
enum InternationalBLEU {
    static func score(_ hypothesis: String, _ references: [String]) -> Double {
        BLEU.statistics(hypothesis: hypothesis, references: references, tokens: Self.tokens).score
    }

    /// Punctuation stands apart unless digits are on both sides of it; symbols always do.
    static func tokens(_ text: String) -> [CodePoints] {
        var scalars = Self.spaced(Array(text.unicodeScalars)) { !$0.isNumber && $1.isPunctuation ? (false, true) : nil }
        scalars = Self.spaced(scalars) { $0.isPunctuation && !$1.isNumber ? (true, false) : nil }
        var apart: [Unicode.Scalar] = []
        for scalar in scalars {
            if scalar.isSymbol {
                apart += [" ", scalar, " "]
            } else {
                apart.append(scalar)
            }
        }
        return apart.split(whereSeparator: PythonText.isSpace).map { $0 }
    }

    /// One substitution from left to right, without overlaps: a space between the two of a pair, and one around it.
    ///
    /// - Parameter pair: Whether a space comes before or after a pair; `nil` where it is none.
    private static func spaced(
        _ scalars: [Unicode.Scalar], _ pair: (Unicode.Scalar, Unicode.Scalar) -> (before: Bool, after: Bool)?
    ) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(scalars.count * 2)
        var position = 0
        while position < scalars.count {
            let scalar = scalars[position]
            if position + 1 < scalars.count, let spaces = pair(scalar, scalars[position + 1]) {
                if spaces.before { result.append(" ") }
                result += [scalar, " ", scalars[position + 1]]
                if spaces.after { result.append(" ") }
                position += 2
            } else {
                result.append(scalar)
                position += 1
            }
        }
        return result
    }
}

extension Unicode.Scalar {
    fileprivate var isNumber: Bool {
        switch self.properties.generalCategory {
        case .decimalNumber, .letterNumber, .otherNumber: true
        default: false
        }
    }

    fileprivate var isPunctuation: Bool {
        switch self.properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation:
            true
        default: false
        }
    }

    fileprivate var isSymbol: Bool {
        switch self.properties.generalCategory {
        case .mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol: true
        default: false
        }
    }
}
