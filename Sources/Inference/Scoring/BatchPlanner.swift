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
