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

/// A set of code points, as one character, a class or a dot matches them.
struct CharacterSet: Sendable, Hashable {
    enum Category: Sendable, Hashable {
        case digit
        case word
        case space
    }

    var ranges: [ClosedRange<UInt32>] = []
    var categories: [Category] = []
    var negatedCategories: [Category] = []
    var isNegated = false
    var ignoresCase = false

    static func single(_ scalar: Unicode.Scalar, ignoresCase: Bool) -> CharacterSet {
        CharacterSet(ranges: [scalar.value...scalar.value], ignoresCase: ignoresCase)
    }

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        var isMember = self.holds(scalar)
        if !isMember, self.ignoresCase {
            isMember = Self.cases(of: scalar).contains { self.holds($0) }
        }
        return isMember != self.isNegated
    }

    private func holds(_ scalar: Unicode.Scalar) -> Bool {
        self.ranges.contains { $0.contains(scalar.value) }
            || self.categories.contains { Self.isIn($0, scalar) }
            || self.negatedCategories.contains { !Self.isIn($0, scalar) }
    }

    /// The one-code-point lower, upper and title case forms.
    static func cases(of scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        let properties = scalar.properties
        return [properties.lowercaseMapping, properties.uppercaseMapping, properties.titlecaseMapping].compactMap {
            let scalars = $0.unicodeScalars
            return scalars.count == 1 ? scalars.first : nil
        }
    }

    static func isIn(_ category: Category, _ scalar: Unicode.Scalar) -> Bool {
        switch category {
        case .digit: return scalar.properties.generalCategory == .decimalNumber
        case .space: return PythonText.isSpace(scalar)
        case .word:
            switch scalar.properties.generalCategory {
            case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
                .letterNumber, .otherNumber:
                return true
            default: return scalar == "_"
            }
        }
    }
}
