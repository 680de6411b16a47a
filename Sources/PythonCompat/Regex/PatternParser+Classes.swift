extension PatternParser {
    mutating func escape() throws(PatternError) -> PatternNode {
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
    mutating func escapedMember(
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

    mutating func hexadecimal(_ count: Int, _ start: Int) throws(PatternError) -> UInt32 {
        let digits = String(String.UnicodeScalarView(self.pattern[self.position...].prefix(count)))
        guard digits.utf8.count == count, let code = UInt32(digits, radix: 16) else {
            throw self.error("\(count) hexadecimal digits should stand here", at: start)
        }
        self.position += count
        return code
    }

    mutating func characterClass() throws(PatternError) -> CharacterSet {
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

    mutating func classMember(of set: inout CharacterSet) throws(PatternError) -> Unicode.Scalar? {
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
