import Console
import Testing

@Suite struct OutputTests {
    private let plain = Terminal(isInteractive: false, width: 80, usesColour: false)

    @Test func aTableAlignsItsColumnsAndLeavesNoTrailingBlanks() {
        var table = Table("name", ">n")
        table.add("a", "100")
        table.add("longer", "7")
        #expect(table.rendered(on: self.plain) == "name      n\na       100\nlonger    7")
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
