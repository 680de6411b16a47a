import Foundation
import Jinja
import ProcessTesting
import PythonCompat
import Testing

/// `format`, `%` and `str.format` write values as Python does.
@Suite struct FormatTests {
    @Test(arguments: [
        ("'{:.0f}'.format(2.5)", "2"), ("'{:.2f}'.format(0.125)", "0.12"),
        ("'{:010,.1f}'.format(1234.5)", "0,001,234.5"),
        ("'{:,}'.format(1234.5)", "1,234.5"), ("'{:.6}'.format(123456.0)", "1.23456e+05"),
        ("'{:.1%}'.format(0.5)", "50.0%"), ("'{:z.1f}'.format(-0.04)", "0.0"), ("'{:08,}'.format(1234)", "0,001,234"),
        ("'{:#x}'.format(255)", "0xff"), ("'{:=+5}'.format(-5)", "-   5"), ("'{:5}'.format(true)", "    1"),
        ("'{:é^5}'.format('ab')", "éabéé"), ("'{:.2}'.format('abc')", "ab"), ("'{}'.format(none)", "None"),
        ("'{}'.format(1e16)", "1e+16"), ("'{:f}'.format(1e22)", "10000000000000000000000.000000"),
        ("'{:.3e}'.format(5e-324)", "4.941e-324"), ("'{:.1f}'.format(1)", "1.0"), ("'{:05}'.format(1e999)", "00inf"),
        ("'{} {} {{}}'.format(1, 'é')", "1 é {}"), ("'{0[1]:>{1}} {x!r}'.format([1, 2], 4, x='a')", "   2 'a'"),
        ("'%5.2f|%-5d|%s' % (1.005, 3, ['a'])", " 1.00|3    |['a']"),
        ("'%(a)s %(b)05.1f%%' % {'a': none, 'b': 2.0}", "None 002.0%"), ("'%x %#o %+d' % (255, 8, 1)", "ff 0o10 +1"),
        ("'%r' % \"a'b\"", "\"a'b\""), ("'%%' % ()", "%"), ("'%*d' % (4, 7)", "   7"),
        ("'%d' % 1e22", "10000000000000000000000"), ("'%c%c' % (8364, 'x')", "€x"),
    ])
    func formatsAreThoseOfPython(expression: String, text: String) throws {
        #expect(try Template("{{ \(expression) }}").render { _ in nil }.utf8.elementsEqual(text.utf8))
    }

    @Test(arguments: [
        ("'{:d}'.format('a')", JinjaError.Code.value), ("'{:+}'.format('a')", .value), ("'{:.2}'.format(1)", .value),
        ("'{:5}'.format(none)", .type), ("'{:x}'.format(1.0)", .value), ("'{:,_}'.format(1)", .value),
        ("'{:5}'.format([])", .type), ("'{:5q}'.format(1)", .value), ("'{:.}'.format(1.0)", .value),
        ("'{:9999999999}'.format(1)", .limit), ("'{0} {}'.format(1, 2)", .value), ("'%d' % 'a'", .type),
        ("'%s %s' % (1,)", .type), ("'%s' % (1, 2)", .type), ("'%(a)s' % {}", .lookup), ("'%' % 1", .value),
        ("'%q' % 1", .value), ("'%d' % (1e999 - 1e999)", .value), ("'a' % 1", .type),
    ])
    func whatPythonRefusesIsRefused(expression: String, code: JinjaError.Code) throws {
        let error = #expect(throws: JinjaError.self) { try Template("{{ \(expression) }}").render { _ in nil } }
        #expect(error?.code == code)
    }

    /// 20,000 values with random specifications, asked of a live Python.
    @Test(
        .enabled("no Python of the tables' version; infra/test makes one") {
            await Python.confirms("'%d.%d' % sys.version_info[:2] == '\(PythonText.version.python)'")
        })
    func randomFormatsAreThoseOfPython() async throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "PythonCompatTests/Fixtures/live.py").path
        let cases = try await Python.table(script, ["formats", "\(Python.seed)", "20000"])
        #expect(cases.count == 20_000)
        let format = try Template("{{ ('{:' ~ spec ~ '}').format(value) }}")
        let percent = try Template("{{ template % (value,) }}")
        let fields = try Template("{{ template.format(value, text, x=value, y=5) }}")
        var wrong: [String] = []
        for row in cases {
            let value = Self.value(row[0])
            func check(_ kind: String, _ template: Template, _ expected: String, _ variables: [String: Value]) {
                let found = (try? template.render { variables[$0] }).map { "=" + $0 } ?? "!"
                if !found.utf8.elementsEqual(expected.utf8) {
                    wrong.append("\(row): \(kind): \(found.debugDescription)")
                }
            }
            check("format", format, row[2], ["value": value, "spec": .string(row[1])])
            check("%", percent, row[4], ["value": value, "template": .string(row[3])])
            check("str.format", fields, row[7], ["value": value, "template": .string(row[5]), "text": .string(row[6])])
        }
        #expect(wrong.isEmpty, "seed \(Python.seed), \(wrong.count): \(wrong.prefix(9).joined(separator: "\n"))")
    }

    private static func value(_ code: String) -> Value {
        let rest = String(code.unicodeScalars.dropFirst())
        switch code.unicodeScalars.first {
        case "f": return .float(Double(bitPattern: UInt64(rest, radix: 16) ?? 0))
        case "i": return .int(Int(rest) ?? 0)
        case "s": return .string(rest)
        case "b": return .bool(rest == "1")
        default: return .null
        }
    }
}
