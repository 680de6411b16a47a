import JSON
import Testing

@testable import LMEval

/// Filters choose among the matches of a pattern as lm-eval's do.
@Suite struct RegexFilterTests {
    @Test(arguments: [
        ("I say 12 or $3.50.", "$3.50.", false), ("none", "[invalid]", true), ("a 5", "5", false),
        ("7 of 8", "8", false),
    ])
    func flexibleExtractTakesTheLast(text: String, expected: String, fellBack: Bool) throws {
        let pipelines = try CompiledPipeline.compiled([
            FilterPipeline(
                name: "f",
                filters: [
                    .regex(pattern: "(-?[$0-9.,]{2,})|(-?[0-9]+)", group: -1, fallback: "[invalid]"), .takeFirst,
                ])
        ])
        #expect(try pipelines[0].apply([text], .null) == [.init(text: expected, fellBack: fellBack)])
    }

    @Test func selectedMatchThatIsMissingFallsBack() throws {
        let pipelines = try CompiledPipeline.compiled([
            FilterPipeline(name: "f", filters: [.regex(pattern: "a", group: 3, fallback: "?"), .removeWhitespace])
        ])
        #expect(try pipelines[0].apply(["aaa"], .null) == [.init(text: "?", fellBack: true)])
        #expect(try pipelines[0].apply(["aaaa"], .null) == [.init(text: "a", fellBack: false)])
    }
}
