import PythonCompat
import Testing

/// Answers are those of CPython to questions that nobody has thought of.
@Suite(
    .enabled("ASSAY_PYTHON is not the version that the tables were made with") {
        try await LivePython.isComparable(to: PythonText.version.python)
    }
)
struct LiveTests {
    private func ask(
        _ kind: String, _ count: Int, _ check: ([String]) throws -> String?
    ) async throws {
        let seed = LivePython.seed
        let cases = try await LivePython.cases(kind, seed: seed, count: count)
        #expect(cases.count >= count)
        var faults = 0
        for fields in cases {
            guard let found = try check(fields) else { continue }
            faults += 1
            if faults <= 40 { Issue.record("\(fields): \(found) (\(kind), seed \(seed))") }
        }
        #expect(faults == 0)
    }

    private static func spans(_ match: PythonRegex.Match, _ regex: PythonRegex) -> String {
        (0...regex.groupCount).map { group in
            match.range(of: group).map { "\($0.lowerBound).\($0.upperBound)" } ?? "-"
        }.joined(separator: " ")
    }

    private static func attempt(_ call: () throws -> String) -> String { (try? "=" + call()) ?? "!" }

    @Test func patterns() async throws {
        try await self.ask("patterns", 20_000) { fields in
            guard let regex = try? PythonRegex(fields[0], maxSteps: 2_000_000) else {
                return fields[2] == "!" ? nil : "the pattern is refused"
            }
            if fields[2] == "!" { return "the pattern is taken" }
            let text = Array(fields[1].unicodeScalars)
            let found = try regex.matches(in: text).map { Self.spans($0, regex) }.joined(separator: ";")
            if found != fields[2] { return "finditer: \(found)" }
            let first = try regex.match(text).map { Self.spans($0, regex) } ?? ""
            if first != fields[3] { return "match: \(first)" }
            let whole = try regex.fullMatch(text).map { Self.spans($0, regex) } ?? ""
            if whole != fields[4] { return "fullmatch: \(whole)" }
            let replaced = Self.attempt { try regex.sub(fields[5], fields[1]) }
            if !replaced.utf8.elementsEqual(fields[6].utf8) { return "sub: \(replaced)" }
            let split = Self.attempt {
                PythonText.repr(.list(try regex.split(fields[1]).map { $0.map(PythonValue.string) ?? .none }))
            }
            return split.utf8.elementsEqual(fields[7].utf8) ? nil : "split: \(split)"
        }
    }
}
