internal import Evaluation

/// Walks a prefix tree depth-first and cuts it into batches.
///
/// A subtree that fits into a batch stays together and is packed with its neighbours. Of a larger one, the shared prefix becomes
/// the trunk if it is long, and is repeated in each batch if it is short.
struct BatchPlanner {
    /// Where a node's outputs are computed.
    struct Location {
        var step: Int
        var index: Int
    }

    let requests: [ScoringRequest]
    let limits: BatchLimits
    let tree: PrefixTree
    let sizes: [SubtreeSize]
    var steps: [BatchPlan.Step] = []
    /// Per node, where the outputs of its edge are, from the first wanted on; empty until planned.
    var locations: [[Location]]
    var trunkLength = 0
    var open = OpenPack()

    init(_ requests: [ScoringRequest], limits: BatchLimits) {
        self.requests = requests
        self.limits = limits
        self.tree = PrefixTree(requests.map { Array($0.tokens.dropLast()) }, block: limits.block)
        self.sizes = SubtreeSize.all(
            of: self.tree, scoredFrom: requests.map(\.scoredFrom), block: limits.block)
        self.locations = Array(repeating: [], count: self.tree.nodes.count)
    }

    mutating func plan() -> [BatchPlan.Step] {
        for child in self.tree.nodes[PrefixTree.root].children { self.visit(child) }
        self.closePack()
        self.assignTargets()
        return self.steps
    }

    private mutating func visit(_ node: Int) {
        if self.add(node) { return }
        // Perhaps it only does not fit because of what is in the pack.
        if !self.open.leaves.isEmpty, self.fitsAlone(node) {
            self.closePack()
            if self.add(node) { return }
        }
        let children = self.tree.nodes[node].children
        let length = self.tree.nodes[node].depth - self.trunkLength
        guard children.isEmpty || length >= self.limits.shortestTrunk else {
            for child in children { self.visit(child) }
            return
        }
        self.closePack()
        let before = self.trunkLength
        self.extendTrunk(to: node)
        for child in children { self.visit(child) }
        self.closePack()
        self.trunkLength = before
        self.steps.append(.trimTrunk(length: before))
    }

    private func fitsAlone(_ node: Int) -> Bool {
        let size = self.size(of: node, sharing: self.trunkLength)
        return size.tokens <= self.limits.tokens && size.leaves < self.limits.sequences
            && size.outputs <= self.limits.outputs
    }

    /// Adds a subtree to the open pack, unless it is too large for it.
    private mutating func add(_ node: Int) -> Bool {
        let shared = self.open.leaves.last.map { max(self.trunkLength, self.tree.sharedDepth($0, node)) }
        let size = self.size(of: node, sharing: shared ?? self.trunkLength)
        guard self.open.tokens + size.tokens <= self.limits.tokens,
            self.open.leaves.count + size.leaves < self.limits.sequences,
            self.open.outputs + size.outputs <= self.limits.outputs
        else { return false }
        self.open.tokens += size.tokens
        self.open.outputs += size.outputs
        self.open.leaves += self.leaves(below: node)
        return true
    }

    /// What a subtree costs if the first `depth` tokens of its path are there already.
    private func size(of node: Int, sharing depth: Int) -> SubtreeSize {
        var size = self.sizes[node]
        var ancestor = self.tree.nodes[node].parent
        size.tokens += self.tree.nodes[ancestor].depth - depth
        while self.tree.nodes[ancestor].depth > depth {
            size.outputs += self.sizes[ancestor].edgeOutputs
            ancestor = self.tree.nodes[ancestor].parent
        }
        return size
    }

    private func leaves(below node: Int) -> [Int] {
        var leaves: [Int] = []
        var stack = [node]
        while let next = stack.popLast() {
            let children = self.tree.nodes[next].children
            if children.isEmpty { leaves.append(next) }
            stack.append(contentsOf: children.reversed())
        }
        return leaves
    }
}

/// Subtrees that will be computed in one batch.
struct OpenPack {
    var leaves: [Int] = []
    var tokens = 0
    var outputs = 0
}

/// Writing batches.
extension BatchPlanner {
    /// Computes the path to a node into the trunk, in as many batches as it takes.
    mutating func extendTrunk(to node: Int) {
        var batch = BatchPlan.Batch()
        var outputs = 0
        for step in self.path(to: node, from: self.trunkLength) {
            for depth in step.depths {
                let wantsOutput = self.wantsOutput(step.node, depth)
                if batch.tokens.count == self.limits.tokens || (wantsOutput && outputs == self.limits.outputs) {
                    self.steps.append(.extendTrunk(batch))
                    batch = BatchPlan.Batch()
                    outputs = 0
                }
                if wantsOutput { outputs += 1 }
                self.emit(step.node, depth, sequences: 0..<1, wantsOutput: wantsOutput, into: &batch)
            }
        }
        self.steps.append(.extendTrunk(batch))
        self.trunkLength = self.tree.nodes[node].depth
    }

    /// Computes the open pack in one batch.
    mutating func closePack() {
        let leaves = self.open.leaves
        self.open = OpenPack()
        guard !leaves.isEmpty else { return }
        // How many tokens each leaf shares with the one before it.
        let shared = leaves.indices.map { index in
            index == 0
                ? self.trunkLength : max(self.trunkLength, self.tree.sharedDepth(leaves[index - 1], leaves[index]))
        }
        var batch = BatchPlan.Batch()
        for (index, leaf) in leaves.enumerated() {
            let sharers = self.sharers(of: index, shared: shared, length: self.tree.nodes[leaf].depth)
            for step in self.path(to: leaf, from: shared[index]) {
                for depth in step.depths {
                    let count = sharers[depth - shared[index]]
                    let sequences = Int32(index + 1)..<Int32(index + 1 + count)
                    self.emit(
                        step.node, depth, sequences: sequences, wantsOutput: self.wantsOutput(step.node, depth),
                        into: &batch)
                }
            }
        }
        self.steps.append(.pack(batch, sequenceCount: leaves.count))
    }

    /// For each token that leaf `index` is the first to have: how many leaves have it, itself included.
    private func sharers(of index: Int, shared: [Int], length: Int) -> [Int] {
        let start = shared[index]
        var counts = Array(repeating: 1, count: length - start)
        var common = length
        for later in shared.dropFirst(index + 1) {
            common = min(common, later)
            guard common > start else { break }
            for depth in start..<common { counts[depth - start] += 1 }
        }
        return counts
    }

    /// The edges, or parts of edges, between depth `start` and the end of a node's path.
    private func path(to node: Int, from start: Int) -> [(node: Int, depths: Range<Int>)] {
        var steps: [(node: Int, depths: Range<Int>)] = []
        var node = node
        while self.tree.nodes[node].depth > start {
            steps.append((node, max(start, self.tree.start(of: node))..<self.tree.nodes[node].depth))
            node = self.tree.nodes[node].parent
        }
        return steps.reversed()
    }

    /// Whether the output is wanted and not computed by an earlier batch, which had this token too.
    private func wantsOutput(_ node: Int, _ depth: Int) -> Bool {
        let first = self.tree.nodes[node].depth - self.sizes[node].edgeOutputs
        return depth >= first + self.locations[node].count
    }

    private mutating func emit(
        _ node: Int, _ depth: Int, sequences: Range<Int32>, wantsOutput: Bool, into batch: inout BatchPlan.Batch
    ) {
        if wantsOutput { self.locations[node].append(Location(step: self.steps.count, index: batch.tokens.count)) }
        batch.tokens.append(self.tree.token(of: node, at: depth))
        batch.positions.append(depth)
        batch.sequences.append(sequences)
        batch.wantsOutput.append(wantsOutput)
    }

    /// Finds, for each token to be scored, the output that predicts it.
    mutating func assignTargets() {
        var targets: [[BatchPlan.Target]] = Array(repeating: [], count: self.steps.count)
        for node in self.tree.nodes.indices {
            for request in self.tree.nodes[node].endings {
                self.assignTargets(of: request, endingAt: node, to: &targets)
            }
        }
        for (index, targets) in targets.enumerated() where !targets.isEmpty {
            self.steps[index].setTargets(
                targets.sorted { ($0.index, $0.request, $0.position) < ($1.index, $1.request, $1.position) })
        }
    }

    private func assignTargets(of request: Int, endingAt ending: Int, to targets: inout [[BatchPlan.Target]]) {
        let scoredFrom = self.requests[request].scoredFrom
        var node = ending
        while self.tree.nodes[node].depth >= scoredFrom {
            let end = self.tree.nodes[node].depth
            let firstLocated = end - self.locations[node].count
            for depth in max(scoredFrom - 1, self.tree.start(of: node))..<end {
                let location = self.locations[node][depth - firstLocated]
                targets[location.step].append(
                    BatchPlan.Target(
                        index: location.index, request: request, position: depth + 1 - scoredFrom,
                        token: self.requests[request].tokens[depth + 1]))
            }
            node = self.tree.nodes[node].parent
        }
    }
}

extension BatchPlan.Step {
    fileprivate mutating func setTargets(_ targets: [BatchPlan.Target]) {
        switch self {
        case .extendTrunk(var batch):
            batch.targets = targets
            self = .extendTrunk(batch)
        case .pack(var batch, let sequenceCount):
            batch.targets = targets
            self = .pack(batch, sequenceCount: sequenceCount)
        case .trimTrunk: break
        }
    }
}

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

/// What a batch may hold; fixed by settings, never by what happens at run time.
struct BatchLimits: Sendable, Hashable {
    /// Tokens per batch.
    var tokens: Int
    /// Sequences of a context, the trunk included; at least 2.
    var sequences: Int
    /// Outputs per batch; at least 1.
    var outputs: Int
    /// A shared prefix of fewer tokens is computed again in every batch rather than kept: a batch costs more than it.
    var shortestTrunk = 64
    /// Prefixes are shared in whole blocks of so many tokens.
    var block = 1
}
