import PythonCompat
import Testing

@Suite struct FormatTests {
    @Test(arguments: [
        (PythonValue.float(2.5), ".0f", "2"), (.float(0.125), ".2f", "0.12"),
        (.float(1234.5), "010,.1f", "0,001,234.5"),
        (.float(1234.5), ",", "1,234.5"), (.float(123456), ".6", "1.23456e+05"), (.float(0.5), ".1%", "50.0%"),
        (.float(-0.04), "z.1f", "0.0"),
        (.int(1234), "08,", "0,001,234"), (.int(255), "#x", "0xff"), (.int(-5), "=+5", "-   5"),
        (.bool(true), "5", "    1"),
        (.string("ab"), "é^5", "éabéé"), (.string("abc"), ".2", "ab"), (.none, "", "None"), (.float(1e16), "", "1e+16"),
        (.float(1e22), "f", "10000000000000000000000.000000"), (.float(.leastNonzeroMagnitude), ".3e", "4.941e-324"),
        (.int(1), ".1f", "1.0"),
        (.float(.infinity), "05", "00inf"),
    ])
    func formatIsPythons(value: PythonValue, spec: String, text: String) throws {
        #expect(try PythonFormat.format(value, spec).utf8.elementsEqual(text.utf8))
    }

    @Test(arguments: [
        (PythonValue.string("a"), "d"), (.string("a"), "+"), (.int(1), ".2"), (.none, "5"), (.float(1), "x"),
        (.int(1), ",_"), (.list([]), "5"),
        (.int(1), "5q"), (.int(1), "9999999999"), (.float(1), "."),
    ])
    func badSpecificationsAreErrors(value: PythonValue, spec: String) {
        #expect(throws: PythonError.self) { try PythonFormat.format(value, spec) }
    }

    @Test(arguments: [
        ("%5.2f|%-5d|%s", PythonValue.tuple([.float(1.005), .int(3), .list([.string("a")])]), " 1.00|3    |['a']"),
        ("%(a)s %(b)05.1f%%", .dictionary([(.string("a"), .none), (.string("b"), .float(2))]), "None 002.0%"),
        ("%x %#o %+d", .tuple([.int(255), .int(8), .int(1)]), "ff 0o10 +1"), ("%r", .string("a'b"), #""a'b""#),
        ("%%", .tuple([]), "%"),
        ("%*d", .tuple([.int(4), .int(7)]), "   7"), ("%d", .float(1e22), "10000000000000000000000"),
        ("%c%c", .tuple([.int(8364), .string("x")]), "€x"),
    ])
    func percentIsPythons(template: String, value: PythonValue, text: String) throws {
        #expect(try PythonFormat.percent(template, value) == text)
    }

    @Test(arguments: [
        ("%d", PythonValue.string("a"), PythonError.Kind.type), ("%s %s", .tuple([.int(1)]), .type),
        ("%s", .tuple([.int(1), .int(2)]), .type),
        ("%(a)s", .dictionary([]), .key), ("%", .int(1), .value), ("%q", .int(1), .value), ("%d", .float(.nan), .value),
        ("a", .int(1), .type),
    ])
    func badTemplatesAreErrors(template: String, value: PythonValue, kind: PythonError.Kind) {
        let error = #expect(throws: PythonError.self) { try PythonFormat.percent(template, value) }
        #expect(error?.kind == kind)
    }

    @Test func fieldsAreFilled() throws {
        let list = PythonValue.list([.int(1), .int(2)])
        #expect(try PythonFormat.format("{} {} {{}}", [.int(1), .string("é")]) == "1 é {}")
        #expect(try PythonFormat.format("{0[1]:>{1}} {x!r}", [list, .int(4)], [("x", .string("a"))]) == "   2 'a'")
        #expect(throws: PythonError.self) { try PythonFormat.format("{0} {}", [.int(1), .int(2)]) }
        #expect(throws: PythonError.self) { try PythonFormat.format("{0.real}", [.int(1)]) }
    }

    @Test(arguments: [
        (2.675, 2, 2.67), (0.5, 0, 0.0), (1.5, 0, 2.0), (2.5, 0, 2.0), (1e300, -300, 1e300), (12345.0, -2, 12300.0),
        (0.1, 400, 0.1),
    ])
    func roundingIsOfTheExactValue(number: Double, digits: Int, rounded: Double) {
        #expect(PythonNumber.round(number, digits: digits) == rounded)
    }

    @Test func integersAreRoundedToEven() {
        #expect(PythonNumber.round(25, digits: -1) == 20 && PythonNumber.round(-35, digits: -1) == -40)
        #expect(PythonNumber.round(Int.max, digits: -19) == nil && PythonNumber.round(Int.max, digits: -20) == 0)
        #expect(PythonNumber.round(2.5) == 2 && PythonNumber.round(1e300) == nil)
    }
}
