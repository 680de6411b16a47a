/// Reads Python's regular expression syntax, that of CPython 3.11.
struct PatternParser {
    private struct Flags {
        var options: PythonRegex.Options

        var folding: CharacterSet.Folding {
            self.options.contains(.ignoreCase) ? (self.options.contains(.ascii) ? .ascii : .unicode) : .none
        }
        var isASCII: Bool { self.options.contains(.ascii) }
    }

    /// What a class is made of, before it is known whether it is a set.
    private enum Member {
        case point(UInt32)
        case category(CharacterSet.Category, isNegated: Bool)

        var item: CharacterSet.Item {
            switch self {
            case .point(let point): .points(point...point)
            case .category(let category, let isNegated): .category(category, isNegated: isNegated)
            }
        }
    }

    /// What a pattern is, once it is read.
    struct Parsed {
        var nodes: [PatternNode]
        /// How many groups there are.
        var groupCount: Int
        var names: [ExactText: Int]
    }

    private static let maxLength = 10_000
    private static let maxDepth = 100
    private static let mostRepetitions = 4_294_967_295

    private let pattern: [Unicode.Scalar]
    private var position = 0
    private var flags: Flags
    private var names: [ExactText: Int] = [:]
    /// The width of each group, with the whole pattern as group 0; `nil` while it is open.
    private var groupWidths: [PatternWidth?] = [nil]
    /// The first group of the lookbehind that is being read.
    private var firstGroupBehind: Int?
    /// Groups that conditions ask for, with their places.
    private var conditions: [(number: Int, offset: Int)] = []

    static func parse(_ pattern: String, _ options: PythonRegex.Options) throws(PatternError) -> Parsed {
        var parser = PatternParser(pattern: Array(pattern.unicodeScalars), flags: Flags(options: options))
        guard parser.pattern.count <= Self.maxLength else {
            throw parser.error("the pattern has more than \(Self.maxLength) characters")
        }
        let (nodes, _) = try parser.alternatives(depth: 0)
        guard parser.next == nil else { throw parser.error("this ) closes nothing") }
        for condition in parser.conditions where condition.number >= parser.groupWidths.count {
            throw parser.error("there is no group \(condition.number)", at: condition.offset)
        }
        return Parsed(nodes: nodes, groupCount: parser.groupWidths.count - 1, names: parser.names)
    }

    private init(pattern: [Unicode.Scalar], flags: Flags) {
        self.pattern = pattern
        self.flags = flags
    }

    private func error(_ message: String, at offset: Int? = nil) -> PatternError {
        PatternError(message: message, offset: offset ?? self.position)
    }

    private var next: Unicode.Scalar? {
        self.position < self.pattern.count ? self.pattern[self.position] : nil
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard self.next == scalar else { return false }
        self.position += 1
        return true
    }

    /// Skips one character, or a backslash with the one after it.
    private mutating func skip() throws(PatternError) {
        let start = self.position
        self.position += 1
        if self.pattern[start] == "\\" {
            guard self.next != nil else { throw self.error("the pattern ends with a lone \\", at: start) }
            self.position += 1
        }
    }

    private mutating func alternatives(depth: Int) throws(PatternError) -> ([PatternNode], PatternWidth) {
        guard depth <= Self.maxDepth else { throw self.error("groups are nested more than \(Self.maxDepth) deep") }
        let (first, firstWidth) = try self.sequence(depth: depth, isFirst: depth == 0)
        var (branches, width) = ([first], firstWidth)
        while self.take("|") {
            let (branch, branchWidth) = try self.sequence(depth: depth, isFirst: false)
            branches.append(branch)
            width = width.or(branchWidth)
        }
        return (branches.count == 1 ? branches[0] : Self.joined(branches), width)
    }

    /// Alternatives as CPython puts them: what all begin with stands in front, and single code points are one set.
    private static func joined(_ branches: [[PatternNode]]) -> [PatternNode] {
        var branches = branches
        var nodes: [PatternNode] = []
        while let prefix = branches[0].first, prefix.canBePrefix, branches.allSatisfy({ $0.first == prefix }) {
            nodes.append(prefix)
            for index in branches.indices { branches[index].removeFirst() }
        }
        var items: [CharacterSet.Item] = []
        var (folding, isASCII) = (CharacterSet.Folding.none, false)
        for branch in branches {
            // All have the same flags; only a set says whether its categories are ASCII's.
            switch branch.first {
            case .literal(let point, let given) where branch.count == 1:
                items.append(.points(point...point))
                folding = given
            case .set(let description) where branch.count == 1 && !description.isNegated:
                items += description.items
                (folding, isASCII) = (description.folding, description.isASCII)
            default: return nodes + [.alternation(branches)]
            }
        }
        return nodes + [.set(CharacterSet.Description(items: items, folding: folding, isASCII: isASCII))]
    }

    private mutating func sequence(
        depth: Int, isFirst: Bool
    ) throws(PatternError) -> ([PatternNode], PatternWidth) {
        var nodes: [PatternNode] = []
        var widths: [PatternWidth] = []
        while let scalar = self.next, scalar != "|", scalar != ")" {
            let start = self.position
            if self.flags.options.contains(.verbose) {
                if "\t\n\u{B}\u{C}\r ".unicodeScalars.contains(scalar) {
                    self.position += 1
                    continue
                }
                if scalar == "#" {
                    while let scalar = self.next, scalar != "\n" { try self.skip() }
                    _ = self.take("\n")
                    continue
                }
            }
            if let (least, most) = try self.quantifier() {
                guard let node = nodes.popLast(), let width = widths.popLast() else {
                    throw self.error("there is nothing to repeat here", at: start)
                }
                switch node {
                case .assertion: throw self.error("there is nothing to repeat here", at: start)
                case .repetition: throw self.error("a repetition can't be repeated; put it in (?:...)", at: start)
                default: break
                }
                let greed: PatternNode.Greed = self.take("?") ? .lazy : self.take("+") ? .possessive : .greedy
                let inner = if case .group(let inner, nil) = node { inner } else { [node] }
                nodes.append(.repetition(inner, least: least, most: most, greed))
                widths.append(width.repeated(least: least, most: most))
            } else if let (node, width) = try self.atom(depth: depth, isFirst: isFirst && nodes.isEmpty) {
                nodes.append(node)
                widths.append(width)
            }
        }
        // Only a quantifier makes a difference between a group that is not kept and what is in it.
        let flat = nodes.flatMap { node in if case .group(let inner, nil) = node { inner } else { [node] } }
        return (flat, widths.reduce(PatternWidth(), +))
    }

    private mutating func quantifier() throws(PatternError) -> (least: Int, most: Int?)? {
        if self.take("*") { return (0, nil) }
        if self.take("+") { return (1, nil) }
        if self.take("?") { return (0, 1) }
        let start = self.position
        guard self.take("{") else { return nil }
        let least = try self.number()
        let hasComma = self.take(",")
        let most = hasComma ? try self.number() : least
        // Python takes { as a character unless a whole quantifier follows.
        guard self.take("}"), least != nil || hasComma else {
            self.position = start
            return nil
        }
        if let most, most < least ?? 0 {
            throw self.error("the repetition's limits are in the wrong order", at: start)
        }
        return (least ?? 0, most)
    }

    private mutating func number() throws(PatternError) -> Int? {
        let start = self.position
        var number = 0
        while let scalar = self.next, ("0"..."9").contains(scalar) {
            number = min(number * 10 + Int(scalar.value - 0x30), Self.mostRepetitions)
            self.position += 1
        }
        guard number < Self.mostRepetitions else { throw self.error("the repetition number is too large", at: start) }
        return self.position > start ? number : nil
    }

    private mutating func atom(
        depth: Int, isFirst: Bool
    ) throws(PatternError) -> (PatternNode, PatternWidth)? {
        guard let scalar = self.next else { return nil }
        self.position += 1
        switch scalar {
        case ".": return (.any(matchesNewline: self.flags.options.contains(.dotAll)), .unit)
        case "^":
            return (.assertion(self.flags.options.contains(.multiline) ? .lineStart : .textStart), PatternWidth())
        case "$":
            return (.assertion(self.flags.options.contains(.multiline) ? .lineEnd : .lastLineEnd), PatternWidth())
        case "[": return (try self.characterClass(), .unit)
        case "(": return try self.group(depth: depth, isFirst: isFirst)
        case "\\": return try self.escape()
        default: return (self.literal(scalar.value), .unit)
        }
    }

    private func literal(_ point: UInt32) -> PatternNode { .literal(point, self.flags.folding) }

    // MARK: Escapes and classes

    private static let assertions: Set<Unicode.Scalar> = ["A", "Z", "b", "B"]

    private mutating func escape() throws(PatternError) -> (PatternNode, PatternWidth) {
        let start = self.position - 1
        guard let scalar = self.next else { throw self.error("the pattern ends with a lone \\", at: start) }
        if Self.assertions.contains(scalar) {
            self.position += 1
            let isASCII = self.flags.isASCII
            let assertion: PatternNode.Assertion =
                switch scalar {
                case "A": .textStart
                case "Z": .textEnd
                case "b": .wordBoundary(isASCII: isASCII)
                default: .noWordBoundary(isASCII: isASCII)
                }
            return (.assertion(assertion), PatternWidth())
        }
        if ("1"..."9").contains(scalar) {
            if let octal = self.longOctal() { return (self.literal(octal), .unit) }
            var number = Int(scalar.value - 0x30)
            self.position += 1
            if let second = self.next, ("0"..."9").contains(second) {
                number = number * 10 + Int(second.value - 0x30)
                self.position += 1
            }
            return try self.backreference(number, "group \(number)", start: start)
        }
        switch try self.escapedMember(start: start) {
        case .point(let point): return (self.literal(point), .unit)
        case let category:
            return (self.set([category.item], isNegated: false), .unit)
        }
    }

    private func set(_ items: [CharacterSet.Item], isNegated: Bool) -> PatternNode {
        .set(
            CharacterSet.Description(
                items: items, isNegated: isNegated, folding: self.flags.folding, isASCII: self.flags.isASCII))
    }

    /// Three octal digits, of which the first is no 0, are a code point and no group.
    private mutating func longOctal() -> UInt32? {
        let digits = self.pattern[self.position...].prefix(3)
        guard digits.count == 3, digits.allSatisfy({ ("0"..."7").contains($0) }) else { return nil }
        let value = digits.reduce(0) { $0 * 8 + ($1.value - 0x30) }
        guard value <= 0o377 else { return nil }
        self.position += 3
        return value
    }

    private func backreference(
        _ number: Int, _ name: String, start: Int
    ) throws(PatternError) -> (PatternNode, PatternWidth) {
        guard number < self.groupWidths.count, let width = self.groupWidths[number] else {
            throw self.error("there is no \(name) before this", at: start)
        }
        try self.checkBehind(number, start: start)
        return (.backreference(number: number, self.flags.folding), width)
    }

    private func checkBehind(_ number: Int, start: Int) throws(PatternError) {
        guard let first = self.firstGroupBehind else { return }
        guard number < self.groupWidths.count, self.groupWidths[number] != nil, number < first else {
            throw self.error("what is looked for behind can't refer to a group in it", at: start)
        }
    }

    /// What an escape stands for that may be in a class.
    private mutating func escapedMember(start: Int) throws(PatternError) -> Member {
        guard let scalar = self.next else { throw self.error("the pattern ends with a lone \\", at: start) }
        self.position += 1
        switch scalar {
        case "d": return .category(.digit, isNegated: false)
        case "w": return .category(.word, isNegated: false)
        case "s": return .category(.space, isNegated: false)
        case "D": return .category(.digit, isNegated: true)
        case "W": return .category(.word, isNegated: true)
        case "S": return .category(.space, isNegated: true)
        case "n": return .point(0x0A)
        case "t": return .point(0x09)
        case "r": return .point(0x0D)
        case "f": return .point(0x0C)
        case "v": return .point(0x0B)
        case "a": return .point(0x07)
        case "b": return .point(0x08)
        case "0"..."7":
            var value = scalar.value - 0x30
            let end = self.position + 2
            while self.position < end, let digit = self.next, ("0"..."7").contains(digit) {
                value = value * 8 + (digit.value - 0x30)
                self.position += 1
            }
            guard value <= 0o377 else { throw self.error("octal escapes go up to \\377", at: start) }
            return .point(value)
        case "x": return .point(try self.hexadecimal(2, start))
        case "u": return .point(try self.hexadecimal(4, start))
        case "U":
            let point = try self.hexadecimal(8, start)
            guard point < 0x110000 else { throw self.error("there is no such code point", at: start) }
            return .point(point)
        case "N":
            guard self.take("{") else { throw self.error("the name of a character must stand in {...}", at: start) }
            let name = try self.name(until: "}", of: "character", start: start)
            guard let named = CharacterNames.scalar(named: name) else {
                throw self.error("there is no character \(name)", at: start)
            }
            return .point(named.value)
        case "8", "9": throw self.error("there is no escape \\\(scalar) here", at: start)
        case _ where scalar.isASCII && scalar.properties.isAlphabetic:
            throw self.error("there is no escape \\\(scalar)", at: start)
        default: return .point(scalar.value)
        }
    }

    private mutating func hexadecimal(_ count: Int, _ start: Int) throws(PatternError) -> UInt32 {
        let digits = self.pattern[self.position...].prefix(count)
        guard digits.count == count, digits.allSatisfy({ $0.isASCII && $0.properties.isHexDigit }),
            let point = UInt32(String(String.UnicodeScalarView(digits)), radix: 16)
        else { throw self.error("\(count) hexadecimal digits are expected here", at: start) }
        self.position += count
        return point
    }

    private mutating func characterClass() throws(PatternError) -> PatternNode {
        let start = self.position - 1
        let isNegated = self.take("^")
        var items: [CharacterSet.Item] = []
        var hasRange = false
        while true {
            guard let scalar = self.next else { throw self.error("this class has no ]", at: start) }
            if scalar == "]", !items.isEmpty {
                self.position += 1
                break
            }
            let here = self.position
            let low = try self.classMember(start: start)
            guard self.take("-") else {
                items.append(low.item)
                continue
            }
            guard let after = self.next else { throw self.error("this class has no ]", at: start) }
            if after == "]" {
                self.position += 1
                items += [low.item, .points(0x2D...0x2D)]
                break
            }
            guard case .point(let low) = low, case .point(let high) = try self.classMember(start: start), low <= high
            else { throw self.error("this range is not one", at: here) }
            items.append(.points(low...high))
            hasRange = true
        }
        var unique: [CharacterSet.Item] = []
        for item in items where !unique.contains(item) { unique.append(item) }
        // CPython takes a class of one code point as that.
        if unique.count == 1, case .points(let range) = unique[0], range.count == 1, !hasRange {
            return isNegated ? .notLiteral(range.lowerBound, self.flags.folding) : self.literal(range.lowerBound)
        }
        return self.set(unique, isNegated: isNegated)
    }

    private mutating func classMember(start: Int) throws(PatternError) -> Member {
        guard let scalar = self.next else { throw self.error("this class has no ]", at: start) }
        self.position += 1
        return scalar == "\\" ? try self.escapedMember(start: self.position - 1) : .point(scalar.value)
    }

    // MARK: Groups

    private mutating func group(
        depth: Int, isFirst: Bool
    ) throws(PatternError) -> (PatternNode, PatternWidth)? {
        let start = self.position - 1
        guard self.take("?") else { return try self.captured(name: nil, depth: depth, start: start) }
        guard let scalar = self.next else { throw self.error("this group has no )", at: start) }
        self.position += 1
        switch scalar {
        case "P":
            if self.take("<") {
                let name = try self.groupName(until: ">", start: start)
                guard self.names[ExactText(name)] == nil else {
                    throw self.error("the group \(name) is there twice", at: start)
                }
                return try self.captured(name: name, depth: depth, start: start)
            }
            guard self.take("=") else { throw self.error("only (?P<name>...) and (?P=name) begin with (?P", at: start) }
            let name = try self.groupName(until: ")", start: start)
            guard let number = self.names[ExactText(name)] else {
                throw self.error("there is no group \(name) before this", at: start)
            }
            return try self.backreference(number, "group \(name)", start: start)
        case ":":
            let (nodes, width) = try self.body(depth: depth, start: start)
            return (.group(nodes, number: nil), width)
        case ">":
            let (nodes, width) = try self.body(depth: depth, start: start)
            return (.atomic(nodes), width)
        case "#":
            while let scalar = self.next, scalar != ")" { try self.skip() }
            guard self.take(")") else { throw self.error("this comment has no )", at: start) }
            return nil
        case "=", "!":
            let (nodes, _) = try self.body(depth: depth, start: start)
            return (.look(nodes, behind: 0, isNegative: scalar == "!"), PatternWidth())
        case "<":
            guard let mark = self.next, mark == "=" || mark == "!" else {
                throw self.error("a group's name is written (?P<name>...)", at: start)
            }
            self.position += 1
            let outer = self.firstGroupBehind
            if outer == nil { self.firstGroupBehind = self.groupWidths.count }
            let (nodes, width) = try self.body(depth: depth, start: start)
            self.firstGroupBehind = outer
            guard width.least == width.most, width.most < PatternWidth.most else {
                throw self.error("what is looked for behind must have a fixed length", at: start)
            }
            return (.look(nodes, behind: width.least, isNegative: mark == "!"), PatternWidth())
        case "(": return try self.conditional(depth: depth, start: start)
        default:
            self.position -= 1
            return try self.flagGroup(depth: depth, isFirst: isFirst, start: start)
        }
    }

    private mutating func captured(
        name: String?, depth: Int, start: Int
    ) throws(PatternError) -> (PatternNode, PatternWidth) {
        let number = self.groupWidths.count
        self.groupWidths.append(nil)
        if let name { self.names[ExactText(name)] = number }
        let (nodes, width) = try self.body(depth: depth, start: start)
        self.groupWidths[number] = width
        return (.group(nodes, number: number), width)
    }

    private mutating func body(depth: Int, start: Int) throws(PatternError) -> ([PatternNode], PatternWidth) {
        let outer = self.flags
        let (nodes, width) = try self.alternatives(depth: depth + 1)
        guard self.take(")") else { throw self.error("this group has no )", at: start) }
        self.flags = outer
        return (nodes, width)
    }

    private mutating func conditional(
        depth: Int, start: Int
    ) throws(PatternError) -> (PatternNode, PatternWidth) {
        guard depth < Self.maxDepth else { throw self.error("groups are nested more than \(Self.maxDepth) deep") }
        let name = try self.name(until: ")", of: "group", start: start)
        let number: Int
        if PythonText.isIdentifier(name) {
            guard let named = self.names[ExactText(name)] else {
                throw self.error("there is no group \(name) before this", at: start)
            }
            number = named
        } else {
            guard let given = PythonNumber.int(name), given > 0 else {
                throw self.error("\(name) names no group", at: start)
            }
            number = given
            self.conditions.append((number, start))
        }
        try self.checkBehind(number, start: start)
        let (yes, yesWidth) = try self.sequence(depth: depth + 1, isFirst: false)
        var (no, width): ([PatternNode]?, PatternWidth) = (nil, yesWidth.or(PatternWidth()))
        if self.take("|") {
            let (nodes, noWidth) = try self.sequence(depth: depth + 1, isFirst: false)
            (no, width) = (nodes, yesWidth.or(noWidth))
            if self.next == "|" { throw self.error("a condition has two branches at most") }
        } else {
            width.least = 0
        }
        guard self.take(")") else { throw self.error("this group has no )", at: start) }
        return (.conditional(number: number, yes, otherwise: no), width)
    }

    private mutating func name(
        until close: Unicode.Scalar, of what: String, start: Int
    ) throws(PatternError) -> String {
        let first = self.position
        while let scalar = self.next, scalar != close { try self.skip() }
        let name = String(self.pattern[first..<self.position])
        guard self.take(close), !name.isEmpty else { throw self.error("a \(what)'s name is expected here", at: start) }
        return name
    }

    private mutating func groupName(until close: Unicode.Scalar, start: Int) throws(PatternError) -> String {
        let name = try self.name(until: close, of: "group", start: start)
        guard PythonText.isIdentifier(name) else {
            throw self.error("\(PythonText.repr(name)) is no name for a group", at: start)
        }
        return name
    }

    private mutating func flagGroup(
        depth: Int, isFirst: Bool, start: Int
    ) throws(PatternError) -> (PatternNode, PatternWidth)? {
        var (added, removed) = (PythonRegex.Options(), PythonRegex.Options())
        var isUnicode = false
        var isOn = true
        var hasFlag = false
        while let scalar = self.next {
            self.position += 1
            switch scalar {
            case "-" where isOn:
                (isOn, hasFlag) = (false, false)
                continue
            case ":" where hasFlag || (isOn && !added.isEmpty):
                guard added.isDisjoint(with: removed) else {
                    throw self.error("a flag is turned on and off here", at: start)
                }
                let outer = self.flags
                self.flags.options.formUnion(added)
                if isUnicode { self.flags.options.remove(.ascii) }
                self.flags.options.subtract(removed)
                let (nodes, width) = try self.body(depth: depth, start: start)
                self.flags = outer
                return (.scoped(nodes), width)
            case ")" where isOn && hasFlag:
                guard isFirst else { throw self.error("flags must stand at the pattern's start", at: start) }
                self.flags.options.formUnion(added)
                return nil
            default:
                hasFlag = true
                if let option = PythonRegex.Options.inline[scalar] {
                    if option == .ascii, !isOn || isUnicode {
                        throw self.error("a and u exclude each other", at: start)
                    }
                    if isOn { added.insert(option) } else { removed.insert(option) }
                } else if scalar == "u", isOn, !added.contains(.ascii) {
                    isUnicode = true
                } else if scalar == "L" {
                    throw self.error("the flag L is for bytes only", at: start)
                } else {
                    throw self.error("(?\(scalar) is not known", at: start)
                }
            }
        }
        throw self.error("this group has no )", at: start)
    }
}
