/// A regular expression as instructions for a machine with backtracking.
struct PatternProgram: Sendable, Hashable {
    enum Instruction: Sendable, Hashable {
        case match
        case character(CharacterSet)
        case jump(Int)
        /// Goes on at `first`; on failure at `second`.
        case split(first: Int, second: Int)
        /// Notes the position in a register.
        case save(Int)
        /// Goes back to `loop`, or on to `end` if nothing was matched since the register was saved.
        case again(loop: Int, end: Int, since: Int)
        case backreference(number: Int, ignoresCase: Bool)
        /// What follows, up to its `match`, is looked for here, or `width` code points before.
        case look(width: Int, isNegative: Bool, next: Int)
        case assertion(PatternNode.Assertion)
    }

    private(set) var instructions: [Instruction] = []
    /// Two for the match and for each group, then one for each loop that can match nothing.
    private(set) var registerCount: Int

    init(_ node: PatternNode, groupCount: Int) throws(PatternError) {
        self.registerCount = 2 * (groupCount + 1)
        try self.add(node)
        self.instructions.append(.match)
    }

    private mutating func add(_ node: PatternNode) throws(PatternError) {
        guard self.instructions.count < 20_000 else {
            throw PatternError(message: "the pattern's repetitions make it too large")
        }
        switch node {
        case .empty: break
        case .character(let set): self.instructions.append(.character(set))
        case .sequence(let nodes): for node in nodes { try self.add(node) }
        case .alternation(let nodes): try self.add(alternatives: nodes[...])
        case .repetition(let node, let least, let most, let isGreedy):
            for _ in 0..<least { try self.add(node) }
            if let most {
                try self.add(optional: node, times: most - least, isGreedy: isGreedy)
            } else {
                try self.add(loop: node, isGreedy: isGreedy)
            }
        case .capture(let node, let number):
            self.instructions.append(.save(2 * number))
            try self.add(node)
            self.instructions.append(.save(2 * number + 1))
        case .backreference(let number, let ignoresCase):
            self.instructions.append(.backreference(number: number, ignoresCase: ignoresCase))
        case .look(let node, let isBehind, let isNegative):
            let at = self.instructions.count
            self.instructions.append(.match)
            try self.add(node)
            self.instructions.append(.match)
            self.instructions[at] = .look(
                width: isBehind ? node.width ?? 0 : 0, isNegative: isNegative, next: self.instructions.count)
        case .assertion(let assertion): self.instructions.append(.assertion(assertion))
        }
    }

    private mutating func add(alternatives nodes: ArraySlice<PatternNode>) throws(PatternError) {
        var jumps: [Int] = []
        for (index, node) in zip(nodes.indices, nodes) {
            guard index < nodes.endIndex - 1 else {
                try self.add(node)
                break
            }
            let split = self.instructions.count
            self.instructions.append(.match)
            try self.add(node)
            jumps.append(self.instructions.count)
            self.instructions.append(.match)
            self.instructions[split] = .split(first: split + 1, second: self.instructions.count)
        }
        for jump in jumps { self.instructions[jump] = .jump(self.instructions.count) }
    }

    private mutating func add(optional node: PatternNode, times: Int, isGreedy: Bool) throws(PatternError) {
        var splits: [Int] = []
        for _ in 0..<times {
            splits.append(self.instructions.count)
            self.instructions.append(.match)
            try self.add(node)
        }
        let end = self.instructions.count
        for split in splits {
            self.instructions[split] =
                isGreedy ? .split(first: split + 1, second: end) : .split(first: end, second: split + 1)
        }
    }

    private mutating func add(loop node: PatternNode, isGreedy: Bool) throws(PatternError) {
        let split = self.instructions.count
        self.instructions.append(.match)
        if let width = node.width, width > 0 {
            try self.add(node)
            self.instructions.append(.jump(split))
        } else {
            // As in Python, a round that matches nothing counts, but it is the last.
            let register = self.registerCount
            self.registerCount += 1
            self.instructions.append(.save(register))
            try self.add(node)
            let again = self.instructions.count
            self.instructions.append(.again(loop: split, end: again + 1, since: register))
        }
        let end = self.instructions.count
        self.instructions[split] =
            isGreedy ? .split(first: split + 1, second: end) : .split(first: end, second: split + 1)
    }
}
