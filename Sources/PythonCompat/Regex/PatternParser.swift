/// Reads Python's regular expression syntax.
struct PatternParser {
    struct Flags {
        var ignoresCase = false
        var dotMatchesNewline = false
        var isMultiline = false
    }

    let pattern: [Unicode.Scalar]
    var position = 0
    var flags = Flags()
    var names: [String: Int] = [:]
    var openGroups: Set<Int> = []
    var groupCount = 0

    static func parse(_ pattern: String) throws(PatternError) -> (node: PatternNode, groupCount: Int) {
        var parser = PatternParser(pattern: Array(pattern.unicodeScalars))
        guard parser.pattern.count <= 10_000 else { throw parser.error("the pattern has more than 10000 characters") }
        let node = try parser.alternation(depth: 0)
        guard parser.next == nil else { throw parser.error("this ) closes nothing") }
        return (node, parser.groupCount)
    }

    private init(pattern: [Unicode.Scalar]) { self.pattern = pattern }

    func error(_ message: String, at offset: Int? = nil) -> PatternError {
        PatternError(message: message, offset: offset ?? self.position)
    }

    var next: Unicode.Scalar? { self.position < self.pattern.count ? self.pattern[self.position] : nil }

    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard self.next == scalar else { return false }
        self.position += 1
        return true
    }

    mutating func take(_ text: String) -> Bool {
        guard self.pattern[self.position...].starts(with: text.unicodeScalars) else { return false }
        self.position += text.unicodeScalars.count
        return true
    }

    mutating func alternation(depth: Int) throws(PatternError) -> PatternNode {
        guard depth <= 50 else { throw self.error("groups are nested more than 50 deep") }
        var branches = [try self.sequence(depth: depth)]
        while self.take("|") { branches.append(try self.sequence(depth: depth)) }
        return branches.count == 1 ? branches[0] : .alternation(branches)
    }

    mutating func sequence(depth: Int) throws(PatternError) -> PatternNode {
        var nodes: [PatternNode] = []
        while let scalar = self.next, scalar != "|", scalar != ")" {
            guard let atom = try self.atom(depth: depth) else { continue }
            nodes.append(try self.repeated(atom))
        }
        return nodes.count == 1 ? nodes[0] : nodes.isEmpty ? .empty : .sequence(nodes)
    }

    mutating func repeated(_ atom: PatternNode) throws(PatternError) -> PatternNode {
        guard let (least, most) = try self.quantifier() else { return atom }
        if case .assertion = atom { throw self.error("there is nothing to repeat here") }
        let isGreedy = !self.take("?")
        if self.take("+") { throw self.error("possessive repetition is not supported") }
        if try self.quantifier() != nil { throw self.error("a repetition can't be repeated; put it in (?:...)") }
        return .repetition(atom, least: least, most: most, isGreedy: isGreedy)
    }

    mutating func quantifier() throws(PatternError) -> (least: Int, most: Int?)? {
        if self.take("*") { return (0, nil) }
        if self.take("+") { return (1, nil) }
        if self.take("?") { return (0, 1) }
        let start = self.position
        guard self.take("{") else { return nil }
        let least = self.number()
        var most = least
        let hasComma = self.take(",")
        if hasComma { most = self.number() }
        // Python takes { as a character unless a whole quantifier follows.
        guard self.take("}"), least != nil || hasComma else {
            self.position = start
            return nil
        }
        let low = least ?? 0
        guard low <= 1000, (most ?? 0) <= 1000 else { throw self.error("more than 1000 repetitions", at: start) }
        if let most, most < low { throw self.error("the repetition's limits are in the wrong order", at: start) }
        return (low, most)
    }

    mutating func number() -> Int? {
        let start = self.position
        while let scalar = self.next, ("0"..."9").contains(scalar), self.position < start + 6 { self.position += 1 }
        return Int(String(String.UnicodeScalarView(self.pattern[start..<self.position])))
    }

    mutating func atom(depth: Int) throws(PatternError) -> PatternNode? {
        guard let scalar = self.next else { return nil }
        let start = self.position
        if scalar == "{", try self.quantifier() != nil {
            throw self.error("there is nothing to repeat here", at: start)
        }
        self.position = start + 1
        switch scalar {
        case "*", "+", "?": throw self.error("there is nothing to repeat here", at: start)
        case ".":
            return .character(
                self.flags.dotMatchesNewline
                    ? CharacterSet(isNegated: true) : CharacterSet(ranges: [0x0A...0x0A], isNegated: true))
        case "^": return .assertion(self.flags.isMultiline ? .lineStart : .textStart)
        case "$": return .assertion(self.flags.isMultiline ? .lineEnd : .lastLineEnd)
        case "[": return .character(try self.characterClass())
        case "(": return try self.group(depth: depth)
        case "\\": return try self.escape()
        default: return .character(.single(scalar, ignoresCase: self.flags.ignoresCase))
        }
    }
}
