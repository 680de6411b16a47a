internal import PythonCompat

/// What ifeval counts in Markdown, without regular expressions that could take long.
enum IFEvalMarkdown {
    /// ifeval `instructions.PlaceholderChecker`: matches of `\[.*?\]`.
    static func placeholderCount(_ text: [Unicode.Scalar]) -> Int {
        var count = 0
        var isOpen = false
        for scalar in text {
            switch scalar {
            case "[": isOpen = true
            case "\n": isOpen = false
            case "]":
                if isOpen { count += 1 }
                isOpen = false
            default: break
            }
        }
        return count
    }

    /// ifeval `instructions.BulletListChecker`.
    static func bulletCount(_ text: [Unicode.Scalar]) -> Int {
        // ^\s*\*[^\*].*$ where the second character may be the line's end.
        let stars = Self.itemCount(text) { rest in
            guard rest.first == "*", let second = rest.dropFirst().first, second != "*" else { return nil }
            return rest.dropFirst(2).prefix { $0 != "\n" }.endIndex
        }
        // ^\s*-.*$
        let dashes = Self.itemCount(text) { rest in
            rest.first == "-" ? rest.prefix { $0 != "\n" }.endIndex : nil
        }
        return stars + dashes
    }

    /// How many matches there are of `^\s*` and what `match` gives the end of.
    private static func itemCount(_ text: [Unicode.Scalar], _ match: (CodePoints) -> Int?) -> Int {
        var count = 0
        var position = 0
        while position < text.count {
            if position > 0, text[position - 1] != "\n" {
                position += 1
                continue
            }
            let rest = text[position...].drop(while: PythonText.isSpace)
            if let end = match(rest) {
                count += 1
                position = end
            } else {
                // Lines of white space begin nothing else.
                position = rest.startIndex + 1
            }
        }
        return count
    }

    /// ifeval `instructions.HighlightSectionChecker`: matches of `\*[^\n\*]*\*` and of `\*\*[^\n\*]*\*\*`, unless they
    /// are blank.
    static func highlightCount(_ text: [Unicode.Scalar]) -> Int {
        Self.highlightCount(text, mark: ["*"]) + Self.highlightCount(text, mark: ["*", "*"])
    }

    private static func highlightCount(_ text: [Unicode.Scalar], mark: [Unicode.Scalar]) -> Int {
        var count = 0
        var rest = text[...]
        while let start = rest.firstIndex(of: "*") {
            let inside = rest[start...].dropFirst(mark.count).prefix { $0 != "\n" && $0 != "*" }
            if rest[start...].starts(with: mark), rest[inside.endIndex...].starts(with: mark) {
                if !PythonText.isBlank(inside) { count += 1 }
                rest = rest[(inside.endIndex + mark.count)...]
            } else {
                rest = rest[(start + 1)...]
            }
        }
        return count
    }

    /// ifeval `instructions.TitleChecker`: `<<[^\n]+>>` with anything but white space in it.
    static func hasTitle(_ text: [Unicode.Scalar]) -> Bool {
        text.split(separator: "\n").contains { line in
            guard let start = Self.firstPair("<", in: line), let end = Self.lastPair(">", in: line), end >= start + 3
            else { return false }
            let title = PythonText.strip(line[start..<end + 2], left: ["<"], right: [">"])
            return !PythonText.isBlank(title)
        }
    }

    private static func firstPair(_ scalar: Unicode.Scalar, in line: CodePoints) -> Int? {
        line.indices.dropLast().first { line[$0] == scalar && line[$0 + 1] == scalar }
    }

    private static func lastPair(_ scalar: Unicode.Scalar, in line: CodePoints) -> Int? {
        line.indices.dropLast().last { line[$0] == scalar && line[$0 + 1] == scalar }
    }
}
