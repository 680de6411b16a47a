import Testing

@testable import Inference

@Suite struct StopScannerTests {
    /// Feeds pieces until a stop string is found; returns the text before it and the number of pieces taken.
    private func run(_ stops: [String], _ pieces: [[UInt8]]) -> (text: String, taken: Int) {
        var scanner = StopScanner(stops: stops)
        let taken = (pieces.firstIndex { scanner.append($0) } ?? pieces.count - 1) + 1
        let text = String(decoding: pieces.prefix(taken).joined(), as: UTF8.self)
        return (StopScanner.cut(text, before: stops), taken)
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

    @Test func stopsThatOverlapCutOneAfterTheOther() {
        // As lm-eval: what is left of the first stop string does not hold the second one any more.
        #expect(StopScanner.cut("xaby", before: ["b", "ab"]) == "xa")
        #expect(StopScanner.cut("xaby", before: ["ab", "b"]) == "x")
        #expect(StopScanner.cut("xaby", before: ["", "z"]) == "xaby")
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
        func holdsStop(_ text: String) -> Bool { stops.contains { text.contains($0) } }
        let taken = pieces.prefix(result.taken).joined()
        #expect(holdsStop(taken) || result.taken == pieces.count)
        #expect(!holdsStop(pieces.prefix(result.taken - 1).joined()))
        #expect(taken.hasPrefix(result.text) && !holdsStop(result.text))
    }
}
