/// Reads Python's regular expression syntax.
struct PatternParser {
    private struct Flags {
        var ignoresCase = false
        var dotMatchesNewline = false
        var isMultiline = false
    }

    private let pattern: [Unicode.Scalar]
    private var position = 0
    private var flags = Flags()
    private var names: [String: Int] = [:]
    private var openGroups: Set<Int> = []
    private(set) var groupCount = 0

    static func parse(_ pattern: String) throws(PatternError) -> (node: PatternNode, groupCount: Int) {
        var parser = PatternParser(pattern: Array(pattern.unicodeScalars))
        guard parser.pattern.count <= 10_000 else { throw parser.error("the pattern has more than 10000 characters") }
        let node = try parser.alternation(depth: 0)
        guard parser.next == nil else { throw parser.error("this ) closes nothing") }
        return (node, parser.groupCount)
    }

    private init(pattern: [Unicode.Scalar]) { self.pattern = pattern }

    private func error(_ message: String, at offset: Int? = nil) -> PatternError {
        PatternError(message: message, offset: offset ?? self.position)
    }

    private var next: Unicode.Scalar? { self.position < self.pattern.count ? self.pattern[self.position] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard self.next == scalar else { return false }
        self.position += 1
        return true
    }

    private mutating func take(_ text: String) -> Bool {
        guard self.pattern[self.position...].starts(with: text.unicodeScalars) else { return false }
        self.position += text.unicodeScalars.count
        return true
    }

    private mutating func alternation(depth: Int) throws(PatternError) -> PatternNode {
        guard depth <= 50 else { throw self.error("groups are nested more than 50 deep") }
        var branches = [try self.sequence(depth: depth)]
        while self.take("|") { branches.append(try self.sequence(depth: depth)) }
        return branches.count == 1 ? branches[0] : .alternation(branches)
    }

    private mutating func sequence(depth: Int) throws(PatternError) -> PatternNode {
        var nodes: [PatternNode] = []
        while let scalar = self.next, scalar != "|", scalar != ")" {
            guard let atom = try self.atom(depth: depth) else { continue }
            nodes.append(try self.repeated(atom))
        }
        return nodes.count == 1 ? nodes[0] : nodes.isEmpty ? .empty : .sequence(nodes)
    }

    private mutating func repeated(_ atom: PatternNode) throws(PatternError) -> PatternNode {
        guard let (least, most) = try self.quantifier() else { return atom }
        if case .assertion = atom { throw self.error("there is nothing to repeat here") }
        let isGreedy = !self.take("?")
        if self.take("+") { throw self.error("possessive repetition is not supported") }
        if try self.quantifier() != nil { throw self.error("a repetition can't be repeated; put it in (?:...)") }
        return .repetition(atom, least: least, most: most, isGreedy: isGreedy)
    }

    private mutating func quantifier() throws(PatternError) -> (least: Int, most: Int?)? {
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

    private mutating func number() -> Int? {
        let start = self.position
        while let scalar = self.next, ("0"..."9").contains(scalar), self.position < start + 6 { self.position += 1 }
        return Int(String(String.UnicodeScalarView(self.pattern[start..<self.position])))
    }

    private mutating func atom(depth: Int) throws(PatternError) -> PatternNode? {
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

    // MARK: Groups

    private mutating func group(depth: Int) throws(PatternError) -> PatternNode? {
        let start = self.position - 1
        let outer = self.flags
        guard self.take("?") else { return try self.captured(name: nil, outer: outer, depth: depth, start: start) }
        if self.take("P<") {
            let name = try self.name(until: ">")
            guard self.names[name] == nil else { throw self.error("the group \(name) is there twice", at: start) }
            return try self.captured(name: name, outer: outer, depth: depth, start: start)
        }
        if self.take("P=") {
            let name = try self.name(until: ")")
            guard let number = self.names[name], !self.openGroups.contains(number) else {
                throw self.error("there is no group \(name) before this", at: start)
            }
            return .backreference(number: number, ignoresCase: self.flags.ignoresCase)
        }
        if self.take("#") {
            while let scalar = self.next, scalar != ")" {
                _ = scalar
                self.position += 1
            }
            guard self.take(")") else { throw self.error("this comment has no )", at: start) }
            return nil
        }
        for (mark, isBehind, isNegative) in [
            ("=", false, false), ("!", false, true), ("<=", true, false), ("<!", true, true),
        ] where self.take(mark) {
            let body = try self.body(outer: outer, depth: depth, start: start)
            if isBehind, body.width == nil {
                throw self.error("what is looked for behind must have a fixed length", at: start)
            }
            return .look(body, isBehind: isBehind, isNegative: isNegative)
        }
        if self.take(":") { return try self.body(outer: outer, depth: depth, start: start) }
        return try self.flagGroup(outer: outer, depth: depth, start: start)
    }

    private mutating func captured(
        name: String?, outer: Flags, depth: Int, start: Int
    ) throws(PatternError) -> PatternNode {
        self.groupCount += 1
        let number = self.groupCount
        guard number <= 99 else { throw self.error("the pattern has more than 99 groups", at: start) }
        if let name { self.names[name] = number }
        self.openGroups.insert(number)
        let body = try self.body(outer: outer, depth: depth, start: start)
        self.openGroups.remove(number)
        return .capture(body, number: number)
    }

    private mutating func body(outer: Flags, depth: Int, start: Int) throws(PatternError) -> PatternNode {
        let node = try self.alternation(depth: depth + 1)
        guard self.take(")") else { throw self.error("this group has no )", at: start) }
        self.flags = outer
        return node
    }

    private mutating func name(until close: Unicode.Scalar) throws(PatternError) -> String {
        let start = self.position
        while let scalar = self.next, CharacterSet.isIn(.word, scalar) { self.position += 1 }
        guard self.position > start, self.take(close) else { throw self.error("a group's name should stand here") }
        return String(String.UnicodeScalarView(self.pattern[start..<self.position - 1]))
    }

    private mutating func flagGroup(outer: Flags, depth: Int, start: Int) throws(PatternError) -> PatternNode? {
        var isOn = true
        while let scalar = self.next {
            self.position += 1
            switch scalar {
            case "i": self.flags.ignoresCase = isOn
            case "s": self.flags.dotMatchesNewline = isOn
            case "m": self.flags.isMultiline = isOn
            case "u": break
            case "-": isOn = false
            case ":": return try self.body(outer: outer, depth: depth, start: start)
            case ")":
                guard start == 0, isOn else { throw self.error("flags must stand at the pattern's start", at: start) }
                return nil
            default: throw self.error("(?\(scalar) is not supported", at: start)
            }
        }
        throw self.error("this group has no )", at: start)
    }

    // MARK: Escapes and classes

    private mutating func escape() throws(PatternError) -> PatternNode {
        let start = self.position - 1
        guard let scalar = self.next else { throw self.error("the pattern ends with a lone \\", at: start) }
        switch scalar {
        case "A", "Z", "b", "B":
            self.position += 1
            return .assertion(
                scalar == "A"
                    ? .textStart : scalar == "Z" ? .textEnd : scalar == "b" ? .wordBoundary : .noWordBoundary)
        case "1"..."9":
            let digits = self.position
            self.position += 1
            if let second = self.next, ("0"..."9").contains(second) { self.position += 1 }
            let number = Int(String(String.UnicodeScalarView(self.pattern[digits..<self.position]))) ?? 0
            guard number <= self.groupCount, !self.openGroups.contains(number) else {
                throw self.error("there is no group \(number) before this", at: start)
            }
            return .backreference(number: number, ignoresCase: self.flags.ignoresCase)
        default:
            var set = CharacterSet(ignoresCase: self.flags.ignoresCase)
            try self.escapedMember(of: &set, start: start)
            return .character(set)
        }
    }

    /// Adds the escape behind a backslash to `set`; gives the code point if it is one.
    @discardableResult
    private mutating func escapedMember(
        of set: inout CharacterSet, start: Int
    ) throws(PatternError) -> Unicode.Scalar? {
        guard let scalar = self.next else { throw self.error("the pattern ends with a lone \\", at: start) }
        self.position += 1
        var code: UInt32 = scalar.value
        switch scalar {
        case "d": set.categories.append(.digit)
        case "w": set.categories.append(.word)
        case "s": set.categories.append(.space)
        case "D": set.negatedCategories.append(.digit)
        case "W": set.negatedCategories.append(.word)
        case "S": set.negatedCategories.append(.space)
        case "n": code = 0x0A
        case "t": code = 0x09
        case "r": code = 0x0D
        case "f": code = 0x0C
        case "v": code = 0x0B
        case "a": code = 0x07
        case "0": code = 0
        case "x": code = try self.hexadecimal(2, start)
        case "u": code = try self.hexadecimal(4, start)
        case "U": code = try self.hexadecimal(8, start)
        case _ where scalar.isASCII && scalar.properties.isAlphabetic:
            throw self.error("there is no escape \\\(scalar)", at: start)
        default: break
        }
        if ["d", "w", "s", "D", "W", "S"].contains(scalar) { return nil }
        guard let member = Unicode.Scalar(code) else { throw self.error("this is no code point", at: start) }
        set.ranges.append(member.value...member.value)
        return member
    }

    private mutating func hexadecimal(_ count: Int, _ start: Int) throws(PatternError) -> UInt32 {
        let digits = String(String.UnicodeScalarView(self.pattern[self.position...].prefix(count)))
        guard digits.utf8.count == count, let code = UInt32(digits, radix: 16) else {
            throw self.error("\(count) hexadecimal digits should stand here", at: start)
        }
        self.position += count
        return code
    }

    private mutating func characterClass() throws(PatternError) -> CharacterSet {
        let start = self.position - 1
        var set = CharacterSet(ignoresCase: self.flags.ignoresCase)
        set.isNegated = self.take("^")
        var isFirst = true
        while true {
            guard let scalar = self.next else { throw self.error("this class has no ]", at: start) }
            if scalar == "]", !isFirst {
                self.position += 1
                return set
            }
            isFirst = false
            let low = try self.classMember(of: &set)
            let dash = self.position
            guard self.take("-"), let after = self.next, after != "]" else {
                self.position = dash
                continue
            }
            guard let low, let high = try self.classMember(of: &set), high.value >= low.value else {
                throw self.error("this range is not one", at: dash - 1)
            }
            set.ranges.append(low.value...high.value)
        }
    }

    private mutating func classMember(of set: inout CharacterSet) throws(PatternError) -> Unicode.Scalar? {
        let start = self.position
        guard let scalar = self.next else { throw self.error("this class has no ]") }
        self.position += 1
        if scalar == "\\" {
            if self.take("b") {
                set.ranges.append(0x08...0x08)
                return "\u{8}"
            }
            return try self.escapedMember(of: &set, start: start)
        }
        set.ranges.append(scalar.value...scalar.value)
        return scalar
    }
}
