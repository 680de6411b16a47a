import Evaluation

@testable import Inference

/// Random scoring requests that often begin alike: few-shot prefixes, contexts, continuations.
func randomRequests(seed: UInt64, vocabulary: Int32, longest: Int) -> [ScoringRequest] {
    var generator = SeededGenerator(seed: seed)
    func tokens(_ range: ClosedRange<Int>) -> [Int32] {
        (0..<Int.random(in: range, using: &generator)).map { _ in Int32.random(in: 2..<vocabulary, using: &generator) }
    }
    var requests: [ScoringRequest] = []
    for _ in 0..<Int.random(in: 1...3, using: &generator) {
        let shots = Bool.random(using: &generator) ? tokens(0...3) : tokens(longest / 4...longest / 2)
        for _ in 0..<Int.random(in: 1...6, using: &generator) {
            let context = [0] + shots + tokens(0...longest / 5)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let continuation = tokens(1...max(1, longest / 5))
                requests.append(ScoringRequest(tokens: context + continuation, scoredFrom: context.count))
                if Int.random(in: 0..<8, using: &generator) == 0, let last = requests.last { requests.append(last) }
            }
        }
    }
    // A rolling window: everything is scored.
    let window = tokens(2...longest)
    requests.append(ScoringRequest(tokens: window, scoredFrom: 1))
    requests.shuffle(using: &generator)
    return requests
}

extension EngineResponse {
    var score: ScoredContinuation? {
        if case .score(let score) = self { score } else { nil }
    }

    var generation: Generation? {
        if case .generation(let generation) = self { generation } else { nil }
    }
}

/// The largest difference between log-probabilities; infinite if the shapes differ.
func largestDifference(_ first: [EngineResponse], _ second: [EngineResponse]) -> Float {
    guard first.count == second.count else { return .infinity }
    var largest: Float = 0
    for (first, second) in zip(first, second) {
        guard let first = first.score?.tokenLogProbs, let second = second.score?.tokenLogProbs,
            first.count == second.count
        else { return .infinity }
        for (first, second) in zip(first, second) { largest = max(largest, abs(first - second)) }
    }
    return largest
}

/// The error with which an engine answers; `nil` if it answers.
func engineError(_ body: () async throws(EngineError) -> some Any) async -> EngineError? {
    do throws(EngineError) {
        _ = try await body()
        return nil
    } catch {
        return error
    }
}
