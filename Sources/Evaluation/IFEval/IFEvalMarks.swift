internal import PythonCompat

/// What a response's postscript begins with.
struct IFEvalPostscript: Sendable {
    private enum Mark: Sendable {
        /// "P.P.S" and "P.S.", whose letters may have white space between them.
        case letters([Unicode.Scalar])
        case literal(LiteralSearch)
        case regex(PythonRegex)
    }

    private let mark: Mark

    init(_ marker: String, _ arguments: IFEvalArguments) throws(TaskError) {
        let marker = PythonText.strip(marker)
        if marker == "P.P.S" || marker == "P.S." {
            self.mark = .letters(Array(PythonText.lower(marker).unicodeScalars))
        } else if IFEvalPattern.isLiteral(marker) {
            self.mark = .literal(LiteralSearch(PythonText.lower(marker)))
        } else {
            let pattern = PythonText.lower(marker) + ".*$"
            // White space before it decides about nothing, unless the pattern makes it part of something else.
            let needsSpace = marker.contains("|") || ["*", "+", "?", "{"].contains(marker.unicodeScalars.first)
            let start = needsSpace ? #"(?m)\s*"# : "(?m)"
            self.mark = .regex(try IFEvalPattern.regex(start + pattern, column: "postscript_marker", arguments))
        }
    }

    /// ifeval `instructions.PostscriptChecker.check_following`.
    func isFound(in text: [Unicode.Scalar]) throws(TaskError) -> Bool {
        let text = PythonText.lower(text[...])
        switch self.mark {
        case .letters(let letters): return text.indices.contains { Self.begins(text[$0...], with: letters) }
        case .literal(let search): return search.isFound(in: text)
        case .regex(let regex): return try IFEvalPattern.count(regex, in: text) > 0
        }
    }

    private static func begins(_ rest: CodePoints, with letters: [Unicode.Scalar]) -> Bool {
        var rest = rest
        for (index, letter) in letters.enumerated() {
            if letter != ".", index > 0, let next = rest.first, PythonText.isSpace(next) { rest.removeFirst() }
            guard rest.first == letter else { return false }
            rest.removeFirst()
        }
        return true
    }
}

/// The word that begins a section, before a number.
struct IFEvalSectionMark: Sendable {
    private enum Mark: Sendable {
        case literal([Unicode.Scalar])
        case regex(PythonRegex)
    }

    private let mark: Mark

    init(_ word: String, _ arguments: IFEvalArguments) throws(TaskError) {
        let word = PythonText.strip(word)
        if IFEvalPattern.isLiteral(word) {
            self.mark = .literal(Array(word.unicodeScalars))
        } else {
            let pattern = #"\s?"# + word + #"\s?\d+\s?"#
            self.mark = .regex(try IFEvalPattern.regex(pattern, column: "section_spliter", arguments))
        }
    }

    /// ifeval `instructions.SectionChecker.check_following`: how many parts `re.split` gives, less one.
    func count(in text: [Unicode.Scalar]) throws(TaskError) -> Int {
        switch self.mark {
        // Each group of the pattern gives one more part.
        case .regex(let regex): return try IFEvalPattern.count(regex, in: text) * (regex.groupCount + 1)
        case .literal(let word):
            var count = 0
            var rest = text[...]
            while !rest.isEmpty {
                if let end = Self.end(word, in: rest) {
                    count += 1
                    rest = rest[end...]
                } else {
                    rest.removeFirst()
                }
            }
            return count
        }
    }

    private static func end(_ word: [Unicode.Scalar], in rest: CodePoints) -> Int? {
        guard rest.starts(with: word) else { return nil }
        var number = rest.dropFirst(word.count)
        if let next = number.first, PythonText.isSpace(next) { number.removeFirst() }
        let digits = number.prefix { PythonText.isDecimal($0) }
        return digits.isEmpty ? nil : digits.endIndex
    }
}
