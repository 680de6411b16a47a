import Evaluation
import Foundation
import Reporting
import Testing

@Suite("Strings from outside stay strings")
struct HostileTests {
    static let strings = [
        "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "a|b", "one\ntwo", "' onload='x",
        // To Swift, each of these is one character, and neither a quote nor an angle bracket.
        "\"\u{301} onmouseover=alert(1) x=\"\u{301}", "<\u{301}b>\u{301}",
        "{{title}}{{{settings}}}", "`code` *bold* [link](javascript:alert(1))", "$(touch x); `id`", "../../etc/passwd",
        "\u{1B}[31mred", "\u{202E}txt.exe", "&lt;", "\\", "", "\u{0}",
    ]

    static func input(_ text: String) -> ReportInput {
        var input = Sample.run
        input.runName = text
        input.project = text
        input.jobs = input.jobs.map { job in
            var job = job
            job.name = text
            job.task.name = text
            job.task.alias = text + "*"
            job.task.version = text
            job.model.name = text
            job.engines = [.init(name: text, build: text, deviceKind: text)]
            job.settings = Self.jsonObject(text)
            job.resultPath = text
            job.digest = text
            job.metrics = job.metrics.map { metric in
                var metric = metric
                metric.filter = text
                metric.name = text + metric.name
                return metric
            }
            job.samples.sampleIDs = job.samples.sampleIDs.map { text + $0 }
            job.samples.finishReasons = job.samples.finishReasons.map { _ in text }
            return job
        }
        return input
    }

    /// An object with `text` as key and value, as JSON.
    static func jsonObject(_ text: String) -> String {
        let content = try? JSONEncoder().encode([text: text])
        return String(decoding: content ?? Data(), as: UTF8.self)
    }

    static func files(_ text: String) throws -> ReportFiles {
        try ReportFiles(Self.input(text), name: ReportName("hostile"), toolVersion: text)
    }

    /// The page's tags with all texts taken out, so that what is left is what the templates wrote.
    static func skeleton(_ html: String) -> [String] {
        var tags: [String] = []
        var tag: String?
        var quote: Unicode.Scalar?
        for scalar in html.unicodeScalars {
            if let open = quote {
                if scalar == open { quote = nil }
            } else if tag == nil {
                if scalar == "<" { tag = "" }
            } else if scalar == "\"" || scalar == "'" {
                quote = scalar
            } else if scalar == ">" {
                tags.append(tag ?? "")
                tag = nil
            } else {
                tag?.unicodeScalars.append(scalar)
            }
        }
        return tags
    }

    @Test("HTML has the same tags and attributes whatever the strings are", arguments: Self.strings)
    func html(text: String) throws {
        let html = String(decoding: try #require(try Self.files(text).contents["report.html"]), as: UTF8.self)
        let plain = String(decoding: try #require(try Self.files("plain").contents["report.html"]), as: UTF8.self)
        // No lone angle bracket or quote may stand outside of what a tag is.
        #expect(Self.skeleton(html) == Self.skeleton(plain))
        #expect(!html.contains("javascript:") || html.contains("[link](javascript:"))
        #expect(!html.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
    }

    @Test("Every row of a Markdown table has as many cells as its head", arguments: Self.strings)
    func markdown(text: String) throws {
        let markdown = String(decoding: try #require(try Self.files(text).contents["report.md"]), as: UTF8.self)
        let plain = String(decoding: try #require(try Self.files("plain").contents["report.md"]), as: UTF8.self)
        // Within a fence nothing is markup, and only a line of three backticks ends it.
        func markup(_ text: String) -> String {
            text.split(separator: "```", omittingEmptySubsequences: false).enumerated()
                .filter { $0.offset.isMultiple(of: 2) }.map(\.element).joined()
        }
        func shape(_ text: String) -> [Int] {
            markup(text).split(separator: "\n", omittingEmptySubsequences: false).map { line in
                guard line.hasPrefix("|") else { return 0 }
                var bars = 0
                var isEscaped = false
                for scalar in line.unicodeScalars {
                    if scalar == "|", !isEscaped { bars += 1 }
                    isEscaped = scalar == "\\" && !isEscaped
                }
                return bars
            }
        }
        #expect(shape(markdown) == shape(plain))
        #expect(!markup(markdown).contains("<script"))
        #expect(!markup(markdown).contains("<img"))
    }

    @Test("JSON gives back the very strings", arguments: Self.strings)
    func json(text: String) throws {
        let content = try #require(try Self.files(text).contents["report.json"])
        let object = try #require(try JSONSerialization.jsonObject(with: Data(content)) as? [String: Any])
        let run = try #require(object["run"] as? [String: Any])
        #expect((run["name"] as? String)?.unicodeScalars.elementsEqual(text.unicodeScalars) == true)
        let job = try #require((object["jobs"] as? [[String: Any]])?.first)
        #expect((job["settings"] as? [String: String])?.first?.value == text)
    }

    @Test("CSV gives back the very sample ids", arguments: Self.strings + ["a,b", "say \"hi\"", " space "])
    func csv(text: String) throws {
        let files = try Self.files(text)
        let input = Self.input(text)
        let names = files.contents.keys.filter { $0.hasSuffix(".csv") }
        #expect(names.count == input.jobs.count)
        #expect(names.allSatisfy { !$0.contains("/") && !$0.hasPrefix(".") })
        let tables = try names.map { try CSVReader.rows(String(decoding: #require(files.contents[$0]), as: UTF8.self)) }
        for job in input.jobs {
            let ids = job.samples.sampleIDs
            #expect(tables.contains { $0.dropFirst().map { $0[0] } == ids })
        }
    }

    @Test("A run id that a shell could misread is refused", arguments: Self.strings)
    func runID(text: String) throws {
        var input = Sample.run
        input.runID = text
        let error = #expect(throws: ReportError.self) {
            try ReportFiles(input, name: ReportName("hostile"), toolVersion: "1")
        }
        #expect(error?.code == .notReportable)
    }
}
