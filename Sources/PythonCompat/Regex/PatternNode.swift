/// A regular expression's syntax tree, with its flags worked in: a letter of any case is a set.
indirect enum PatternNode: Sendable, Hashable {
    case literal(UInt32)
    /// Any code point but one.
    case notLiteral(UInt32)
    case set(CharacterSet)
    /// A dot; without `matchesNewline` it leaves that out.
    case any(matchesNewline: Bool)
    case alternation([[PatternNode]])
    /// `most` is `nil` for no limit.
    case repetition([PatternNode], least: Int, most: Int?, Greed)
    /// A group; `number` is `nil` for one that is not kept.
    case group([PatternNode], number: Int?)
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

    /// Whether it is one code point of any kind.
    var isUnit: Bool {
        switch self {
        case .literal, .notLiteral, .set, .any: true
        default: false
        }
    }
}

extension [PatternNode] {
    /// Whether it begins by skipping anything: if it doesn't match at one place, then nowhere behind it.
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
