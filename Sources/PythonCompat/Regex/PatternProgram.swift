/// A regular expression as instructions for a machine with backtracking.
struct PatternProgram: Sendable, Hashable {
    enum Operation: UInt8, Sendable {
        case match
        // One code point: `a` is it, or the number of a set.
        case literal
        case notLiteral
        case either
        case set
        case notNewline
        case anything
        /// The unit after it, `a` to `b` times; then on after that.
        case repeatGreedy
        case repeatLazy
        case repeatPossessive
        /// On at `a`.
        case jump
        /// On at `a`; on failure at `b`.
        case split
        /// Notes the position in register `a`.
        case save
        /// Begins the loop `a`.
        case loopStart
        /// Another round of the loop `a`, or on at `b`.
        case loopGreedy
        case loopLazy
        /// What `loopLazy` comes back to.
        case loopLazyRound
        case loopPossessive
        case loopPossessiveEnd
        /// The text of group `a` again; `b` says how case counts.
        case backreference
        /// Goes on after it if group `a` took part, else at `b`.
        case conditional
        /// Goes `a` code points back.
        case back
        /// Notes in registers `a` and `a + 1` where the alternatives end and where it is.
        case lookStart
        case lookEnd
        /// As `lookStart`; on at `b` if what follows up to `notLookEnd` fails.
        case notLookStart
        case notLookEnd
        case atomicStart
        case atomicEnd
        // Assertions.
        case textStart
        case textEnd
        case lastLineEnd
        case lineStart
        case lineEnd
        /// `a` is 1 for ASCII's words.
        case wordBoundary
        case noWordBoundary
    }

    struct Instruction: Sendable, Hashable {
        var operation: Operation
        var a: Int32 = 0
        var b: Int32 = 0
    }

    struct Loop: Sendable, Hashable {
        var least: Int
        /// `Int.max` for no limit.
        var most: Int
        /// The first of three registers: rounds, where the last one began, and how many alternatives there were.
        var register: Int
    }

    private static let maxCount = 50_000

    private(set) var instructions: [Instruction] = []
    private(set) var sets: [CharacterSet] = []
    private(set) var loops: [Loop] = []
    /// Two for the match and for each group, then those of loops and lookarounds.
    private(set) var registerCount: Int
    /// What a match must begin with, where that is one code point.
    private(set) var first: Instruction?

    init(_ nodes: [PatternNode], groupCount: Int) throws(PatternError) {
        self.registerCount = 2 * (groupCount + 1)
        try self.add(nodes)
        self.instructions.append(Instruction(operation: .match))
        self.first = self.firstUnit()
    }

    private func firstUnit() -> Instruction? {
        var position = 0
        while self.instructions[position].operation == .save { position += 1 }
        let instruction = self.instructions[position]
        switch instruction.operation {
        case .literal, .notLiteral, .either, .set, .notNewline: return instruction
        case .repeatGreedy, .repeatLazy, .repeatPossessive:
            let unit = self.instructions[position + 1]
            return instruction.a == 0 || unit.operation == .anything ? nil : unit
        default: return nil
        }
    }

    private mutating func emit(_ operation: Operation, _ a: Int = 0, _ b: Int = 0) throws(PatternError) {
        guard self.instructions.count < Self.maxCount else {
            throw PatternError(message: "the pattern makes a program of more than \(Self.maxCount) steps")
        }
        self.instructions.append(Instruction(operation: operation, a: Int32(clamping: a), b: Int32(clamping: b)))
    }

    private var here: Int { self.instructions.count }

    private mutating func registers(_ count: Int) -> Int {
        defer { self.registerCount += count }
        return self.registerCount
    }

    private mutating func add(_ nodes: [PatternNode]) throws(PatternError) { for node in nodes { try self.add(node) } }

    private mutating func add(_ node: PatternNode) throws(PatternError) {
        switch node {
        case .literal(let point, let folding):
            if let cases = CharacterSet.cases(of: point, folding) {
                try self.add(CharacterSet(points: cases))
            } else {
                try self.emit(.literal, Int(point))
            }
        case .notLiteral(let point, let folding):
            if let cases = CharacterSet.cases(of: point, folding) {
                try self.add(CharacterSet(points: cases, isNegated: true))
            } else {
                try self.emit(.notLiteral, Int(point))
            }
        case .set(let description): try self.add(CharacterSet(description))
        case .any(let matchesNewline): try self.emit(matchesNewline ? .anything : .notNewline)
        case .alternation(let branches): try self.add(alternatives: branches)
        case .repetition(let nodes, let least, let most, let greed):
            if nodes.count == 1, let unit = nodes[0].unit {
                let operation: Operation =
                    switch greed {
                    case .greedy: .repeatGreedy
                    case .lazy: .repeatLazy
                    case .possessive: .repeatPossessive
                    }
                try self.emit(operation, least, most ?? Int.max)
                try self.add(unit)
            } else {
                try self.add(loop: nodes, least: least, most: most ?? Int.max, greed)
            }
        case .group(let nodes, let number):
            if let number { try self.emit(.save, 2 * number) }
            try self.add(nodes)
            if let number { try self.emit(.save, 2 * number + 1) }
        case .scoped(let nodes): try self.add(nodes)
        case .atomic(let nodes):
            let register = self.registers(1)
            try self.emit(.atomicStart, register)
            try self.add(nodes)
            try self.emit(.atomicEnd, register)
        case .backreference(let number, let folding):
            try self.emit(.backreference, number, folding == .none ? 0 : folding == .ascii ? 1 : 2)
        case .conditional(let number, let yes, let otherwise):
            let condition = self.here
            try self.emit(.conditional, number)
            try self.add(yes)
            if let otherwise {
                let jump = self.here
                try self.emit(.jump)
                self.instructions[condition].b = Int32(self.here)
                try self.add(otherwise)
                self.instructions[jump].a = Int32(self.here)
            } else {
                self.instructions[condition].b = Int32(self.here)
            }
        case .look(let nodes, let behind, let isNegative):
            let register = self.registers(2)
            let start = self.here
            try self.emit(isNegative ? .notLookStart : .lookStart, register)
            if behind > 0 { try self.emit(.back, behind) }
            try self.add(nodes)
            try self.emit(isNegative ? .notLookEnd : .lookEnd, register)
            self.instructions[start].b = Int32(self.here)
        case .assertion(let assertion): try self.add(assertion)
        }
    }

    private mutating func add(_ assertion: PatternNode.Assertion) throws(PatternError) {
        switch assertion {
        case .textStart: try self.emit(.textStart)
        case .textEnd: try self.emit(.textEnd)
        case .lastLineEnd: try self.emit(.lastLineEnd)
        case .lineStart: try self.emit(.lineStart)
        case .lineEnd: try self.emit(.lineEnd)
        case .wordBoundary(let isASCII): try self.emit(.wordBoundary, isASCII ? 1 : 0)
        case .noWordBoundary(let isASCII): try self.emit(.noWordBoundary, isASCII ? 1 : 0)
        }
    }

    private mutating func add(_ set: CharacterSet) throws(PatternError) {
        if set.isEverything {
            try self.emit(.anything)
        } else if let (a, b) = set.pair {
            try self.emit(.either, Int(a), Int(b))
        } else {
            try self.emit(.set, self.number(of: set))
        }
    }

    private mutating func number(of set: CharacterSet) -> Int {
        if let known = self.sets.lastIndex(of: set) { return known }
        self.sets.append(set)
        return self.sets.count - 1
    }

    private mutating func add(alternatives branches: [[PatternNode]]) throws(PatternError) {
        var jumps: [Int] = []
        for (index, branch) in branches.enumerated() {
            guard index < branches.count - 1 else {
                try self.add(branch)
                break
            }
            let split = self.here
            try self.emit(.split, split + 1)
            try self.add(branch)
            jumps.append(self.here)
            try self.emit(.jump)
            self.instructions[split].b = Int32(self.here)
        }
        for jump in jumps { self.instructions[jump].a = Int32(self.here) }
    }

    private mutating func add(
        loop nodes: [PatternNode], least: Int, most: Int, _ greed: PatternNode.Greed
    ) throws(PatternError) {
        let number = self.loops.count
        self.loops.append(Loop(least: least, most: most, register: self.registers(3)))
        try self.emit(.loopStart, number)
        let round = self.here
        switch greed {
        case .greedy: try self.emit(.loopGreedy, number)
        case .possessive: try self.emit(.loopPossessive, number)
        case .lazy:
            try self.emit(.loopLazy, number)
            try self.emit(.loopLazyRound, number)
        }
        try self.add(nodes)
        if greed == .possessive { try self.emit(.loopPossessiveEnd, number) }
        try self.emit(.jump, round)
        self.instructions[round].b = Int32(self.here)
    }
}
