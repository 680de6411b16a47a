import PythonCompat
import Testing

@Suite struct PythonRandomBoundsTests {
    @Test func moreThanThereAreCanNotBeDrawn() {
        var random = PythonRandom(seed: 1)
        #expect(random.sample(3, of: 2) == nil && random.sample(-1, of: 2) == nil && random.sample(0, of: 0) == [])
        #expect(random.choices(3, of: 0) == [] && random.below(0) == 0)
    }
}

@Suite struct SearchTests {
    /// Nesting needs no stack.
    @Test func deepJSON() {
        let text = String(repeating: "[", count: 200_000) + String(repeating: "]", count: 200_000)
        #expect(PythonJSON.isValid(Array(text.unicodeScalars)[...]))
        #expect(!PythonJSON.isValid(Array(text.unicodeScalars).dropLast()))
    }

    @Test func literalSearch() {
        func places(_ part: String, _ text: String, overlapping: Bool, ignoresCase: Bool = false) -> [Int] {
            var places: [Int] = []
            LiteralSearch(part, ignoresCase: ignoresCase).visit(
                in: Array(text.unicodeScalars), overlapping: overlapping
            ) {
                places.append($0.lowerBound)
                return true
            }
            return places
        }
        #expect(places("aa", "aaaa", overlapping: false) == [0, 2])
        #expect(places("aa", "aaaa", overlapping: true) == [0, 1, 2])
        #expect(places("aab", "aaaab", overlapping: true) == [2])
        #expect(places("abab", "abababab", overlapping: true) == [0, 2, 4])
        #expect(places("", "ab", overlapping: true) == [0, 1, 2])
        #expect(places("sk", "SK ſK sk s", overlapping: false, ignoresCase: true) == [0, 3, 6])
    }
}
