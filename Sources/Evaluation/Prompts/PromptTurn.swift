internal import PythonCompat

/// A question and its answer as messages, as lm-eval builds them.
struct PromptTurn {
    var question: String
    /// `nil` for the question that the model is to answer, and for an example without one.
    var answer: String?
    /// How the model's answer begins.
    var prefix: String?
    var targetDelimiter: String
    /// Stands behind an answer.
    var fewShotDelimiter: String

    var messages: [ChatMessage] {
        let prefix = self.prefix?.isEmpty == false ? self.prefix : nil
        let isDelimited =
            prefix.map { !self.question.isEmpty && PythonText.needsSpace(self.question, $0) } ?? (self.answer != nil)
        let question = ChatMessage(.user, self.question, delimiter: isDelimited ? self.targetDelimiter : "")
        if let answer = self.answer {
            let text = prefix.map { PythonText.joined($0, answer, by: " ") } ?? answer
            return [question, ChatMessage(.assistant, text, delimiter: self.fewShotDelimiter)]
        }
        guard let prefix else { return [question] }
        return [question, ChatMessage(.assistant, prefix)]
    }
}

extension PythonText {
    /// Whether neither text has white space where they meet.
    static func needsSpace(_ head: String, _ tail: String) -> Bool {
        guard let last = head.unicodeScalars.last, let first = tail.unicodeScalars.first else { return false }
        return !Self.isSpace(last) && !Self.isSpace(first)
    }

    /// Both texts, with `delimiter` between them unless one is empty or white space is there already.
    static func joined(_ head: String, _ tail: String, by delimiter: String) -> String {
        head + (Self.needsSpace(head, tail) ? delimiter : "") + tail
    }
}
