/// A regular expression's syntax tree, with the flags worked in that say what a part matches.
indirect enum PatternNode: Sendable, Hashable {
    /// A code point, of any case as the folding says.
    case literal(UInt32, CharacterSet.Folding)
    /// Any code point but one.
    case notLiteral(UInt32, CharacterSet.Folding)
    case set(CharacterSet.Description)
    /// A dot; without `matchesNewline` it leaves that out.
    case any(matchesNewline: Bool)
    case alternation([[PatternNode]])
    /// `most` is `nil` for no limit.
    case repetition([PatternNode], least: Int, most: Int?, Greed)
    /// A group; `number` is `nil` for one that is not kept.
    case group([PatternNode], number: Int?)
    /// A part with flags of its own.
    case scoped([PatternNode])
    case atomic([PatternNode])
    case backreference(number: Int, CharacterSet.Folding)
    /// One of two parts, for a group that took part or not.
    case conditional(number: Int, [PatternNode], otherwise: [PatternNode]?)
    /// `behind` is how many code points before this place it begins.
    case look([PatternNode], behind: Int, isNegative: Bool)
    case assertion(Assertion)

    enum Greed: Sendable, Hashable {
        case greedy
        case lazy
        case possessive
    }

    enum Assertion: Sendable, Hashable {
        case textStart
        case textEnd
        /// The end, or before a newline that ends the text.
        case lastLineEnd
        case lineStart
        case lineEnd
        case wordBoundary(isASCII: Bool)
        case noWordBoundary(isASCII: Bool)
    }

    /// What matches one code point of some kind, if that is all it is.
    var unit: PatternNode? {
        switch self {
        case .literal, .notLiteral, .set, .any: self
        case .scoped(let nodes) where nodes.count == 1: nodes[0].unit
        default: nil
        }
    }

    /// Whether CPython takes it out in front of alternatives that all begin with it.
    var canBePrefix: Bool {
        switch self {
        case .literal, .notLiteral, .set, .any, .assertion, .backreference: true
        default: false
        }
    }
}

extension [PatternNode] {
    /// Whether it begins by skipping anything: if it doesn't match at one place, then nowhere after it.
    var skipsAnything: Bool {
        guard case .repetition(let nodes, 0, nil, let greed)? = self.first, nodes.count == 1, greed != .possessive
        else { return false }
        return nodes[0] == .any(matchesNewline: true)
    }
}

/// How many code points something matches.
struct PatternWidth: Hashable {
    /// As CPython, which takes this for without end.
    static let most = Int.max

    var least = 0
    var most = 0

    static let unit = PatternWidth(least: 1, most: 1)

    static func + (a: PatternWidth, b: PatternWidth) -> PatternWidth {
        PatternWidth(least: Self.sum(a.least, b.least), most: Self.sum(a.most, b.most))
    }

    /// Either of the two.
    func or(_ other: PatternWidth) -> PatternWidth {
        PatternWidth(least: min(self.least, other.least), most: max(self.most, other.most))
    }

    func repeated(least: Int, most: Int?) -> PatternWidth {
        PatternWidth(
            least: Self.product(self.least, least),
            most: most.map { Self.product(self.most, $0) } ?? (self.most > 0 ? Self.most : 0))
    }

    private static func sum(_ a: Int, _ b: Int) -> Int {
        let (sum, overflows) = a.addingReportingOverflow(b)
        return overflows ? Self.most : sum
    }

    private static func product(_ a: Int, _ b: Int) -> Int {
        let (product, overflows) = a.multipliedReportingOverflow(by: b)
        return overflows ? Self.most : product
    }
}
