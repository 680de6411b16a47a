import Statistics
import Testing

@testable import Reporting

@Suite("Tables on the terminal")
struct TerminalTests {
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
            ScoreTable.render(Self.rows, style: .plain) == """
                task       metric               n   score      ± SE     95 % interval
                hellaswag  acc ↑              100  0.4300  ± 0.0498  [0.3325, 0.5275]
                hellaswag  acc_norm ↑         100  0.5000  ± 0.0503  [0.4015, 0.5985]
                prose      word_perplexity ↓    1  41.250                         n/a

                """)
    }

    @Test("On a terminal the score is bold, and a task is named once")
    func ansi() {
        let table = ScoreTable.render(Self.rows, style: .ansi)
        #expect(table.contains("\u{1B}[1m0.4300\u{1B}[22m"))
        #expect(table.split(separator: "hellaswag").count == 2)
        #expect(!table.contains("small"))
    }

    @Test("Several models get a column")
    func models() {
        var rows = Self.rows
        rows[1].model = "large"
        let table = ScoreTable.render(rows, style: .plain)
        #expect(table.hasPrefix("task       model"))
        #expect(table.contains("large"))
    }

    @Test("Columns stay aligned beside wide characters and escapes")
    func alignment() {
        let table = TextTable(
            columns: [.init("a"), .init("n", .right)], rows: [["日本", "1"], ["x\u{1B}[31my", "10"], ["e\u{301}"]])
        #expect(
            table.render(style: .plain) == """
                a         n
                日本      1
                x [31my  10
                e\u{301}

                """)
    }
}
