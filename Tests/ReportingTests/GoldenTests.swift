import Foundation
import Reporting
import Testing

@Suite("Rendered files are those in Fixtures/golden")
struct GoldenTests {
    /// To accept a change: ASSAY_RECORD_GOLDEN=1 swift test --filter GoldenTests, then read the difference.
    @Test(arguments: ["report.json", "report.md", "report.html", "manifest.json", "gsm8k.csv", "prose.k3f9.3.csv"])
    func golden(name: String) throws {
        let files = try ReportFiles(Sample.run, name: ReportName("demo"), toolVersion: Sample.toolVersion)
        let content = try #require(files.contents[name])
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/golden/\(name)")
        if ProcessInfo.processInfo.environment["ASSAY_RECORD_GOLDEN"] != nil {
            try Data(content).write(to: url)
            Issue.record("\(name) was recorded, not tested")
        }
        let expected = String(decoding: try Data(contentsOf: url), as: UTF8.self)
        let lines = String(decoding: content, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        let expectedLines = expected.split(separator: "\n", omittingEmptySubsequences: false)
        for (number, (line, expectedLine)) in zip(lines, expectedLines).enumerated() {
            try #require(line == expectedLine, "\(name), line \(number + 1)")
        }
        #expect(lines.count == expectedLines.count)
    }

    @Test func fileNames() throws {
        let files = try ReportFiles(Sample.run, name: ReportName("demo"), toolVersion: Sample.toolVersion)
        #expect(
            files.contents.keys.sorted() == [
                "gsm8k.csv", "hellaswag.k3f9.1.csv", "hellaswag.k3f9.4.csv", "manifest.json", "prose.k3f9.3.csv",
                "prose.k3f9.5.csv", "report.html", "report.json", "report.md",
            ])
    }

    @Test("The same input gives the same bytes")
    func same() throws {
        let name = try ReportName("demo")
        let first = try ReportFiles(Sample.run, name: name, toolVersion: Sample.toolVersion)
        let second = try ReportFiles(Sample.run, name: name, toolVersion: Sample.toolVersion)
        #expect(first.contents == second.contents)
    }
}
