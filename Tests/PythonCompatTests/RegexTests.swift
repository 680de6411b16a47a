import PythonCompat
import Testing

@Suite struct RegexTests {
    @Test(arguments: [
        "(", ")", "[", "*", "a**", "(?P<x>a)(?P<x>b)", "\\1", "(a\\1)", "(?<=a*)b", "[b-a]", "\\q", "a(?i)", "\\",
        "(?P=x)", "x{3,2}", "(?(1)a)", "[\\d-z]", "\\x1", "(?<x>a)", "(?L)a", "(?<=(a)\\1)b", "x{4294967295}", "\\400",
        "(?P<1>a)", "(?i", "(?-i)a", "(?i-i:a)", "(?au)a", "^*", "\\N{no such name}", "\\U00110000", "(?(1)a|b|c)()",
    ])
    func refusesWhatPythonRefuses(pattern: String) {
        #expect(throws: PatternError.self) { try PythonRegex(pattern) }
    }

    @Test func lengthAndDepthAreBounded() {
        #expect(throws: PatternError.self) { try PythonRegex(String(repeating: "(", count: 9000)) }
        #expect(throws: PatternError.self) { try PythonRegex(String(repeating: "a", count: 20_000)) }
        let branches = String(repeating: "(?(1)", count: 500) + String(repeating: ")", count: 500)
        #expect(throws: PatternError.self) { try PythonRegex("()" + branches) }
    }

    @Test(arguments: [
        "(a+)+$", "(a|a)*b", "(a*)*b", "(?:a?){30}a{30}b", "(?=(a+)+b)", "((((a{1000}){1000}){1000}){1000})",
        "(?:(?:(?:){1000}){1000}){1000}(a+)+$", "(?>(a+)+$)b", "(a*?)*?b", "(.+)+\\1b",
    ])
    func runawayMatchingStops(pattern: String) throws {
        let regex = try PythonRegex(pattern, maxSteps: 100_000)
        let text = String(repeating: "a", count: 40) + "!"
        // One that fails early enough need not be stopped.
        do throws(PatternError) {
            #expect(try regex.findAll(text).isEmpty)
        } catch {
            #expect(error.offset == nil)
        }
    }

    @Test func aRunawayMatchIsAnError() throws {
        let regex = try PythonRegex("(a+)+$", maxSteps: 100_000)
        #expect(throws: PatternError.self) { try regex.findAll(String(repeating: "a", count: 40) + "!") }
    }

    @Test func canonicalEquivalentsDiffer() throws {
        #expect(try PythonRegex("é").findAll("e\u{301}").isEmpty)
        #expect(try PythonRegex(".").findAll("e\u{301}").count == 2)
    }

    /// What Python takes as the same letter in another case.
    @Test(arguments: [
        ("(?i)(λόγος|λογος)", "ΛΟΓΟΣ", ["ΛΟΓΟΣ"]), ("(?i)answer: ([a-d])", "An\u{17F}wer: B", ["B"]),
        ("(?i)i", "iIİı", ["i", "I", "İ", "ı"]), ("(?i)[^k]", "kK\u{212A}x", ["x"]),
        ("(?ai)k", "kK\u{212A}", ["k", "K"]),
        // CPython does not fold a letter beyond the BMP in a class.
        ("(?i)[\u{10400}a]", "\u{10400}\u{10428}Aa", ["A", "a"]), ("(?i)\u{10400}", "\u{10428}", ["\u{10428}"]),
        ("(?i)(ß)\\1", "ßẞ", ["ß"]), ("(?i)[\\W_]", "ſ_", ["_"]),
    ])
    func caseIsIgnoredAsInPython(pattern: String, text: String, found: [String]) throws {
        let matches = try PythonRegex(pattern).findAll(text).map { Array($0[0].unicodeScalars) }
        #expect(matches == found.map { Array($0.unicodeScalars) })
    }

    @Test(arguments: [
        (#"(\w+) (\w+)"#, #"\2 \1"#, "ab cd", "cd ab"), ("x*", "-", "abxd", "-a-b--d-"),
        (#"(?P<n>a)"#, #"\g<n>\g<1>\g<0>\n\\"#, "a", "aaa\n\\"), ("(a)|b", #"[\1]"#, "ab", "[a][]"), ("", "-", "", "-"),
    ])
    func templatesAreFilled(pattern: String, template: String, text: String, result: String) throws {
        #expect(try PythonRegex(pattern).sub(template, text) == result)
    }

    @Test(arguments: [#"\2"#, #"\g<x>"#, #"\q"#, "\\", #"\g"#, #"\777"#])
    func badTemplatesAreErrors(template: String) {
        #expect(throws: PatternError.self) { try PythonRegex("(a)").sub(template, "a") }
    }

    @Test func splittingKeepsGroups() throws {
        #expect(try PythonRegex("(,)|;").split("a,b;c") == ["a", ",", "b", nil, "c"])
        #expect(try PythonRegex(",").split("a,b,c", most: 1) == ["a", "b,c"])
    }

    @Test func namesAreKnown() throws {
        #expect(try PythonRegex(#"\N{EM DASH}\N{CJK UNIFIED IDEOGRAPH-4E00}"#).findAll("—一").count == 1)
        #expect(try PythonRegex("(?P<é>a)").number(ofGroup: "é") == 1)
        #expect(try PythonRegex("(?P<é>a)").number(ofGroup: "e\u{301}") == nil)
    }
}
