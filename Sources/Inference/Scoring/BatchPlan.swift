internal import Evaluation

/// Which tokens are computed together, in which order, to score all requests of a shard.
///
/// Sequence 0, the trunk, holds a prefix that several batches build on, such as few-shot examples. The other
/// sequences live for one batch each. A token that several sequences share is computed once for all of them.
/// The plan is a function of the requests and the limits alone.
struct BatchPlan: Sendable, Hashable {
    enum Step: Sendable, Hashable {
        /// Computes a batch that makes the trunk longer; all tokens belong to sequence 0.
        case extendTrunk(Batch)
        /// Computes a batch of sequences 1...sequenceCount that go on from the trunk, and forgets them.
        case pack(Batch, sequenceCount: Int)
        /// Forgets the trunk's tokens from this length on.
        case trimTrunk(length: Int)
    }

    struct Batch: Sendable, Hashable {
        var tokens: [Int32] = []
        var positions: [Int] = []
        /// Each token's sequences: always neighbours.
        var sequences: [Range<Int32>] = []
        var wantsOutput: [Bool] = []
        /// What is to be read from the outputs, in the order of `index`.
        var targets: [Target] = []

        var outputCount: Int { self.wantsOutput.count { $0 } }
    }

    /// A token to be scored.
    struct Target: Sendable, Hashable {
        /// The token of the batch whose output predicts it.
        var index: Int
        var request: Int
        /// Which of the request's scored tokens it is, from 0.
        var position: Int
        var token: Int32
    }

    var steps: [Step] = []
    /// The tokens that all requests feed, as if each were alone.
    var usefulTokens = 0
    /// The tokens that are computed.
    var computedTokens = 0

    init(_ requests: [ScoringRequest], limits: BatchLimits) {
        var planner = BatchPlanner(requests, limits: limits)
        self.steps = planner.plan()
        self.usefulTokens = requests.reduce(0) { $0 + $1.tokens.count - 1 }
        self.computedTokens = self.steps.reduce(0) { $0 + ($1.batch?.tokens.count ?? 0) }
    }
}

extension BatchPlan.Step {
    /// The batch to compute, if any.
    var batch: BatchPlan.Batch? {
        switch self {
        case .extendTrunk(let batch), .pack(let batch, _): batch
        case .trimTrunk: nil
        }
    }
}
