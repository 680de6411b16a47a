internal import Evaluation

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
