internal import PythonCompat

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// BLEU as sacrebleu 2.6.0 computes it by default: 13a tokens, case kept, n-grams of up to four.
public enum BLEU {
    /// A sample's counts; no reference counts as an empty one.
    public static func statistics(hypothesis: String, references: [String]) -> BLEUStatistics {
        Self.statistics(hypothesis: hypothesis, references: references, tokens: MTEvalTokenizer.tokens)
    }

    static func statistics(
        hypothesis: String, references: [String], tokens: (String) -> [CodePoints]
    ) -> BLEUStatistics {
        var vocabulary = Vocabulary()
        let hypothesis = vocabulary.numbers(of: tokens(hypothesis))
        let references = references.map { vocabulary.numbers(of: tokens($0)) }
        return BLEUStatistics(
            hypothesisLength: hypothesis.count,
            referenceLength: Self.closest(to: hypothesis.count, among: references.map(\.count)),
            matches: NGrams.matches(hypothesis, references, orders: 4))
    }

    /// The shorter one where two are equally close.
    private static func closest(to length: Int, among lengths: [Int]) -> Int {
        lengths.min { (abs($0 - length), $0) < (abs($1 - length), $1) } ?? 0
    }
}

/// Counts for BLEU, of one sample or of many together; lengths in tokens.
public struct BLEUStatistics: TranslationStatistics {
    public private(set) var hypothesisLength = 0.0
    /// Of the reference whose length is closest to the hypothesis'.
    public private(set) var referenceLength = 0.0
    /// The hypothesis' n-grams that are in a reference, for n = 1...4.
    public private(set) var matches = SIMD4<Double>.zero
    /// All n-grams of the hypothesis, for n = 1...4.
    public private(set) var totals = SIMD4<Double>.zero

    public init() {}

    init(hypothesisLength: Int, referenceLength: Int, matches: [Int]) {
        self.hypothesisLength = Double(hypothesisLength)
        self.referenceLength = Double(referenceLength)
        for index in self.matches.indices {
            self.matches[index] = Double(matches[index])
            self.totals[index] = Double(NGrams.count(order: index + 1, length: hypothesisLength))
        }
    }

    /// Hypothesis length, reference length, the four matches, the four totals.
    public init?(values: [Double]) {
        guard values.count == 10, Self.areCounts(values) else { return nil }
        self.hypothesisLength = values[0]
        self.referenceLength = values[1]
        self.matches = SIMD4(values[2..<6])
        self.totals = SIMD4(values[6..<10])
    }

    public var values: [Double] {
        [self.hypothesisLength, self.referenceLength]
            + self.matches.indices.map { self.matches[$0] } + self.totals.indices.map { self.totals[$0] }
    }

    public static func += (sum: inout Self, sample: Self) {
        sum.hypothesisLength += sample.hypothesisLength
        sum.referenceLength += sample.referenceLength
        sum.matches += sample.matches
        sum.totals += sample.totals
    }

    /// BLEU (Papineni and others, 2002), 0...100; an order without a match is smoothed as mteval-v13a does.
    public var score: Double {
        // An order for which no hypothesis has enough tokens makes the geometric mean 0, too.
        guard self.matches != .zero, self.totals.min() > 0 else { return 0 }
        var smoothing = 1.0
        var sum = 0.0
        for index in self.matches.indices {
            if self.matches[index] > 0 {
                sum += log(100 * self.matches[index] / self.totals[index])
            } else {
                smoothing *= 2
                sum += log(100 / (smoothing * self.totals[index]))
            }
        }
        return self.brevityPenalty * exp(sum / 4)
    }

    private var brevityPenalty: Double {
        guard self.hypothesisLength < self.referenceLength else { return 1 }
        return exp(1 - self.referenceLength / self.hypothesisLength)
    }
}

/// BLEU of one text with sacrebleu's tokenizer "intl": mteval-v14's international tokenization.
public enum InternationalBLEU {
    public static func score(_ hypothesis: String, _ references: [String]) -> Double {
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

/// sacrebleu's tokenizer "13a", which does what NIST's mteval-v13a.pl did.
enum MTEvalTokenizer {
    static func tokens(_ text: String) -> [CodePoints] { Self.split(Self.normalized(text)) }

    /// Joins hyphenated lines and resolves XML entities: one after the other, so `&amp;lt;` becomes `<`.
    private static func normalized(_ text: String) -> [Unicode.Scalar] {
        var scalars = Array(text.unicodeScalars)
        while let last = scalars.last, PythonText.isSpace(last) { scalars.removeLast() }
        Self.replace("<skipped>", with: "", in: &scalars)
        Self.replace("-\n", with: "", in: &scalars)
        Self.replace("&quot;", with: "\"", in: &scalars)
        Self.replace("&amp;", with: "&", in: &scalars)
        Self.replace("&lt;", with: "<", in: &scalars)
        Self.replace("&gt;", with: ">", in: &scalars)
        return scalars
    }

    private static func replace(_ old: String, with new: String, in scalars: inout [Unicode.Scalar]) {
        let old = Array(old.unicodeScalars)
        guard let first = old.first, var position = scalars.firstIndex(of: first) else { return }
        var replaced = Array(scalars[..<position])
        while position < scalars.count {
            if scalars[position...].starts(with: old) {
                replaced.append(contentsOf: new.unicodeScalars)
                position += old.count
            } else {
                replaced.append(scalars[position])
                position += 1
            }
        }
        scalars = replaced
    }

    /// Splits at white space and around marks, in one pass with the result of sacrebleu's four substitutions.
    private static func split(_ scalars: [Unicode.Scalar]) -> [CodePoints] {
        var tokens: [CodePoints] = []
        var start = 0
        func endToken(before end: Int) {
            if start < end { tokens.append(scalars[start..<end]) }
            start = end
        }

        var afterDigit = false
        // After a stop that what is before it set apart: the next stop depends on what is behind it alone.
        var afterStop = false
        for (position, scalar) in scalars.enumerated() {
            let isStop = scalar == "." || scalar == ","
            let isFreshStop = isStop && !afterDigit && !afterStop
            let isApart =
                if isStop {
                    isFreshStop || position + 1 == scalars.count || !PythonText.isASCIIDigit(scalars[position + 1])
                } else {
                    scalar == "-" ? afterDigit : Self.isMark(scalar)
                }
            if PythonText.isSpace(scalar) {
                endToken(before: position)
                start = position + 1
            } else if isApart {
                endToken(before: position)
                endToken(before: position + 1)
            }
            afterDigit = PythonText.isASCIIDigit(scalar)
            afterStop = isFreshStop
        }
        endToken(before: scalars.count)
        return tokens
    }

    /// A mark that always stands alone: ASCII punctuation but apostrophe, comma, hyphen and full stop.
    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "'", ",", "-", ".": false
        default: PythonText.isASCIIPunctuation(scalar)
        }
    }
}

/// Runs of n symbols: of words or of code points, each as a number.
enum NGrams {
    /// How many n-grams of the order a sequence of that length has.
    static func count(order: Int, length: Int) -> Int { max(0, length - order + 1) }

    /// For each order from 1 on: how many n-grams of the hypothesis are in the references.
    ///
    /// One that is there repeatedly counts at most as often as in the reference that has it most often.
    static func matches(_ hypothesis: [UInt32], _ references: [[UInt32]], orders: Int) -> [Int] {
        // An n-gram is known by the number of its first n - 1 symbols and by its last symbol. Only what matched in
        // one order can match in the next, so what the hypothesis alone has is never stored.
        var hypothesis = Runs(hypothesis)
        var references = references.map { Runs($0) }
        var numbers: [UInt64: UInt32] = [:]
        return (1...orders).map { order in
            numbers.removeAll(keepingCapacity: true)
            var limits: [Int] = []
            for index in references.indices {
                var counts = [Int](repeating: 0, count: limits.count)
                references[index].extend(to: order) { run in
                    let number = numbers[run] ?? UInt32(truncatingIfNeeded: counts.count)
                    if Int(number) == counts.count {
                        numbers[run] = number
                        counts.append(0)
                    }
                    counts[Int(number)] += 1
                    return number
                }
                limits = counts.enumerated().map { max($1, $0 < limits.count ? limits[$0] : 0) }
            }
            var matches = 0
            hypothesis.extend(to: order) { run in
                guard let number = numbers[run] else { return nil }
                if limits[Int(number)] > 0 {
                    limits[Int(number)] -= 1
                    matches += 1
                }
                return number
            }
            return matches
        }
    }
}

/// The n-grams of a sequence: where each starts and its number.
private struct Runs {
    private let symbols: [UInt32]
    private var runs: [(start: Int, number: UInt32)]

    init(_ symbols: [UInt32]) {
        self.symbols = symbols
        self.runs = symbols.indices.map { ($0, 0) }
    }

    /// Makes each one symbol longer and numbers it; drops those that end or get no number.
    mutating func extend(to order: Int, number: (UInt64) -> UInt32?) {
        var kept = 0
        for (start, shorter) in self.runs {
            let last = start + order - 1
            guard last < self.symbols.count,
                let longer = number(UInt64(shorter) << 32 | UInt64(self.symbols[last]))
            else { continue }
            self.runs[kept] = (start, longer)
            kept += 1
        }
        self.runs.removeLast(self.runs.count - kept)
    }
}

/// Numbers for words, so that they compare fast and by code points, not by canonical equivalence as String does.
struct Vocabulary {
    private var numbers: [CodePoints: UInt32] = [:]

    /// The words' numbers; a new word gets the next one.
    mutating func numbers(of words: [CodePoints]) -> [UInt32] {
        words.map { word in
            let next = UInt32(truncatingIfNeeded: self.numbers.count)
            if let number = self.numbers[word] { return number }
            self.numbers[word] = next
            return next
        }
    }
}
