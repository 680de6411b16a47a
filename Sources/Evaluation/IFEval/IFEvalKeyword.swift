internal import PythonCompat

/// A keyword, which ifeval takes as a regular expression, whatever its case.
struct IFEvalKeyword: Sendable {
    private enum Pattern: Sendable {
        case literal(LiteralSearch)
        case regex(PythonRegex)
    }

    private let pattern: Pattern
    /// Whether it must have word boundaries around it.
    private let isWord: Bool

    /// - Parameter column: Where it stands in `arguments`, for errors.
    init(_ text: String, isWord: Bool = false, column: String, _ arguments: IFEvalArguments) throws(TaskError) {
        self.isWord = isWord
        if IFEvalPattern.isLiteral(text) {
            self.pattern = .literal(LiteralSearch(text, ignoresCase: true))
        } else {
            let pattern = isWord ? #"(?i)\b"# + text + #"\b"# : "(?i)" + text
            self.pattern = .regex(try IFEvalPattern.regex(pattern, column: column, arguments))
        }
    }

    /// How many of them `re.search` finds.
    static func found(_ keywords: [IFEvalKeyword], in text: [Unicode.Scalar]) throws(TaskError) -> Int {
        var count = 0
        for keyword in keywords where try keyword.isFound(in: text) { count += 1 }
        return count
    }

    /// Whether `re.search` finds it.
    func isFound(in text: [Unicode.Scalar]) throws(TaskError) -> Bool {
        switch self.pattern {
        case .regex(let regex): return try IFEvalPattern.count(regex, in: text) > 0
        case .literal(let search):
            guard self.isWord else { return search.isFound(in: text) }
            var isFound = false
            search.visit(in: text, overlapping: true) { match in
                isFound = Self.isBoundary(match.lowerBound, in: text) && Self.isBoundary(match.upperBound, in: text)
                return !isFound
            }
            return isFound
        }
    }

    /// How many matches `re.findall` gives.
    func count(in text: [Unicode.Scalar]) throws(TaskError) -> Int {
        switch self.pattern {
        case .literal(let search): search.count(in: text)
        case .regex(let regex): try IFEvalPattern.count(regex, in: text)
        }
    }

    private static func isBoundary(_ position: Int, in text: [Unicode.Scalar]) -> Bool {
        let before = position > 0 && PythonText.isWord(text[position - 1])
        let behind = position < text.count && PythonText.isWord(text[position])
        return before != behind
    }
}

/// Regular expressions in the arguments of instructions.
enum IFEvalPattern {
    /// Whether a pattern stands for nothing but itself.
    static func isLiteral(_ pattern: String) -> Bool {
        !pattern.unicodeScalars.contains { #".^$*+?{}[]\|()"#.unicodeScalars.contains($0) }
    }

    static func regex(
        _ pattern: String, column: String, _ arguments: IFEvalArguments
    ) throws(TaskError) -> PythonRegex {
        do {
            return try PythonRegex(pattern, maxSteps: 200_000_000)
        } catch {
            throw arguments.error(
                column, mustBe: "a regular expression", is: "one that can't be used: \(error.message)")
        }
    }

    static func count(_ regex: PythonRegex, in text: [Unicode.Scalar]) throws(TaskError) -> Int {
        do {
            return try regex.findAll(String(text[...])).count
        } catch {
            throw TaskError(
                .limitExceeded, "the regular expression \(regex.pattern) of an instruction: \(error.message)")
        }
    }
}
