import JSON
import PythonCompat
import Testing

@testable import ScoreMetrics

/// What the ports build upon is equal to Python, NumPy and SciPy.
@Suite struct PortBasicsTests {
    @Test func assignments() {
        let cases = PortFixture.value("basics", "assignments").items
        #expect(cases.count >= 15)
        for example in cases {
            let pairs = LinearAssignment.solve(example[at: "costs"].items.map { $0.items.map(\.number) })
            #expect(pairs.map(\.row) == example[at: "pairs"].items.map { $0[0].integer }, "\(example)")
            #expect(pairs.map(\.column) == example[at: "pairs"].items.map { $0[1].integer }, "\(example)")
        }
        #expect(LinearAssignment.solve([]).isEmpty)
        #expect(LinearAssignment.solve([[], []]).isEmpty)
    }

    @Test func sums() {
        for example in PortFixture.value("basics", "sums").items {
            #expect(NumPySum.sum(example[at: "values"].items.map(\.number)) == example[at: "sum"].number)
        }
    }

    @Test func numbers() {
        let cases = PortFixture.value("basics", "numbers").items
        #expect(cases.count >= 15)
        for example in cases {
            let text = example[at: "text"].text
            let expected = example[at: "int"] == .null ? nil : example[at: "int"].integer
            #expect(PythonNumber.int(text) == expected, "\(text.debugDescription)")
            let float = PythonNumber.float(text).map(PythonNumber.str)
            #expect(float == example[at: "float"].string, "\(text.debugDescription)")
        }
    }

    @Test func letterCases() {
        let cases = PortFixture.value("basics", "cases").items
        #expect(cases.count >= 15)
        for example in cases {
            #expect(PythonText.equal(PythonText.lower(example[0].text), example[1].text), "\(example)")
            #expect(PythonText.equal(PythonText.capitalize(example[0].text), example[2].text), "\(example)")
        }
        let characters = PortFixture.value("basics", "characters").text.unicodeScalars
        for example in PortFixture.value("basics", "contains").items {
            let matches = characters.filter { PythonText.containsIgnoringCase(example[0].text, String($0)) }
            #expect(PythonText.equal(String(matches), example[1].text), "\(example)")
        }
    }
}
