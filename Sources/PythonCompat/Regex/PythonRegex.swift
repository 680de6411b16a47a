/// A regular expression with the syntax and meaning of Python's `re` on text.
///
/// Matching takes a bounded number of steps, so that no pattern can stop a worker. Values are shared by threads.
public struct PythonRegex: Sendable, Hashable {
    public let pattern: String
    public let groupCount: Int
    private let program: PatternProgram
    private let skipsAnything: Bool
    private let maxSteps: Int

    /// - Parameter maxSteps: How many steps one call may take.
    public init(_ pattern: String, maxSteps: Int = 50_000_000) throws(PatternError) {
        let (node, groupCount) = try PatternParser.parse(pattern)
        self.pattern = pattern
        self.maxSteps = maxSteps
        self.skipsAnything = node.skipsAnything
        self.groupCount = groupCount
        self.program = try PatternProgram(node, groupCount: groupCount)
    }

    /// Python's `findall`: for each match its groups, or the whole match if there are none.
    ///
    /// A group that took no part is an empty text.
    public func findAll(_ text: String) throws(PatternError) -> [[String]] {
        let scalars = Array(text.unicodeScalars)
        let groupCount = self.groupCount
        return try self.matches(in: scalars).map { registers in
            let groups = groupCount == 0 ? 0...0 : 1...groupCount
            return groups.map { group in
                let (start, end) = (registers[2 * group], registers[2 * group + 1])
                return start < 0 || end < start ? "" : String(String.UnicodeScalarView(scalars[start..<end]))
            }
        }
    }

    /// Python's `sub("", text)`.
    public func removingMatches(from text: String) throws(PatternError) -> String {
        let scalars = Array(text.unicodeScalars)
        var rest = String.UnicodeScalarView()
        var position = 0
        for registers in try self.matches(in: scalars) {
            rest.append(contentsOf: scalars[position..<registers[0]])
            position = registers[1]
        }
        rest.append(contentsOf: scalars[position...])
        return String(rest)
    }

    private func matches(in scalars: [Unicode.Scalar]) throws(PatternError) -> [[Int]] {
        var machine = PatternMachine(program: self.program, text: scalars, steps: self.maxSteps)
        var found: [[Int]] = []
        var start = 0
        // Behind an empty match the next one at the same place must not be empty, as in Python 3.7 and later.
        var mustAdvance = false
        while start <= scalars.count {
            if let registers = try machine.run(at: start, mustAdvance: mustAdvance) {
                found.append(registers)
                mustAdvance = registers[1] == registers[0]
                start = registers[1]
            } else if self.skipsAnything, !mustAdvance {
                break
            } else {
                mustAdvance = false
                start += 1
            }
        }
        return found
    }
}
