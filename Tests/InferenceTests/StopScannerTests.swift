import Testing

@testable import Inference

@Suite struct StopScannerTests {
    /// Feeds pieces until a stop string is found; returns the text and the number of pieces taken.
    private func run(_ stops: [String], _ pieces: [[UInt8]]) -> (text: String, taken: Int) {
        var scanner = StopScanner(stops: stops)
        for (index, piece) in pieces.enumerated() where scanner.append(piece) { return (scanner.text, index + 1) }
        return (scanner.text, pieces.count)
    }

    private func run(_ stops: [String], _ pieces: [String]) -> (text: String, taken: Int) {
        self.run(stops, pieces.map { Array($0.utf8) })
    }

    @Test func cutsBeforeTheFirstStop() {
        #expect(self.run(["\n\n"], ["one", "\n", "\n", "two"]) == ("one", 3))
        #expect(self.run(["Question:"], [" 42", "\nQues", "tion", ": what"]) == (" 42\n", 4))
        #expect(self.run([".", "!"], ["a", "b!c.", "d"]) == ("ab", 2))
        #expect(self.run(["x"], ["x"]) == ("", 1))
    }

    @Test func partialMatchesAreText() {
        #expect(self.run(["stop!"], ["sto", "p", "?", " sto"]) == ("stop? sto", 4))
        #expect(self.run(["aab"], ["a", "a", "a", "b", "c"]) == ("a", 4))
    }

    @Test func withoutStopsEverythingIsText() {
        #expect(self.run([], ["a", "b"]) == ("ab", 2))
        #expect(self.run([""], ["a", "b"]) == ("ab", 2))
        #expect(self.run(["z"], [[], Array("a".utf8), []]).text == "a")
    }

    @Test func charactersMayBeSplitBetweenTokens() {
        let euro = Array("€".utf8)
        #expect(self.run(["€"], [Array("5 ".utf8), [euro[0]], [euro[1], euro[2]], [65]]) == ("5 ", 3))
        #expect(self.run(["x"], [[euro[0]], [euro[1]], [euro[2], 120]]) == ("€", 3))
        #expect(self.run(["x"], [[euro[0], euro[1]], [120]]).text == "\u{FFFD}")
    }

    @Test(arguments: 0..<50)
    func agreesWithSearchingTheWholeText(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        func letters(_ range: ClosedRange<Int>) -> String {
            String(
                (0..<Int.random(in: range, using: &generator)).map { _ in "ab".randomElement(using: &generator) ?? "a" }
            )
        }
        let stops = (0..<3).map { _ in letters(2...5) }
        let pieces = (0..<12).map { _ in letters(0...3) }
        let result = self.run(stops, pieces)
        let taken = pieces.prefix(result.taken).joined()
        let before = pieces.prefix(result.taken - 1).joined()
        let offset = taken.indices.first { index in stops.contains { taken[index...].hasPrefix($0) } }
        #expect(result.text == (offset.map { String(taken[..<$0]) } ?? taken))
        #expect(!before.indices.contains { index in stops.contains { before[index...].hasPrefix($0) } })
    }
}
