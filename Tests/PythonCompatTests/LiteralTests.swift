import PythonCompat
import Testing

@Suite struct LiteralTests {
    @Test(arguments: [
        ("['a', \"b'\", 'c' 'd']", #"['a', "b'", 'cd']"#), ("(1, -2.5, True, None,)", "(1, -2.5, True, None)"),
        ("['\\u00e9\\n\\x41']", "['é\\nA']"), (" 12 ", "12"),
        ("{'a': {1, 1.0, True}, 'a': b'\\xff'}", "{'a': b'\\xff'}"),
        ("1, 2", "(1, 2)"), ("-9223372036854775808", "-9223372036854775808"), ("1_000", "1000"),
        ("r'\\n' u'x'", "'\\\\nx'"),
        ("'''a\nb'''", "'a\\nb'"), ("3 - 4j", "(3-4j)"), ("set()", "set()"), ("# c\n[1, # d\n2]", "[1, 2]"),
        (#"'\N{BULLET}\N{greek small letter final sigma}'"#, "'•ς'"),
    ])
    func literalsAreEvaluated(text: String, repr: String) throws {
        #expect(PythonText.repr(try PythonLiteral.parse(text)).utf8.elementsEqual(repr.utf8))
    }

    @Test(arguments: [
        ("", PythonError.Kind.syntax), ("[", .syntax), ("['a'", .syntax), ("a", .value), ("[a]", .value),
        ("['a' 1]", .syntax),
        ("1 2", .syntax), ("['a\nb']", .syntax), ("nan", .value), ("[1]]", .syntax), ("[1 2 3]", .syntax),
        ("{'a': 1 'b': 2}", .syntax), ("{[]}", .type), ("--1", .value), ("f'a'", .value), ("'a' b'b'", .syntax),
        ("007", .syntax),
        ("99999999999999999999", .unsupported), (#"'\ud800'"#, .unsupported), ("...", .unsupported), ("1+2", .value),
    ])
    func whatIsNoLiteralIsAnError(text: String, kind: PythonError.Kind) {
        let error = #expect(throws: PythonError.self) { try PythonLiteral.parse(text) }
        #expect(error?.kind == kind)
        #expect(PythonLiteral.evaluate(text) == nil)
    }

    @Test func nestingIsBounded() {
        let nested = { (depth: Int) in String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        #expect(PythonLiteral.evaluate(nested(200)) != nil)
        #expect(PythonLiteral.evaluate(nested(201)) == nil)
        #expect(PythonLiteral.evaluate(nested(1_000_000)) == nil)
    }

    /// Characters that look like nothing, or change what stands beside them, are escaped.
    @Test(arguments: [
        ("\u{200F}שלום", #"'\u200fשלום'"#), ("全角\u{3000}空白", #"'全角\u3000空白'"#),
        ("zero\u{200B}width", #"'zero\u200bwidth'"#),
        ("👩\u{200D}👧", #"'👩\u200d👧'"#), ("🇩🇪", "'🇩🇪'"), ("\u{F8FF}", #"'\uf8ff'"#), ("a\u{2028}b", #"'a\u2028b'"#),
        ("\u{FEFF}bom", #"'\ufeffbom'"#), ("soft\u{AD}hyphen", #"'soft\xadhyphen'"#), ("it's", #""it's""#),
        ("\u{E0001}", #"'\U000e0001'"#),
        ("'\"", #"'\'"'"#), ("\0\t\u{7F}", #"'\x00\t\x7f'"#), ("e\u{301}", "'e\u{301}'"),
    ])
    func printedListsEscapeWhatIsNotPrintable(text: String, repr: String) {
        #expect(PythonText.repr(.list([.string(text)])).utf8.elementsEqual("[\(repr)]".utf8))
    }

    @Test(arguments: [
        (9.0693e15, "9069300000000000.0"), (1e16, "1e+16"), (1e15, "1000000000000000.0"), (1e-5, "1e-05"),
        (0.0001, "0.0001"),
        (-1e22, "-1e+22"), (1.5e300, "1.5e+300"), (-0.0, "-0.0"), (.leastNonzeroMagnitude, "5e-324"),
        (0x1p-44, "5.684341886080802e-14"),
        (.infinity, "inf"), (-.infinity, "-inf"), (.nan, "nan"),
    ])
    func floatsAreWrittenAsInPython(number: Double, text: String) {
        #expect(PythonText.repr(number) == text)
    }
}
