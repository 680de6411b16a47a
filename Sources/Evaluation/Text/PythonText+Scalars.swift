/// The same as for texts, on arrays of code points.
extension PythonText {
    /// Python's `str.strip()`.
    static func strip(_ text: CodePoints) -> CodePoints {
        guard let start = text.firstIndex(where: { !Self.isSpace($0) }),
            let last = text.lastIndex(where: { !Self.isSpace($0) })
        else { return [] }
        return text[start...last]
    }

    /// `not text.strip()`.
    static func isBlank(_ text: CodePoints) -> Bool { text.allSatisfy(Self.isSpace) }

    /// Python's `str.lower()`.
    static func lower(_ text: CodePoints) -> [Unicode.Scalar] {
        if text.allSatisfy(\.isASCII) {
            return text.map { ("A"..."Z").contains($0) ? Unicode.Scalar(UInt8($0.value) | 0x20) : $0 }
        }
        return Self.lowercased(String(text))
    }

    /// Python's `str.lstrip` and `str.rstrip` with characters.
    static func strip(_ text: CodePoints, left: Set<Unicode.Scalar>, right: Set<Unicode.Scalar>) -> CodePoints {
        var text = text.drop(while: left.contains)
        while let last = text.last, right.contains(last) { text.removeLast() }
        return text
    }

    /// Python's `str.split(separator)`: an empty text has one part.
    static func split(_ text: [Unicode.Scalar], by separator: String) -> [CodePoints] {
        let separator = LiteralSearch(separator)
        var parts: [CodePoints] = []
        var start = 0
        separator.visit(in: text, overlapping: false) { match in
            parts.append(text[start..<match.lowerBound])
            start = match.upperBound
            return true
        }
        return parts + [text[start...]]
    }
}

extension String {
    init(_ scalars: CodePoints) {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        self.init(view)
    }
}
