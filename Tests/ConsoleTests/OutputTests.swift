import Foundation
import Testing

@testable import Console
@testable import TerminalText

@Suite struct OutputTests {
    private let plain = Terminal(isInteractive: false, width: 80, usesColour: false)

    @Test func aTableAlignsItsColumnsAndLeavesNoTrailingBlanks() {
        var table = Table("name", ">n")
        table.add("a", "100")
        table.add("longer", "7")
        #expect(table.rendered(on: self.plain).description == "name      n\na       100\nlonger    7")
    }

    @Test func columnsStayAlignedBesideWideAndHostileCells() {
        var table = Table("a", ">n", "text")
        table.add("日本", "1", "end")
        table.add("x\u{1B}[31my", "10", "end\nof line")
        table.add("e\u{301}", "", "한국어")
        table.add("👍🏽", "2", "4th", "one too many")
        #expect(
            table.rendered(on: self.plain).description == """
                a              n  text
                日本           1  end
                x\\u001b[31my  10  end\\nof line
                e\u{301}                 한국어
                👍🏽             2  4th
                """)
    }

    @Test func jsonHasNoControlCharacterInIt() throws {
        let text = try Output.jsonText(["a\u{7F}\u{9B}31m\u{202E}\u{1B}\n": "\u{2028}é漢"])
        let safe = PrintedText.escapedJSON(text)
        PrintedTextTests.expectSafe(safe)
        #expect(safe.contains(#"\u007f\u009b31m\u202e\u001b\n"#) && safe.contains("é漢"))
        let back = try JSONDecoder().decode([String: String].self, from: Data(safe.utf8))
        #expect(back == ["a\u{7F}\u{9B}31m\u{202E}\u{1B}\n": "\u{2028}é漢"])
    }

    @Test func aProgressLineIsCutByColumns() {
        #expect(PrintedText("日本語 text").prefix(columns: 5).description == "日本")
        #expect(PrintedText("abc").prefix(columns: 5).description == "abc")
    }

    @Test func theRateIsTakenOverTheWindow() {
        var meter = RateMeter(window: 10)
        meter.add(seconds: 0, done: 0)
        #expect(meter.rate == nil)
        meter.add(seconds: 5, done: 10)
        #expect(meter.rate == 2)
        meter.add(seconds: 20, done: 40)
        meter.add(seconds: 30, done: 50)
        #expect(meter.rate == 1)
    }

    @Test(arguments: [(5.4, "5 s"), (65, "1 min 5 s"), (3_725, "1 h 2 min")])
    func durationsReadWell(_ seconds: Double, _ text: String) {
        #expect(RateMeter.describe(seconds: seconds) == text)
    }
}
