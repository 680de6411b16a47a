/// Runs a program on a text.
///
/// What a failure goes back to is kept beside what registers held before: no depth of a pattern or length of a text needs
/// more stack. It does what CPython's engine does, round by round.
struct PatternMachine {
    /// Where to go on after a failure.
    private struct Alternative {
        enum Kind: UInt8 {
            case place
            case greedyRepeat
            case lazyRepeat
        }

        var kind: Kind
        var instruction: Int
        var position: Int
        /// For a repeated unit: the first place that it may end at, or how often it may still be taken.
        var limit: Int
        /// How many changes of registers stay.
        var changes: Int
    }

    private struct Change {
        var register: Int
        var value: Int
    }

    enum End {
        /// Where the pattern ends.
        case anywhere
        /// Not here: the last match was empty, and here.
        case notAt(Int)
        case textEnd
    }

    /// How many alternatives and changes may be kept: 100 MB.
    private static let maxKept = 2_000_000

    private let program: PatternProgram
    private let text: [Unicode.Scalar]
    private var steps: Int
    private var registers: [Int]
    private var alternatives: [Alternative] = []
    private var changes: [Change] = []

    init(program: PatternProgram, text: [Unicode.Scalar], steps: Int) {
        self.program = program
        self.text = text
        self.steps = steps
        self.registers = [Int](repeating: -1, count: program.registerCount)
    }

    /// Where the first match at or after `start` begins and ends, and its groups; `nil` if there is none.
    mutating func search(
        from start: Int, mustAdvance: Bool, skipsAnything: Bool
    ) throws(PatternError) -> [Int]? {
        var position = start
        while position <= self.text.count {
            if let first = self.program.first {
                let from = position
                while position < self.text.count, !self.matches(first, self.text[position].value) { position += 1 }
                try self.spend(position - from)
                if position == self.text.count { return nil }
            }
            let isBehindEmptyMatch = mustAdvance && position == start
            if let found = try self.match(at: position, isBehindEmptyMatch ? .notAt(start) : .anywhere) { return found }
            if skipsAnything, !isBehindEmptyMatch { return nil }
            position += 1
        }
        return nil
    }

    private mutating func spend(_ count: Int) throws(PatternError) {
        self.steps -= count
        guard self.steps > 0 else { throw PatternError(message: "the pattern takes too many steps on this text") }
    }

    private mutating func set(_ register: Int, _ value: Int) {
        if !self.alternatives.isEmpty {
            self.changes.append(Change(register: register, value: self.registers[register]))
        }
        self.registers[register] = value
    }

    private mutating func push(
        _ instruction: Int, _ position: Int, _ kind: Alternative.Kind = .place, _ limit: Int = 0
    ) throws(PatternError) {
        guard self.alternatives.count < Self.maxKept, self.changes.count < Self.maxKept else {
            throw PatternError(message: "the pattern needs too much memory on this text")
        }
        self.alternatives.append(
            Alternative(
                kind: kind, instruction: instruction, position: position, limit: limit, changes: self.changes.count))
    }

    /// Forgets the alternatives after the first `count`; changes of registers stay known.
    private mutating func cut(_ count: Int) {
        self.alternatives.removeLast(self.alternatives.count - count)
        if count == 0 { self.changes.removeAll(keepingCapacity: true) }
    }

    @inline(__always)
    private func matches(_ unit: PatternProgram.Instruction, _ point: UInt32) -> Bool {
        switch unit.operation {
        case .literal: point == UInt32(truncatingIfNeeded: unit.a)
        case .notLiteral: point != UInt32(truncatingIfNeeded: unit.a)
        case .either: point == UInt32(truncatingIfNeeded: unit.a) || point == UInt32(truncatingIfNeeded: unit.b)
        case .set: self.program.sets[Int(unit.a)].contains(point)
        case .notNewline: point != 0x0A
        default: true
        }
    }

    /// How many code points from `position` on are of the unit, `most` at most.
    private func run(_ unit: PatternProgram.Instruction, at position: Int, most: Int) -> Int {
        let end = self.text.count - position <= most ? self.text.count : position + most
        if unit.operation == .anything { return end - position }
        var next = position
        while next < end, self.matches(unit, self.text[next].value) { next += 1 }
        return next - position
    }

    /// The registers of a match that starts at `start`; `nil` if there is none.
    mutating func match(at start: Int, _ goal: End) throws(PatternError) -> [Int]? {
        for register in self.registers.indices { self.registers[register] = -1 }
        self.alternatives.removeAll(keepingCapacity: true)
        self.changes.removeAll(keepingCapacity: true)
        var next = 0
        var position = start
        let end = self.text.count
        while true {
            self.steps -= 1
            guard self.steps > 0 else { throw PatternError(message: "the pattern takes too many steps on this text") }
            let instruction = self.program.instructions[next]
            let (a, b) = (Int(instruction.a), Int(instruction.b))
            var fails = false
            next += 1
            switch instruction.operation {
            case .match:
                let isGood =
                    switch goal {
                    case .anywhere: true
                    case .notAt(let place): position != place
                    case .textEnd: position == end
                    }
                if isGood {
                    self.registers[0] = start
                    self.registers[1] = position
                    return self.registers
                }
                fails = true
            case .literal, .notLiteral, .either, .set, .notNewline, .anything:
                if position < end, self.matches(instruction, self.text[position].value) {
                    position += 1
                } else {
                    fails = true
                }
            case .repeatGreedy, .repeatPossessive, .repeatLazy:
                let unit = self.program.instructions[next]
                let most = b == Int(Int32.max) ? Int.max : b
                let isLazy = instruction.operation == .repeatLazy
                let count = self.run(unit, at: position, most: isLazy ? a : most)
                try self.spend(count)
                next += 1
                if count < a {
                    fails = true
                } else if isLazy {
                    position += count
                    if most > a { try self.push(next - 2, position, .lazyRepeat, most == Int.max ? most : most - a) }
                } else {
                    if instruction.operation == .repeatGreedy, count > a {
                        try self.push(next - 2, position + count, .greedyRepeat, position + a)
                    }
                    position += count
                }
            case .jump: next = a
            case .split:
                try self.push(b, position)
                next = a
            case .save: self.set(a, position)
            case .loopStart:
                let register = self.program.loops[a].register
                self.set(register, 0)
                self.set(register + 1, -1)
            case .loopGreedy:
                let loop = self.program.loops[a]
                let rounds = self.registers[loop.register]
                if rounds < loop.least {
                    self.set(loop.register, rounds + 1)
                } else if rounds < loop.most, position != self.registers[loop.register + 1] {
                    try self.push(b, position)
                    self.set(loop.register, rounds + 1)
                    self.set(loop.register + 1, position)
                } else {
                    next = b
                }
            case .loopLazy:
                let loop = self.program.loops[a]
                let rounds = self.registers[loop.register]
                if rounds < loop.least {
                    self.set(loop.register, rounds + 1)
                    next += 1
                } else {
                    try self.push(next, position)
                    next = b
                }
            case .loopLazyRound:
                let loop = self.program.loops[a]
                let rounds = self.registers[loop.register]
                if rounds < loop.most, position != self.registers[loop.register + 1] {
                    self.set(loop.register, rounds + 1)
                    self.set(loop.register + 1, position)
                } else {
                    fails = true
                }
            case .loopPossessive:
                let loop = self.program.loops[a]
                let rounds = self.registers[loop.register]
                if rounds < loop.least {
                    self.set(loop.register + 2, self.alternatives.count)
                    self.set(loop.register, rounds + 1)
                } else if rounds < loop.most, position != self.registers[loop.register + 1] {
                    let count = self.alternatives.count
                    try self.push(b, position)
                    self.set(loop.register + 2, count)
                    self.set(loop.register, rounds + 1)
                    self.set(loop.register + 1, position)
                } else {
                    next = b
                }
            case .loopPossessiveEnd: self.cut(self.registers[self.program.loops[a].register + 2])
            case .backreference:
                if let length = try self.repeatedLength(a, folding: b, at: position) {
                    position += length
                } else {
                    fails = true
                }
            case .conditional: if !self.isSet(a) { next = b }
            case .back:
                position -= a
                fails = position < 0
            case .lookStart:
                self.set(a, self.alternatives.count)
                self.set(a + 1, position)
            case .lookEnd:
                self.cut(self.registers[a])
                position = self.registers[a + 1]
            case .notLookStart:
                let count = self.alternatives.count
                try self.push(b, position)
                self.set(a, count)
            case .notLookEnd:
                let count = self.registers[a]
                // Registers go back to what they held before the lookaround, though its own alternative is not taken.
                self.undo(to: self.alternatives[count].changes)
                self.cut(count)
                fails = true
            case .atomicStart: self.set(a, self.alternatives.count)
            case .atomicEnd: self.cut(self.registers[a])
            case .textStart: fails = position != 0
            case .textEnd: fails = position != end
            case .lastLineEnd:
                fails = position != end && !(position == end - 1 && self.text[position] == "\n")
            case .lineStart: fails = position != 0 && self.text[position - 1] != "\n"
            case .lineEnd: fails = position != end && self.text[position] != "\n"
            case .wordBoundary: fails = !self.isBoundary(position, isASCII: a == 1, isWanted: true)
            case .noWordBoundary: fails = !self.isBoundary(position, isASCII: a == 1, isWanted: false)
            }
            if fails {
                guard let place = try self.backtrack() else { return nil }
                (next, position) = place
            }
        }
    }

    private mutating func undo(to count: Int) {
        while self.changes.count > count {
            let change = self.changes.removeLast()
            self.registers[change.register] = change.value
        }
    }

    /// Where the last alternative goes on, which is used up by that unless it has further places.
    private mutating func backtrack() throws(PatternError) -> (next: Int, position: Int)? {
        while let alternative = self.alternatives.last {
            self.undo(to: alternative.changes)
            let top = self.alternatives.count - 1
            switch alternative.kind {
            case .greedyRepeat:
                var position = alternative.position - 1
                let next = alternative.instruction + 2
                let following = self.program.instructions[next]
                if following.operation == .literal {
                    // Without a look at each place that can't go on.
                    while position >= alternative.limit,
                        position == self.text.count
                            || self.text[position].value != UInt32(truncatingIfNeeded: following.a)
                    { position -= 1 }
                    try self.spend(alternative.position - position)
                }
                if position > alternative.limit {
                    self.alternatives[top].position = position
                } else {
                    self.alternatives.removeLast()
                }
                if position >= alternative.limit { return (next, position) }
            case .lazyRepeat:
                let unit = self.program.instructions[alternative.instruction + 1]
                let position = alternative.position
                guard position < self.text.count, self.matches(unit, self.text[position].value) else {
                    self.alternatives.removeLast()
                    continue
                }
                if alternative.limit > 1 {
                    self.alternatives[top].position = position + 1
                    self.alternatives[top].limit = alternative.limit == Int.max ? Int.max : alternative.limit - 1
                } else {
                    self.alternatives.removeLast()
                }
                return (alternative.instruction + 2, position + 1)
            case .place:
                self.alternatives.removeLast()
                return (alternative.instruction, alternative.position)
            }
        }
        return nil
    }

    private func isSet(_ group: Int) -> Bool {
        let (start, end) = (self.registers[2 * group], self.registers[2 * group + 1])
        return start >= 0 && end >= start
    }

    private mutating func repeatedLength(_ group: Int, folding: Int, at position: Int) throws(PatternError) -> Int? {
        guard self.isSet(group) else { return nil }
        let start = self.registers[2 * group]
        let length = self.registers[2 * group + 1] - start
        guard position + length <= self.text.count else { return nil }
        try self.spend(length)
        for offset in 0..<length {
            let (wanted, found) = (self.text[start + offset].value, self.text[position + offset].value)
            if wanted == found { continue }
            guard folding != 0 else { return nil }
            let folding: CharacterSet.Folding = folding == 1 ? .ascii : .unicode
            guard folding.lower(wanted) == folding.lower(found) else { return nil }
        }
        return length
    }

    /// Whether a word begins or ends here, or not, as `isWanted` says; an empty text has neither.
    private func isBoundary(_ position: Int, isASCII: Bool, isWanted: Bool) -> Bool {
        guard !self.text.isEmpty else { return false }
        let before = position > 0 && CharacterSet.isIn(.word, self.text[position - 1].value, isASCII: isASCII)
        let behind =
            position < self.text.count && CharacterSet.isIn(.word, self.text[position].value, isASCII: isASCII)
        return (before != behind) == isWanted
    }
}
