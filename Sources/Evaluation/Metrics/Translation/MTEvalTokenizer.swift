internal import PythonCompat

/// sacrebleu's tokenizer "13a", which does what NIST's mteval-v13a.pl did.
enum MTEvalTokenizer {
    static func tokens(_ text: String) -> [CodePoints] { Self.split(Self.normalized(text)) }

    /// Joins hyphenated lines and resolves XML entities: one after the other, so `&amp;lt;` becomes `<`.
    private static func normalized(_ text: String) -> [Unicode.Scalar] {
        var scalars = Array(text.unicodeScalars)
        while let last = scalars.last, PythonText.isSpace(last) { scalars.removeLast() }
        Self.replace("<skipped>", with: "", in: &scalars)
        Self.replace("-\n", with: "", in: &scalars)
        Self.replace("&quot;", with: "\"", in: &scalars)
        Self.replace("&amp;", with: "&", in: &scalars)
        Self.replace("&lt;", with: "<", in: &scalars)
        Self.replace("&gt;", with: ">", in: &scalars)
        return scalars
    }

    private static func replace(_ old: String, with new: String, in scalars: inout [Unicode.Scalar]) {
        let old = Array(old.unicodeScalars)
        guard let first = old.first, var position = scalars.firstIndex(of: first) else { return }
        var replaced = Array(scalars[..<position])
        while position < scalars.count {
            if scalars[position...].starts(with: old) {
                replaced.append(contentsOf: new.unicodeScalars)
                position += old.count
            } else {
                replaced.append(scalars[position])
                position += 1
            }
        }
        scalars = replaced
    }

    /// Splits at white space and around marks, in one pass with the result of sacrebleu's four substitutions.
    private static func split(_ scalars: [Unicode.Scalar]) -> [CodePoints] {
        var tokens: [CodePoints] = []
        var start = 0
        func endToken(before end: Int) {
            if start < end { tokens.append(scalars[start..<end]) }
            start = end
        }

        var afterDigit = false
        // After a stop that what is before it set apart: the next stop depends on what is behind it alone.
        var afterStop = false
        for (position, scalar) in scalars.enumerated() {
            let isStop = scalar == "." || scalar == ","
            let isFreshStop = isStop && !afterDigit && !afterStop
            let isApart =
                if isStop {
                    isFreshStop || position + 1 == scalars.count || !PythonText.isASCIIDigit(scalars[position + 1])
                } else {
                    scalar == "-" ? afterDigit : Self.isMark(scalar)
                }
            if PythonText.isSpace(scalar) {
                endToken(before: position)
                start = position + 1
            } else if isApart {
                endToken(before: position)
                endToken(before: position + 1)
            }
            afterDigit = PythonText.isASCIIDigit(scalar)
            afterStop = isFreshStop
        }
        endToken(before: scalars.count)
        return tokens
    }

    /// A mark that always stands alone: ASCII punctuation but apostrophe, comma, hyphen and full stop.
    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "'", ",", "-", ".": false
        default: PythonText.isASCIIPunctuation(scalar)
        }
    }
}
