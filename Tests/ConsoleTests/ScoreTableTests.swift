import Reporting
import Statistics
import TerminalText
import Testing

@testable import Console

@Suite struct ScoreTableTests {
    static let plain = Terminal(isInteractive: false, width: 80, usesColour: false)
    static let color = Terminal(isInteractive: true, width: 80, usesColour: true)
    static let rows = [
        ScoreRow(
            task: "hellaswag", model: "small", metric: "acc", filter: nil, higherIsBetter: true, n: 100, value: 0.43,
            standardError: 0.04976, interval: .init(lower: 0.3325, upper: 0.5275)),
        ScoreRow(
            task: "hellaswag", model: "small", metric: "acc_norm", filter: nil, higherIsBetter: true, n: 100,
            value: 0.5, standardError: 0.05025, interval: .init(lower: 0.4015, upper: 0.5985)),
        ScoreRow(
            task: "prose", model: "small", metric: "word_perplexity", filter: nil, higherIsBetter: false, n: 1,
            value: 41.25, standardError: nil, interval: nil),
    ]

    @Test func plain() {
        #expect(
            ScoreTable.render(Self.rows, on: Self.plain).description == """
                task       metric               n   score      ± SE     95 % interval
                hellaswag  acc ↑              100  0.4300  ± 0.0498  [0.3325, 0.5275]
                hellaswag  acc_norm ↑         100  0.5000  ± 0.0503  [0.4015, 0.5985]
                prose      word_perplexity ↓    1  41.250                         n/a
                """)
    }

    @Test("On a terminal the score is bold, and a task is named once")
    func ansi() {
        let table = ScoreTable.render(Self.rows, on: Self.color).description
        #expect(table.contains("\u{1B}[1m0.4300\u{1B}[0m"))
        #expect(table.split(separator: "hellaswag").count == 2)
        #expect(!table.contains("small"))
    }

    @Test("Several models get a column")
    func models() {
        var rows = Self.rows
        rows[1].model = "large"
        let table = ScoreTable.render(rows, on: Self.plain).description
        #expect(table.hasPrefix("task       model"))
        #expect(table.contains("large"))
    }

    @Test("A group says how many tasks it is made of")
    func groups() {
        var rows = Self.rows
        rows[2].groupTasks = 57
        #expect(ScoreTable.render(rows, on: Self.plain).description.contains("prose (57 tasks)  word_perplexity ↓"))
    }

    @Test("No name is a command to the terminal", arguments: PrintedTextTests.hostile)
    func hostile(text: String) {
        var rows = Self.rows
        for index in rows.indices {
            rows[index].task += text
            rows[index].model += text
            rows[index].metric += text
            rows[index].filter = text
        }
        let table = ScoreTable.render(rows, on: Self.plain).description
        PrintedTextTests.expectSafe(table)
        #expect(table.split(separator: "\n").count == 1 + rows.count)
    }
}
