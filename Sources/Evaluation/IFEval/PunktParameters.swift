internal import PythonCompat

/// What NLTK's Punkt model for English knows of words, all of them in lower case.
struct PunktParameters: Sendable {
    /// Where a word was seen: how it began at the beginning of sentences and within them.
    struct Contexts: OptionSet, Sendable {
        let rawValue: Int

        static let upperWithin = Contexts(rawValue: 1 << 2)
        static let lowerAtBeginning = Contexts(rawValue: 1 << 4)
        static let upper = Contexts(rawValue: 1 << 1 | 1 << 2 | 1 << 3)
        static let lower = Contexts(rawValue: 1 << 4 | 1 << 5 | 1 << 6)
    }

    private let abbreviations: Set<ExactText>
    /// Two words with a space between them.
    private let collocations: Set<ExactText>
    private let starters: Set<ExactText>
    private let contexts: [ExactText: Contexts]

    static let english = PunktParameters(LanguageData.punkt)

    private init(_ lines: [[String]]) {
        func words(_ line: Int) -> Set<ExactText> {
            line < lines.count ? Set(lines[line].map(ExactText.init)) : []
        }
        self.abbreviations = words(0)
        self.collocations = words(1)
        self.starters = words(2)
        var contexts: [ExactText: Contexts] = [:]
        for line in lines.dropFirst(3) {
            let value = Contexts(rawValue: line.first.flatMap { Int($0) } ?? 0)
            for word in line.dropFirst() { contexts[ExactText(word)] = value }
        }
        self.contexts = contexts
    }

    func isAbbreviation(_ word: String) -> Bool { self.abbreviations.contains(ExactText(word)) }

    func isCollocation(_ first: String, _ second: String) -> Bool {
        self.collocations.contains(ExactText("\(first) \(second)"))
    }

    func beginsSentences(_ word: String) -> Bool { self.starters.contains(ExactText(word)) }

    /// Empty for a word that is not known.
    func contexts(of word: String) -> Contexts { self.contexts[ExactText(word)] ?? [] }
}
