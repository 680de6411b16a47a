extension PatternParser {
    mutating func group(depth: Int) throws(PatternError) -> PatternNode? {
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

    mutating func captured(
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

    mutating func body(outer: Flags, depth: Int, start: Int) throws(PatternError) -> PatternNode {
        let node = try self.alternation(depth: depth + 1)
        guard self.take(")") else { throw self.error("this group has no )", at: start) }
        self.flags = outer
        return node
    }

    mutating func name(until close: Unicode.Scalar) throws(PatternError) -> String {
        let start = self.position
        while let scalar = self.next, CharacterSet.isIn(.word, scalar) { self.position += 1 }
        guard self.position > start, self.take(close) else { throw self.error("a group's name should stand here") }
        return String(String.UnicodeScalarView(self.pattern[start..<self.position - 1]))
    }

    mutating func flagGroup(outer: Flags, depth: Int, start: Int) throws(PatternError) -> PatternNode? {
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
}
