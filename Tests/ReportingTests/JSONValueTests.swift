import JSON
import OrderedCollections
import Testing

@testable import Reporting

@Suite("JSON")
struct JSONValueTests {
    @Test(
        "Numbers are read as they were written",
        arguments: [
            0.1, 1.0 / 3, Double.leastNonzeroMagnitude, 1.7976931348623157e308, -0.0, 123456789012345680, 1e-7,
            0.30000000000000004,
        ])
    func doubles(number: Double) throws {
        let text = JSONValue.double(number).text(.oneLine)
        #expect(try JSONValue.parsed(text, source: "test").double?.bitPattern == number.bitPattern)
    }

    @Test func text() throws {
        let value = JSONValue.object([
            "b": .array([.int(1), .null, .bool(true)]), "a": .string("x\n\"\\\u{1F}é"),
            "empty": .object([:]), "none": .array([]),
        ])
        #expect(
            value.text(.indented) == """
                {
                  "b": [
                    1,
                    null,
                    true
                  ],
                  "a": "x\\n\\"\\\\\\u001fé",
                  "empty": {},
                  "none": []
                }

                """)
        #expect(
            value.text(.oneLine)
                == "{\"b\": [1, null, true], \"a\": \"x\\n\\\"\\\\\\u001fé\", \"empty\": {}, \"none\": []}")
    }

    @Test("Parsed members stand in the order of their keys")
    func canonical() throws {
        let parsed = try JSONValue.parsed("{\"b\": 1, \"a\": {\"d\": 1.5, \"c\": false}}", source: "test")
        #expect(parsed.text(.oneLine) == "{\"a\": {\"c\": false, \"d\": 1.5}, \"b\": 1}")
        #expect(try JSONValue.parsed(parsed.text(.oneLine), source: "test") == parsed)
    }

    @Test(arguments: ["", "{", "nul", "\"\\u12\"", String(repeating: "[", count: 10_000)])
    func malformed(text: String) {
        let error = #expect(throws: ReportError.self) { try JSONValue.parsed(text, source: "settings of k3f9.1") }
        #expect(error?.code == .malformed)
        #expect(error?.message.hasPrefix("settings of k3f9.1") == true)
    }

    @Test("What is not a number is null")
    func notFinite() {
        #expect(JSONValue.array([.double(.nan), .double(.infinity)]).text(.oneLine) == "[null, null]")
    }
}
