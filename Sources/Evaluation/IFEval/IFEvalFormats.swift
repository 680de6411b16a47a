internal import PythonCompat

/// What ifeval wants a whole response to be.
enum IFEvalFormats {
    /// ifeval `instructions.ConstrainedResponseChecker`.
    static func hasConstrainedResponse(_ text: [Unicode.Scalar]) -> Bool {
        ["My answer is yes.", "My answer is no.", "My answer is maybe."].contains {
            LiteralSearch($0).isFound(in: text)
        }
    }

    /// ifeval `instructions.EndChecker`; the phrase is in lower case, without white space around it.
    static func ends(_ text: [Unicode.Scalar], with phrase: [Unicode.Scalar]) -> Bool {
        let end = PythonText.strip(PythonText.strip(text[...]), left: ["\""], right: ["\""])
        return PythonText.lower(end).reversed().starts(with: phrase.reversed())
    }

    /// ifeval `instructions.QuotationChecker`.
    static func isQuotation(_ text: [Unicode.Scalar]) -> Bool {
        let text = PythonText.strip(text[...])
        return text.count > 1 && text.first == "\"" && text.last == "\""
    }

    /// ifeval `instructions.TwoResponsesChecker`.
    static func hasTwoResponses(_ text: [Unicode.Scalar]) -> Bool {
        var parts = PythonText.split(text, by: "******")[...]
        if parts.first.map({ PythonText.isBlank($0) }) ?? false { parts.removeFirst() }
        if parts.last.map({ PythonText.isBlank($0) }) ?? false { parts.removeLast() }
        guard parts.count == 2, let first = parts.first, let last = parts.last else { return false }
        return !PythonText.isBlank(first) && !PythonText.isBlank(last)
            && PythonText.strip(first) != PythonText.strip(last)
    }

    /// ifeval `instructions.JsonFormat`.
    static func isJSON(_ text: [Unicode.Scalar]) -> Bool {
        var text = PythonText.strip(text[...])
        for prefix in ["```json", "```Json", "```JSON", "```"] where text.starts(with: prefix.unicodeScalars) {
            text.removeFirst(prefix.utf8.count)
        }
        if text.suffix(3).elementsEqual("```".unicodeScalars) { text.removeLast(3) }
        return PythonJSON.isValid(PythonText.strip(text))
    }
}
