/// Runs a program on a text.
struct PatternMachine {
    private struct Alternative {
        var instruction: Int
        var position: Int
        var registers: [Int]
    }

    let program: PatternProgram
    let text: [Unicode.Scalar]
    var steps: Int

    /// The registers of a match that starts at `start`; `nil` if there is none.
    mutating func run(at start: Int, mustAdvance: Bool) throws(PatternError) -> [Int]? {
        var registers = [Int](repeating: -1, count: self.program.registerCount)
        registers[0] = start
        guard
            let (end, result) = try self.run(
                from: 0, at: start, registers: registers, forbiddenEnd: mustAdvance ? start : nil, depth: 0)
        else { return nil }
        var match = result
        match[1] = end
        return match
    }

    private mutating func run(
        from first: Int, at start: Int, registers: [Int], forbiddenEnd: Int?, depth: Int
    ) throws(PatternError) -> (end: Int, registers: [Int])? {
        var alternatives: [Alternative] = []
        var current = Alternative(instruction: first, position: start, registers: registers)
        while true {
            guard self.steps > 0, alternatives.count < 1_000_000 else {
                throw PatternError(message: "the pattern takes too many steps on this text")
            }
            self.steps -= 1
            var fails = false
            switch self.program.instructions[current.instruction] {
            case .match:
                if current.position != forbiddenEnd { return (current.position, current.registers) }
                fails = true
            case .character(let set):
                fails = current.position >= self.text.count || !set.contains(self.text[current.position])
                current.position += 1
                current.instruction += 1
            case .jump(let target): current.instruction = target
            case .split(let first, let second):
                var other = current
                other.instruction = second
                alternatives.append(other)
                current.instruction = first
            case .save(let register):
                current.registers[register] = current.position
                current.instruction += 1
            case .again(let loop, let end, let register):
                current.instruction = current.registers[register] == current.position ? end : loop
            case .backreference(let number, let ignoresCase):
                fails = !self.repeats(number, ignoresCase: ignoresCase, &current.position, current.registers)
                current.instruction += 1
            case .look(let width, let isNegative, let next):
                let from = current.position - width
                var inner: (end: Int, registers: [Int])?
                if from >= 0 {
                    inner = try self.run(
                        from: current.instruction + 1, at: from, registers: current.registers, forbiddenEnd: nil,
                        depth: depth + 1)
                }
                fails = (inner != nil) == isNegative
                if let inner, !isNegative { current.registers = inner.registers }
                current.instruction = next
            case .assertion(let assertion):
                fails = !self.holds(assertion, at: current.position)
                current.instruction += 1
            }
            if fails {
                guard let other = alternatives.popLast() else { return nil }
                current = other
            }
        }
    }

    private func repeats(_ number: Int, ignoresCase: Bool, _ position: inout Int, _ registers: [Int]) -> Bool {
        let (start, end) = (registers[2 * number], registers[2 * number + 1])
        guard start >= 0, end >= start, position + (end - start) <= self.text.count else { return false }
        for offset in 0..<(end - start) {
            let (wanted, found) = (self.text[start + offset], self.text[position + offset])
            guard wanted == found || (ignoresCase && CharacterSet.cases(of: wanted).contains(found)) else {
                return false
            }
        }
        position += end - start
        return true
    }

    private func holds(_ assertion: PatternNode.Assertion, at position: Int) -> Bool {
        let count = self.text.count
        switch assertion {
        case .textStart: return position == 0
        case .textEnd: return position == count
        case .lastLineEnd: return position == count || (position == count - 1 && self.text[position] == "\n")
        case .lineStart: return position == 0 || self.text[position - 1] == "\n"
        case .lineEnd: return position == count || self.text[position] == "\n"
        case .wordBoundary: return self.isBoundary(position)
        case .noWordBoundary: return !self.isBoundary(position)
        }
    }

    private func isBoundary(_ position: Int) -> Bool {
        let before = position > 0 && CharacterSet.isIn(.word, self.text[position - 1])
        let after = position < self.text.count && CharacterSet.isIn(.word, self.text[position])
        return before != after
    }
}
