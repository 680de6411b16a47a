/// A regular expression's syntax tree.
indirect enum PatternNode: Sendable, Hashable {
    case empty
    case character(CharacterSet)
    case sequence([PatternNode])
    case alternation([PatternNode])
    /// `most` is `nil` for no limit.
    case repetition(PatternNode, least: Int, most: Int?, isGreedy: Bool)
    /// `number` from 1.
    case capture(PatternNode, number: Int)
    case backreference(number: Int, ignoresCase: Bool)
    case look(PatternNode, isBehind: Bool, isNegative: Bool)
    case assertion(Assertion)

    enum Assertion: Sendable, Hashable {
        case textStart
        case textEnd
        /// The end, or before a newline that ends the text.
        case lastLineEnd
        case lineStart
        case lineEnd
        case wordBoundary
        case noWordBoundary
    }

    /// Whether it begins by skipping anything: if it doesn't match at one place, then nowhere behind it.
    var skipsAnything: Bool {
        switch self {
        case .sequence(let nodes): nodes.first?.skipsAnything ?? false
        case .repetition(.character(CharacterSet(isNegated: true)), least: 0, most: nil, _): true
        default: false
        }
    }

    /// How many code points it matches; `nil` if that varies.
    var width: Int? {
        switch self {
        case .empty, .look, .assertion: return 0
        case .character: return 1
        case .sequence(let nodes):
            var sum = 0
            for node in nodes {
                guard let width = node.width else { return nil }
                sum += width
            }
            return sum
        case .alternation(let nodes):
            let widths = Set(nodes.map(\.width))
            return widths.count == 1 ? widths.first.flatMap(\.self) : nil
        case .repetition(let node, let least, let most, _):
            guard least == most, let width = node.width else { return nil }
            return least * width
        case .capture(let node, _): return node.width
        case .backreference: return nil
        }
    }
}
