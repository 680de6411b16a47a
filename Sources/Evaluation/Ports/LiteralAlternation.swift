/// Python's `findall` for a pattern that is nothing but texts with | between.
struct LiteralAlternation {
    private let literals: [[Unicode.Scalar]]

    init(_ literals: [String]) { self.literals = literals.map { Array($0.unicodeScalars) } }

    /// The matches; at one place the first text that fits, which can be the empty one.
    func findAll(_ text: String) -> [String] {
        let scalars = Array(text.unicodeScalars)
        var found: [String] = []
        var position = 0
        // Behind an empty match the next one at the same place must not be empty.
        var mustAdvance = false
        while position <= scalars.count {
            let literal = self.literals.first {
                !(mustAdvance && $0.isEmpty) && scalars[position...].starts(with: $0)
            }
            if let literal { found.append(String(String.UnicodeScalarView(literal))) }
            mustAdvance = literal?.isEmpty ?? false
            position += literal?.count ?? 1
        }
        return found
    }
}
