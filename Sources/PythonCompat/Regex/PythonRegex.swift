/// A regular expression that can't be used, or one that took too many steps on a text.
public struct PatternError: Error, Hashable {
    public var message: String
    /// The code point's number in the pattern, from 0; `nil` if matching failed.
    public var offset: Int?
}

/// A regular expression with the syntax and meaning of the `re` of CPython 3.11 on text.
///
/// Matching takes a bounded number of steps, so that no pattern can stop a worker. Values are shared by threads.
public struct PythonRegex: Sendable, Hashable {
    /// The flags of `re`.
    public struct Options: OptionSet, Sendable, Hashable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let ignoreCase = Options(rawValue: 1)
        public static let multiline = Options(rawValue: 2)
        public static let dotAll = Options(rawValue: 4)
        public static let verbose = Options(rawValue: 8)
        public static let ascii = Options(rawValue: 16)

        /// What stands for them in a pattern.
        static let inline: [Unicode.Scalar: Options] = [
            "i": .ignoreCase, "m": .multiline, "s": .dotAll, "x": .verbose, "a": .ascii,
        ]
    }

    /// Where a match and its groups are, in code points.
    public struct Match: Sendable, Hashable {
        private let registers: [Int]

        fileprivate init(_ registers: [Int]) { self.registers = registers }

        /// The whole match.
        public var range: Range<Int> { self.registers[0]..<self.registers[1] }

        /// The range of a group, or of the whole match for 0; `nil` if the group took no part or there is none.
        public func range(of group: Int) -> Range<Int>? {
            guard group >= 0, 2 * group + 1 < self.registers.count else { return nil }
            let (start, end) = (self.registers[2 * group], self.registers[2 * group + 1])
            return start >= 0 && end >= start ? start..<end : nil
        }
    }

    public let pattern: String
    /// How many groups there are.
    public let groupCount: Int
    private let names: [ExactText: Int]
    private let program: PatternProgram
    private let skipsAnything: Bool
    private let maxSteps: Int

    /// - Parameters:
    ///   - options: Flags beside those in the pattern.
    ///   - maxSteps: How many steps one call may take.
    /// - Throws: `PatternError` if `re` refuses the pattern, or if it is too large.
    public init(_ pattern: String, _ options: Options = [], maxSteps: Int = 50_000_000) throws(PatternError) {
        let parsed = try PatternParser.parse(pattern, options)
        self.pattern = pattern
        self.maxSteps = maxSteps
        self.skipsAnything = parsed.nodes.skipsAnything
        self.groupCount = parsed.groupCount
        self.names = parsed.names
        self.program = try PatternProgram(parsed.nodes, groupCount: parsed.groupCount)
    }

    /// The number of a named group; `nil` if there is none.
    public func number(ofGroup name: String) -> Int? { self.names[ExactText(name)] }

    /// `re.escape(text)`.
    public static func escape(_ text: String) -> String {
        var escaped = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if "()[]{}?*+-|^$\\.&~# \t\n\r\u{B}\u{C}".unicodeScalars.contains(scalar) { escaped.append("\\") }
            escaped.append(scalar)
        }
        return String(escaped)
    }

    // MARK: Matches

    /// The first match at or after `start`; `nil` if there is none.
    public func search(_ text: [Unicode.Scalar], from start: Int = 0) throws(PatternError) -> Match? {
        var machine = self.machine(text)
        return try machine.search(from: start, mustAdvance: false, skipsAnything: self.skipsAnything).map(self.match)
    }

    /// The match that begins at `start`; `nil` if there is none.
    public func match(_ text: [Unicode.Scalar], at start: Int = 0) throws(PatternError) -> Match? {
        var machine = self.machine(text)
        return try machine.match(at: start, .anywhere).map(self.match)
    }

    /// The match of a whole text; `nil` if there is none.
    public func fullMatch(_ text: [Unicode.Scalar]) throws(PatternError) -> Match? {
        var machine = self.machine(text)
        return try machine.match(at: 0, .textEnd).map(self.match)
    }

    /// Python's `finditer`: the matches from left to right.
    public func matches(in text: [Unicode.Scalar], limit: Int = Int.max) throws(PatternError) -> [Match] {
        var machine = self.machine(text)
        var found: [Match] = []
        var start = 0
        // After an empty match the next one at the same place must not be empty, as in Python 3.7 and later.
        var mustAdvance = false
        while found.count < limit, start <= text.count {
            guard
                let registers = try machine.search(
                    from: start, mustAdvance: mustAdvance, skipsAnything: self.skipsAnything)
            else { break }
            found.append(self.match(registers))
            mustAdvance = registers[1] == registers[0]
            start = registers[1]
        }
        return found
    }

    private func machine(_ text: [Unicode.Scalar]) -> PatternMachine {
        PatternMachine(program: self.program, text: text, steps: self.maxSteps)
    }

    /// What `search` gives, without the registers of loops.
    private func match(_ registers: [Int]) -> Match { Match(Array(registers.prefix(2 * (self.groupCount + 1)))) }

    /// Python's `findall`: for each match its groups, or the whole match if there are none.
    ///
    /// A group that took no part is an empty text.
    public func findAll(_ text: String) throws(PatternError) -> [[String]] {
        let scalars = Array(text.unicodeScalars)
        let groups = self.groupCount == 0 ? 0...0 : 1...self.groupCount
        return try self.matches(in: scalars).map { match in
            groups.map { group in match.range(of: group).map { String(scalars[$0]) } ?? "" }
        }
    }

    /// Python's `split`: what stands between matches, with the groups of each; `nil` for one that took no part.
    ///
    /// - Parameter most: How many matches part the text; 0 for all.
    public func split(_ text: String, most: Int = 0) throws(PatternError) -> [String?] {
        guard most >= 0 else { return [text] }
        let scalars = Array(text.unicodeScalars)
        var parts: [String?] = []
        var position = 0
        for match in try self.matches(in: scalars, limit: most == 0 ? Int.max : most) {
            parts.append(String(scalars[position..<match.range.lowerBound]))
            for group in 0..<self.groupCount { parts.append(match.range(of: group + 1).map { String(scalars[$0]) }) }
            position = match.range.upperBound
        }
        return parts + [String(scalars[position...])]
    }

    // MARK: Replacing

    /// Python's `sub("", text)`.
    public func removingMatches(from text: String) throws(PatternError) -> String {
        try self.replacing(in: text, most: 0) { _, _ in }
    }

    /// Python's `sub(template, text)`, with `\1`, `\g<name>` and escapes in the template.
    ///
    /// - Parameter most: How many matches are replaced; 0 for all.
    public func sub(_ template: String, _ text: String, most: Int = 0) throws(PatternError) -> String {
        let parts = try self.parts(of: template)
        return try self.replacing(in: text, most: most) { match, result in
            for part in parts {
                switch part {
                case .text(let text): result.append(contentsOf: text)
                case .group(let number):
                    if let range = match.range(of: number) { result.append(contentsOf: match.text[range]) }
                }
            }
        }
    }

    /// A match with the text that it is in.
    private struct Found {
        let match: Match
        let text: [Unicode.Scalar]

        func range(of group: Int) -> Range<Int>? { self.match.range(of: group) }
    }

    private func replacing(
        in text: String, most: Int, _ replace: (Found, inout String.UnicodeScalarView) -> Void
    ) throws(PatternError) -> String {
        guard most >= 0 else { return text }
        let scalars = Array(text.unicodeScalars)
        var result = String.UnicodeScalarView()
        var position = 0
        for match in try self.matches(in: scalars, limit: most == 0 ? Int.max : most) {
            result.append(contentsOf: scalars[position..<match.range.lowerBound])
            replace(Found(match: match, text: scalars), &result)
            position = match.range.upperBound
        }
        result.append(contentsOf: scalars[position...])
        return String(result)
    }

    private enum TemplatePart {
        case text([Unicode.Scalar])
        case group(Int)
    }

    private func parts(of template: String) throws(PatternError) -> [TemplatePart] {
        let scalars = Array(template.unicodeScalars)
        var parts: [TemplatePart] = []
        var text: [Unicode.Scalar] = []
        var position = 0
        func add(group: Int, _ start: Int) throws(PatternError) {
            guard group <= self.groupCount else {
                throw PatternError(message: "the template names group \(group), which there is not", offset: start)
            }
            parts += [.text(text), .group(group)]
            text = []
        }
        func digit(_ highest: Unicode.Scalar) -> Int? {
            guard position < scalars.count, ("0"...highest).contains(scalars[position]) else { return nil }
            return Int(scalars[position].value - 0x30)
        }
        while position < scalars.count {
            let (start, scalar) = (position, scalars[position])
            position += 1
            guard scalar == "\\" else {
                text.append(scalar)
                continue
            }
            guard position < scalars.count else {
                throw PatternError(message: "the template ends with a lone \\", offset: start)
            }
            let escaped = scalars[position]
            position += 1
            switch escaped {
            case "g":
                guard position < scalars.count, scalars[position] == "<",
                    let close = scalars[position...].firstIndex(of: ">"), close > position + 1
                else { throw PatternError(message: "a group's name is expected here, as \\g<name>", offset: start) }
                let name = String(scalars[position + 1..<close])
                position = close + 1
                let number = PythonText.isIdentifier(name) ? self.number(ofGroup: name) : PythonNumber.int(name)
                guard let number, number >= 0 else {
                    throw PatternError(message: "the template names group \(name), which there is not", offset: start)
                }
                try add(group: number, start)
            case "0":
                var value = 0
                for _ in 0..<2 {
                    guard let next = digit("7") else { break }
                    value = value * 8 + next
                    position += 1
                }
                text.append(Unicode.Scalar(UInt8(value & 0xFF)))
            case "1"..."9":
                var number = Int(escaped.value - 0x30)
                if let second = digit("9") {
                    position += 1
                    number = number * 10 + second
                    if escaped < "8", second < 8, let third = digit("7") {
                        position += 1
                        let value = (Int(escaped.value - 0x30) * 8 + second) * 8 + third
                        guard value <= 0o377 else {
                            throw PatternError(message: "octal escapes go up to \\377", offset: start)
                        }
                        text.append(Unicode.Scalar(UInt8(value)))
                        continue
                    }
                }
                try add(group: number, start)
            case "a": text.append("\u{7}")
            case "b": text.append("\u{8}")
            case "f": text.append("\u{C}")
            case "n": text.append("\n")
            case "r": text.append("\r")
            case "t": text.append("\t")
            case "v": text.append("\u{B}")
            case "\\": text.append("\\")
            case _ where escaped.isASCII && escaped.properties.isAlphabetic:
                throw PatternError(message: "there is no escape \\\(escaped) in a template", offset: start)
            default: text += [scalar, escaped]
            }
        }
        return parts + [.text(text)]
    }
}
