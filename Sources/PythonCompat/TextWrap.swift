/// Python's `textwrap`.
public enum TextWrap {
    /// `textwrap.wrap(text, width)` of one line: no tabs are expanded, no white space replaced, and none dropped.
    ///
    /// - Parameter width: More than 0.
    public static func wrap(
        _ text: String, width: Int, breaksWords: Bool, breaksHyphens: Bool
    ) -> [String] {
        var chunks: [[Unicode.Scalar]] = Self.chunks(Array(text.unicodeScalars), breaksHyphens).reversed()
        var lines: [String] = []
        func isBlank(_ chunk: [Unicode.Scalar]) -> Bool { chunk.allSatisfy(PythonText.isSpace) }
        while let first = chunks.last {
            var current: [[Unicode.Scalar]] = []
            var length = 0
            if isBlank(first), !lines.isEmpty { chunks.removeLast() }
            while let chunk = chunks.last {
                guard length + chunk.count <= width else { break }
                current.append(chunk)
                length += chunk.count
                chunks.removeLast()
            }
            if let chunk = chunks.last, chunk.count > width {
                let room = width < 1 ? 1 : width - length
                if breaksWords {
                    var end = room
                    if breaksHyphens, chunk.count > room {
                        // After a hyphen, if one stands in the part that fits.
                        if let hyphen = chunk[..<max(0, room)].lastIndex(of: "-"), hyphen > 0,
                            chunk[..<hyphen].contains(where: { $0 != "-" })
                        {
                            end = hyphen + 1
                        }
                    }
                    current.append(Array(chunk[..<max(0, end)]))
                    chunks[chunks.count - 1] = Array(chunk[max(0, end)...])
                } else if current.isEmpty {
                    current.append(chunk)
                    chunks.removeLast()
                }
            }
            if let last = current.last, isBlank(last) { current.removeLast() }
            if !current.isEmpty { lines.append(PythonText.string(current.joined())) }
        }
        return lines
    }

    private static func isWordSpace(_ scalar: Unicode.Scalar) -> Bool {
        ["\t", "\n", "\u{B}", "\u{C}", "\r", " "].contains(scalar)
    }

    /// Words, white space and dashes.
    private static func chunks(_ text: [Unicode.Scalar], _ breaksHyphens: Bool) -> [[Unicode.Scalar]] {
        var chunks: [[Unicode.Scalar]] = []
        var position = 0
        while position < text.count {
            let end: Int
            if Self.isWordSpace(text[position]) {
                end = text[position...].firstIndex { !Self.isWordSpace($0) } ?? text.count
            } else if breaksHyphens {
                end = Self.wordEnd(text, position)
            } else {
                end = text[position...].firstIndex(where: Self.isWordSpace) ?? text.count
            }
            chunks.append(Array(text[position..<end]))
            position = end
        }
        return chunks
    }

    /// Where the chunk ends that starts here: at a hyphen within a word, at a dash, or at white space.
    private static func wordEnd(_ text: [Unicode.Scalar], _ start: Int) -> Int {
        func at(_ index: Int) -> Unicode.Scalar? { text.indices.contains(index) ? text[index] : nil }
        func isPunctuation(_ scalar: Unicode.Scalar?) -> Bool {
            scalar.map { PythonText.isWord($0) || ["!", "\"", "'", "&", ".", ",", "?"].contains($0) } ?? false
        }
        func isLetter(_ scalar: Unicode.Scalar?) -> Bool {
            scalar.map { PythonText.isWord($0) && PythonText.digit($0) == nil } ?? false
        }
        func isBoundary(_ index: Int) -> Bool { at(index).map(Self.isWordSpace) ?? true }
        /// An em-dash: two hyphens or more between words.
        func dashEnd(_ index: Int) -> Int? {
            guard isPunctuation(at(index - 1)), at(index) == "-", at(index + 1) == "-" else { return nil }
            var end = index
            while at(end) == "-" { end += 1 }
            return PythonText.isWord(at(end) ?? " ") ? end : nil
        }
        if let end = dashEnd(start) { return end }
        var index = start + 1
        while true {
            // A hyphen between letters ends a chunk after it.
            if at(index) == "-", index > start {
                if isLetter(at(index - 2)), isLetter(at(index - 1)), index - 2 >= 0, Self.hyphenFollows(text, index) {
                    return index + 1
                }
                if at(index - 2) == "-", isLetter(at(index - 3)), isLetter(at(index - 1)),
                    Self.hyphenFollows(text, index)
                {
                    return index + 1
                }
            }
            if isBoundary(index) { return min(index, text.count) }
            if dashEnd(index) != nil { return index }
            index += 1
        }
    }

    private static func hyphenFollows(_ text: [Unicode.Scalar], _ index: Int) -> Bool {
        func isLetter(_ index: Int) -> Bool {
            text.indices.contains(index) && PythonText.isWord(text[index]) && PythonText.digit(text[index]) == nil
        }
        guard isLetter(index + 1) else { return false }
        return isLetter(index + 2) || text.indices.contains(index + 2) && text[index + 2] == "-" && isLetter(index + 3)
    }
}

extension PythonText {
    /// The literals that `pprint` makes of a long text: one for each line, or for as many words as fit.
    ///
    /// - Parameters:
    ///   - width: For each literal.
    ///   - allowance: So much less for the last one.
    public static func literals(_ text: String, width: Int, allowance: Int) -> [String] {
        var literals: [String] = []
        let lines = Self.splitLines(text, keepingEnds: true)
        for (index, line) in lines.enumerated() {
            let literal = Self.repr(line)
            let isLast = index == lines.count - 1
            if Self.length(literal) <= (isLast ? width - allowance : width) {
                literals.append(literal)
                continue
            }
            let parts = Self.spacedWords(line)
            var current = ""
            for (place, part) in parts.enumerated() {
                let candidate = current + part
                let room = place == parts.count - 1 && isLast ? width - allowance : width
                if Self.length(Self.repr(candidate)) > room {
                    if !current.isEmpty { literals.append(Self.repr(current)) }
                    current = part
                } else {
                    current = candidate
                }
            }
            if !current.isEmpty { literals.append(Self.repr(current)) }
        }
        return literals
    }

    /// Words with the white space after them.
    private static func spacedWords(_ line: String) -> [String] {
        var parts: [String] = []
        var rest = line.unicodeScalars[...]
        while !rest.isEmpty {
            let word = rest.prefix { !Self.isSpace($0) }
            let space = rest[word.endIndex...].prefix { Self.isSpace($0) }
            parts.append(String(rest[word.startIndex..<space.endIndex]))
            rest = rest[space.endIndex...]
        }
        return parts
    }
}
