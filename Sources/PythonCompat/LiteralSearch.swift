/// Looks for a text in others, in a time that grows with their lengths only (Knuth, Morris and Pratt 1977).
public struct LiteralSearch: Sendable {
    private let keys: [UInt32]
    /// For each length of a part that matched, how much of its beginning is also its end.
    private let borders: [Int]
    private let ignoresCase: Bool

    /// - Parameter ignoresCase: As with `re.IGNORECASE`.
    public init(_ text: some StringProtocol, ignoresCase: Bool = false) {
        let keys = text.unicodeScalars.map { ignoresCase ? PythonText.caseFold($0) : $0.value }
        var borders = [0, 0]
        var border = 0
        for position in keys.indices.dropFirst() {
            while border > 0, keys[position] != keys[border] { border = borders[border] }
            if keys[position] == keys[border] { border += 1 }
            borders.append(border)
        }
        self.keys = keys
        self.borders = borders
        self.ignoresCase = ignoresCase
    }

    /// Calls `visit` with each place from left to right until it gives false; an empty text is everywhere.
    public func visit(in text: [Unicode.Scalar], overlapping: Bool, _ visit: (Range<Int>) -> Bool) {
        guard !self.keys.isEmpty else {
            for position in 0...text.count where !visit(position..<position) { return }
            return
        }
        var matched = 0
        for (position, scalar) in text.enumerated() {
            let key = self.ignoresCase ? PythonText.caseFold(scalar) : scalar.value
            while matched > 0, key != self.keys[matched] { matched = self.borders[matched] }
            if key == self.keys[matched] { matched += 1 }
            guard matched == self.keys.count else { continue }
            guard visit(position + 1 - matched..<position + 1) else { return }
            matched = overlapping ? self.borders[matched] : 0
        }
    }

    /// Whether it is there.
    public func isFound(in text: [Unicode.Scalar]) -> Bool {
        var isFound = false
        self.visit(in: text, overlapping: false) { _ in
            isFound = true
            return false
        }
        return isFound
    }

    /// Python's `str.count`.
    public func count(in text: [Unicode.Scalar]) -> Int {
        var count = 0
        self.visit(in: text, overlapping: false) { _ in
            count += 1
            return true
        }
        return count
    }
}

/// Python's `findall` for a pattern that is nothing but texts with | between.
public struct LiteralAlternation {
    private let literals: [[Unicode.Scalar]]

    public init(_ literals: [String]) { self.literals = literals.map { Array($0.unicodeScalars) } }

    /// The matches; at one place the first text that fits, which can be the empty one.
    public func findAll(_ text: String) -> [String] {
        let scalars = Array(text.unicodeScalars)
        var found: [String] = []
        var position = 0
        // After an empty match the next one at the same place must not be empty.
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
