public import Evaluation
internal import PythonCompat

/// F-measures as the Python package rouge_score gives them without stemming.
public struct RougeScore: Sendable, Hashable {
    public var rouge1: Double
    public var rouge2: Double
    public var rougeLsum: Double

    /// Comparing takes time and memory for the product of the texts' words; more than this is an error.
    private static let maxCells = 10_000_000

    /// `RougeScorer(["rouge1", "rouge2", "rougeLsum"]).score(target, prediction)`.
    public init(target: String, prediction: String) throws(TaskError) {
        let (reference, candidate) = (Self.tokens(target), Self.tokens(prediction))
        self.rouge1 = Self.ngramScore(reference, candidate, length: 1)
        self.rouge2 = Self.ngramScore(reference, candidate, length: 2)
        self.rougeLsum = try Self.summaryScore(Self.sentences(target), Self.sentences(prediction))
    }

    /// Runs of ASCII letters and digits in lower case.
    private static func tokens(_ text: String) -> [String] {
        PythonText.lower(text).unicodeScalars.split { !("a"..."z").contains($0) && !("0"..."9").contains($0) }
            .map { String($0) }
    }

    private static func sentences(_ text: String) -> [[String]] {
        text.unicodeScalars.split(separator: "\n").map { Self.tokens(String($0)) }
    }

    private static func fMeasure(hits: Int, reference: Int, candidate: Int) -> Double {
        let (precision, recall) = (Double(hits) / Double(max(candidate, 1)), Double(hits) / Double(max(reference, 1)))
        return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0
    }

    private static func ngramScore(_ reference: [String], _ candidate: [String], length: Int) -> Double {
        let (reference, candidate) = (Self.ngrams(reference, length), Self.ngrams(candidate, length))
        let hits = reference.reduce(0) { $0 + min($1.value, candidate[$1.key] ?? 0) }
        return Self.fMeasure(
            hits: hits, reference: reference.values.reduce(0, +), candidate: candidate.values.reduce(0, +))
    }

    private static func ngrams(_ tokens: [String], _ length: Int) -> [[String]: Int] {
        var counts: [[String]: Int] = [:]
        for start in tokens.indices.dropLast(length - 1) {
            counts[Array(tokens[start..<(start + length)]), default: 0] += 1
        }
        return counts
    }

    /// Longest common subsequences of each reference sentence with all candidate sentences, without double counts.
    private static func summaryScore(
        _ reference: [[String]], _ candidate: [[String]]
    ) throws(TaskError) -> Double {
        var left = [Self.ngrams(Array(reference.joined()), 1), Self.ngrams(Array(candidate.joined()), 1)]
        let sizes = left.map { $0.values.reduce(0, +) }
        guard sizes[0] + reference.count <= Self.maxCells / max(sizes[1] + candidate.count, 1) else {
            throw TaskError(
                .limitExceeded, "ROUGE of texts with \(sizes[0]) and \(sizes[1]) words takes too much time")
        }
        var hits = 0
        for sentence in reference {
            var common: Set<Int> = []
            for other in candidate { common.formUnion(Self.commonSubsequence(sentence, other)) }
            for index in common.sorted() {
                let token = [sentence[index]]
                guard left.allSatisfy({ $0[token, default: 0] > 0 }) else { continue }
                for side in left.indices { left[side][token, default: 0] -= 1 }
                hits += 1
            }
        }
        return Self.fMeasure(hits: hits, reference: sizes[0], candidate: sizes[1])
    }

    /// The places in `reference` of one longest common subsequence; of several that of rouge_score.
    private static func commonSubsequence(_ reference: [String], _ candidate: [String]) -> [Int] {
        let width = candidate.count + 1
        var lengths = [Int32](repeating: 0, count: (reference.count + 1) * width)
        for (row, token) in reference.enumerated() {
            for (column, other) in candidate.enumerated() {
                let cell = (row + 1) * width + column + 1
                lengths[cell] =
                    token == other ? lengths[cell - width - 1] + 1 : max(lengths[cell - width], lengths[cell - 1])
            }
        }
        var places: [Int] = []
        var (row, column) = (reference.count, candidate.count)
        while row > 0, column > 0 {
            let cell = row * width + column
            if reference[row - 1] == candidate[column - 1] {
                places.append(row - 1)
                (row, column) = (row - 1, column - 1)
            } else if lengths[cell - 1] > lengths[cell - width] {
                column -= 1
            } else {
                row -= 1
            }
        }
        return places
    }
}
