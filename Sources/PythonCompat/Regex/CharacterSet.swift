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
