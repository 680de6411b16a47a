internal import PythonCompat

/// How ifeval divides a response into paragraphs.
enum IFEvalParagraphs {
    /// ifeval `instructions.ParagraphChecker`: how many parts have `***` between them; `nil` if one within is blank.
    static func dividedCount(_ text: [Unicode.Scalar]) -> Int? {
        var parts = PythonText.split(text, by: "***")[...]
        // `re.split` takes white space with the stars; two dividers can't share it, which blank parts show anyway.
        if parts.first.map({ PythonText.isBlank($0) }) ?? false { parts.removeFirst() }
        if parts.last.map({ PythonText.isBlank($0) }) ?? false { parts.removeLast() }
        return parts.contains { PythonText.isBlank($0) } ? nil : parts.count
    }

    /// ifeval `instructions.ParagraphFirstWordCheck`: as many paragraphs that are not blank, and the word first in the
    /// paragraph with a number, from 1, that counts blank ones.
    static func hasParagraphs(
        _ text: [Unicode.Scalar], count: Double, index: Int, firstWord: [Unicode.Scalar]
    ) -> Bool {
        let paragraphs = PythonText.split(text, by: "\n\n")
        let filled = paragraphs.count { !PythonText.isBlank($0) }
        guard index <= filled, Double(filled) == count else { return false }
        return Self.firstWord(paragraphs[index - 1]) == firstWord
    }

    /// Without quotes before it, up to punctuation, in lower case; `nil` in a blank paragraph.
    private static func firstWord(_ paragraph: CodePoints) -> [Unicode.Scalar]? {
        let start = paragraph.drop(while: PythonText.isSpace)
        guard !start.isEmpty else { return nil }
        let word = start.prefix { !PythonText.isSpace($0) }.drop { $0 == "'" }.drop { $0 == "\"" }
        let punctuation: Set<Unicode.Scalar> = [".", ",", "?", "!", "'", "\""]
        // Each letter by itself, so that no sigma is a final one.
        return word.prefix { !punctuation.contains($0) }.flatMap { PythonText.lower([$0]) }
    }
}
