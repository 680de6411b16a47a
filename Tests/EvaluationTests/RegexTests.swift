import PythonCompat
import Testing

@testable import Evaluation

@Suite struct RegexTests {
    @Test(arguments: [
        "(", ")", "[", "*", "a**", "(?P<x>a)(?P<x>b)", "\\1", "(a\\1)", "(?<=a*)b", "[b-a]", "\\q", "a(?i)", "\\",
        "(?P=x)",
        "x{3,2}", "a{9999}", "(?(1)a)", "a++", "[\\d-z]", "(?>a)", "\\x1",
    ])
    func refusesWhatItCannotParse(pattern: String) {
        #expect(throws: PatternError.self) { try PythonRegex(pattern) }
    }

    @Test func nestingAndSizeAreBounded() {
        #expect(throws: PatternError.self) { try PythonRegex(String(repeating: "(", count: 9000)) }
        #expect(throws: PatternError.self) { try PythonRegex("((((a{1000}){1000}){1000}){1000})") }
        #expect(throws: PatternError.self) { try PythonRegex(String(repeating: "a", count: 20_000)) }
    }

    @Test(arguments: ["(a+)+$", "(a|a)*b", "(a*)*b", "(?:a?){30}a{30}b", "(?=(a+)+b)"])
    func runawayMatchingStops(pattern: String) throws {
        let regex = try PythonRegex(pattern, maxSteps: 100_000)
        let text = String(repeating: "a", count: 40) + "!"
        #expect(throws: PatternError.self) { try regex.findAll(text) }
    }

    @Test func canonicalEquivalentsDiffer() throws {
        #expect(try PythonRegex("é").findAll("e\u{301}").isEmpty)
        #expect(try PythonRegex(".").findAll("e\u{301}").count == 2)
    }

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
