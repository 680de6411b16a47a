extension Metric: RawRepresentable, CaseIterable {
    /// Every metric, those of several texts for one text.
    public static var allCases: [Metric] { OutputType.allCases.flatMap(\.metrics).uniqued() }

    /// What task files and columns call it.
    public var rawValue: String {
        switch self {
        case .acc: "acc"
        case .accNorm: "acc_norm"
        case .accBytes: "acc_bytes"
        case .accMutualInfo: "acc_mutual_info"
        case .exactMatch: "exact_match"
        case .f1: "f1"
        case .mcc: "mcc"
        case .brierScore: "brier_score"
        case .calibrationError: "ece"
        case .perplexity: "perplexity"
        case .wordPerplexity: "word_perplexity"
        case .bytePerplexity: "byte_perplexity"
        case .bitsPerByte: "bits_per_byte"
        case .bleu: "bleu"
        case .chrF: "chrf"
        case .chrFPlusPlus: "chrf++"
        case .translationEditRate: "ter"
        case .unparsed: "unparsed"
        case .truncated: "truncated"
        case .hitMaxTokens: "hit_max_tokens"
        case .pass(let count): "pass@\(count)"
        case .majority(let count): "majority@\(count)"
        case .native(let name): "native:\(name)"
        }
    }

    public init?(rawValue: String) {
        if let metric = Self.allCases.first(where: { $0.rawValue == rawValue }) {
            self = metric
            return
        }
        if rawValue.hasPrefix("native:") {
            self = .native(String(rawValue.dropFirst(7)))
            return
        }
        let parts = rawValue.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, let count = Int(parts[1]), (1...10_000).contains(count), String(count) == parts[1]
        else {
            return nil
        }
        switch parts[0] {
        case "pass": self = .pass(at: count)
        case "majority": self = .majority(at: count)
        default: return nil
        }
    }

    /// What columns and reports call it.
    public var name: String {
        if case .native(let name) = self { name } else { self.rawValue }
    }

    /// Whether it tells of the answers' state, whatever they are compared with.
    var isHealth: Bool {
        switch self {
        case .unparsed, .truncated, .hitMaxTokens: true
        default: false
        }
    }

    /// Whether it can be computed of programs that passed or failed.
    var judgesPrograms: Bool {
        switch self {
        case .pass: true
        default: self.isHealth
        }
    }

    /// Whether texts are compared, with what is ignored taken away.
    var comparesTexts: Bool {
        switch self {
        case .exactMatch, .pass, .majority: true
        default: false
        }
    }

    /// How many texts for each row it needs at least; `nil` if any number will do.
    var neededRepeats: Int? {
        switch self {
        case .pass(let count), .majority(let count): count
        default: nil
        }
    }
}

extension [Metric] {
    /// Each once, in order.
    fileprivate func uniqued() -> [Metric] {
        var known: Set<Metric> = []
        return self.filter { known.insert($0).inserted }
    }
}
