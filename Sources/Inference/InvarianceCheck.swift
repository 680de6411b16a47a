internal import Evaluation
internal import Llama

/// Computes the same requests in many ways, and compares the bits of their log-probabilities with those of each request alone.
///
/// With `Invariance.strict` all must be equal; with `plan` it shows how much packing matters.
public struct InvarianceCheck: Sendable {
    /// What one way of computing gave.
    public struct Finding: Sendable, Hashable {
        /// Such as "batches of 64 tokens".
        public var way: String
        /// Log-probabilities that were compared, and those of equal bits.
        public var compared = 0
        public var equal = 0
        /// In nat; infinite where texts or their lengths differ.
        public var largestDifference: Float = 0

        public var isEqual: Bool { self.compared == self.equal && self.largestDifference == 0 }
    }

    /// How the requests of a check are computed once.
    private struct Way {
        var name: String
        var settings: EngineSettings
        /// Places of requests, shard by shard.
        var shards: [[Int]]
    }

    private let engine: LlamaEngine
    private let settings: EngineSettings
    private let requests: [EngineRequest]

    /// - Parameters:
    ///   - settings: Those of `engine`.
    ///   - groups: So many families of requests that begin alike.
    ///   - longest: Tokens of the longest requests.
    public init(
        _ engine: LlamaEngine, _ settings: EngineSettings, groups: Int = 4, longest: Int = 600, seed: UInt64 = 1
    ) {
        self.engine = engine
        self.settings = settings
        self.requests = Self.requests(
            groups: groups, vocabulary: engine.model.vocabulary.count, longest: min(engine.maxLength, max(longest, 64)),
            seed: seed)
    }

    /// A check that takes about so long, however fast the machine and the model are; a large one takes what it takes.
    public static func lasting(
        _ duration: Duration, _ engine: LlamaEngine, _ settings: EngineSettings
    ) async throws(EngineError) -> InvarianceCheck {
        let probe = EngineRequest.score(
            ScoringRequest(
                tokens: (0..<min(128, engine.maxLength)).map { Int32($0 % engine.model.vocabulary.count) },
                scoredFrom: 1))
        // The first one makes the context.
        _ = try await engine.run([probe])
        let clock = ContinuousClock()
        let start = clock.now
        _ = try await engine.run([probe])
        let tokensPerSecond = 128 / ((clock.now - start) / .seconds(1))
        // One pass alone, and about as much for each way; a group has about seven times its longest request.
        let groupsOfOneToken = Int(tokensPerSecond * (duration / .seconds(1)) / Double(1 + Self.wayCount) / 7)
        let longest = min(max(groupsOfOneToken / 3, 64), 400)
        return InvarianceCheck(
            engine, settings, groups: min(max(groupsOfOneToken / longest, 1), 24), longest: longest)
    }

    private static let wayCount = 7

    /// - Parameter report: Is told of each way when it has been computed.
    public func run(
        report: (Finding) -> Void = { _ in }
    ) async throws(EngineError) -> [Finding] {
        var alone: [EngineResponse] = []
        for request in self.requests { alone += try await self.engine.run([request]) }
        var findings: [Finding] = []
        for way in self.ways {
            let engine = try await self.engine.reconfigured(way.settings)
            var answers = [EngineResponse?](repeating: nil, count: self.requests.count)
            for shard in way.shards {
                let responses = try await engine.run(shard.map { self.requests[$0] })
                for (place, response) in zip(shard, responses) { answers[place] = response }
            }
            var finding = Finding(way: way.name)
            for (place, answer) in answers.enumerated() { finding.compare(answer, alone[place]) }
            findings.append(finding)
            report(finding)
        }
        return findings
    }

    private var ways: [Way] {
        let all = Array(self.requests.indices)
        let threads = self.settings.threads ?? 1
        func way(
            _ name: String, _ shards: [[Int]], _ change: (inout EngineSettings) -> Void = { _ in }
        ) -> Way {
            var settings = self.settings
            change(&settings)
            return Way(name: name, settings: settings, shards: shards)
        }
        var generator = SplitMix(state: 7)
        return [
            way("all together", [all]),
            way("in reverse order", [all.reversed()]),
            way("shuffled, in shards of 5", Self.chunks(all.shuffled(using: &generator), 5)),
            way("in batches of 48 tokens and 3 sequences", [all]) { ($0.batchTokens, $0.maxSequences) = (48, 3) },
            way("in batches of 333 tokens", [all]) { $0.batchTokens = 333 },
            way("in batches of 2048 tokens and 200 sequences", [all]) {
                ($0.batchTokens, $0.maxSequences, $0.generationSlots) = (2048, 200, 40)
            },
            way("on \(threads == 1 ? 2 : 1) \(threads == 1 ? "threads" : "thread")", [all]) {
                $0.threads = threads == 1 ? 2 : 1
            },
        ]
    }

    private static func chunks(_ places: [Int], _ size: Int) -> [[Int]] {
        stride(from: 0, to: places.count, by: size).map { Array(places[$0..<min($0 + size, places.count)]) }
    }

    /// Requests of many shapes: choices that begin alike, one that goes on where another ends, equal ones, a long text of
    /// which all is scored, texts to be generated from prompts that begin alike.
    private static func requests(groups: Int, vocabulary: Int, longest: Int, seed: UInt64) -> [EngineRequest] {
        var generator = SplitMix(state: seed)
        func tokens(_ range: ClosedRange<Int>) -> [Int32] {
            (0..<Int.random(in: range, using: &generator)).map { _ in
                Int32.random(in: 0..<Int32(clamping: vocabulary), using: &generator)
            }
        }
        var requests: [EngineRequest] = []
        for group in 0..<groups {
            let examples = group % 2 == 0 ? tokens(longest / 4...longest / 2) : tokens(0...3)
            for _ in 0..<3 {
                let context = examples + tokens(5...longest / 8)
                for _ in 0..<4 {
                    let ending = tokens(1...max(1, longest / 16))
                    requests.append(
                        .score(ScoringRequest(tokens: context + ending, scoredFrom: context.count)))
                }
                let ending = tokens(1...3)
                let further = ending + tokens(1...20)
                for ending in [ending, further, further] {
                    requests.append(.score(ScoringRequest(tokens: context + ending, scoredFrom: context.count)))
                }
                requests.append(.generate(GenerationRequest(prompt: context, stop: [], maxTokens: 6)))
            }
            requests.append(.score(ScoringRequest(tokens: tokens(longest / 2...longest), scoredFrom: 1)))
        }
        return requests
    }
}

extension InvarianceCheck.Finding {
    fileprivate mutating func compare(_ answer: EngineResponse?, _ alone: EngineResponse) {
        let (found, expected): ([Float], [Float])
        switch (answer, alone) {
        case (.score(let score), .score(let other)): (found, expected) = (score.tokenLogProbs, other.tokenLogProbs)
        case (.generation(let text), .generation(let other)):
            (found, expected) = (text.tokenLogProbs, other.tokenLogProbs)
            if text.tokens != other.tokens { self.largestDifference = .infinity }
        default: (found, expected) = ([], [0])
        }
        self.compared += expected.count
        if found.count != expected.count { self.largestDifference = .infinity }
        for (found, expected) in zip(found, expected) {
            if found.bitPattern == expected.bitPattern { self.equal += 1 }
            self.largestDifference = max(self.largestDifference, abs(found - expected))
        }
    }
}

/// Random numbers for what a check computes: the same everywhere.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
