import OrderedCollections
import PythonCompat
import Testing

@testable import Datasets
@testable import Evaluation
@testable import JSON

@Suite struct DataSetTests {
    @Test func rowsAreFoundWithoutTheOthers() throws {
        let text = "{\"a\":1}\n\n  \r\n{\"a\": 2}\r\n{\"a\":3}"
        let dataSet = try DataSet(jsonl: Array(text.utf8))
        #expect(dataSet.rowCount == 3)
        #expect(dataSet.jsonl == Array(text.utf8))
        #expect(try dataSet.document(at: 1) == Document(row: 1, value: .object(["a": .int(2)])))
        #expect(try dataSet.documents(in: 1..<9).map(\.row) == [1, 2])
        #expect(throws: TaskError.self) { try dataSet.document(at: 3) }
        // printf '{"a":1}\n' | sha256sum
        let one = try DataSet(jsonl: Array("{\"a\":1}\n".utf8))
        #expect(one.sha256 == "e346432021b04179518d9614f3560ccd71354a4ee101ddcb893d6959a9d6301c")
    }

    @Test(arguments: [
        ("", "no rows"), ("\n", "no rows"), ("{\"a\":1}\n[1]\n", ":2: a row must be a JSON object"),
        ("{\"a\":1}\n\n{\"a\":}\n", ":3:6: the row is not valid JSON"),
        ("{\"a\":1,\"a\":2}", "the key \"a\" is there twice"),
        ("{\"a\":1} x", "more text"), ("{\"a\":12345678901234567890}", "does not fit in 64 bits"),
        ("{\"a\":nan}", "no JSON value"), ("{\"a\":\"\u{1}\"}", "control character"),
    ])
    func brokenRowsAreNamed(text: String, message: String) {
        let error = #expect(throws: TaskError.self) { try DataSet(jsonl: Array(text.utf8), file: "t.jsonl") }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func invalidUTF8IsRefused() {
        #expect(throws: TaskError.self) { try DataSet(jsonl: Array("{\"a\":\"".utf8) + [0xFF] + Array("\"}".utf8)) }
    }

    @Test(arguments: [
        ("", "empty"), ("\n \r\n", "empty"), ("a,b\n1,2\n\n3,4,5\n", ":4: the row has 3 cells, but the header names 2"),
        ("a\n\"x\n", ":2: this quoted cell"), ("a,b\n", "no rows"),
    ])
    func brokenCSVIsNamed(text: String, message: String) {
        let error = #expect(throws: TaskError.self) { try DataSet.read(text, name: "t.csv") }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func missingFilesAreNamed() {
        let error = #expect(throws: TaskError.self) { try DataSet.load(path: "/nonexistent/t.jsonl") }
        #expect(error?.description == "/nonexistent/t.jsonl: there is no such file")
        #expect(throws: TaskError.self) { try DataSet.load(path: "/") }
    }
}

@Suite struct JSONTests {
    @Test(arguments: [
        "null", "true", "[1,-2,3.5,1e+20,0.1,-0.0,5e-324]", "{\"b\":1,\"a\":{\"x\":[]}}", "\"é\\u0001\\\"\\\\\\n\"",
        "9223372036854775807", "-9223372036854775808", "1.0", "{}",
    ])
    func roundTripsExactly(text: String) throws {
        #expect(try JSONValue.parse(text.utf8).text() == text)
    }

    @Test func keysCanBeSorted() throws {
        #expect(
            try JSONValue.parse("{\"é\":1,\"b\":2,\"B\":3}".utf8).text(sortingKeys: true) == "{\"B\":3,\"b\":2,\"é\":1}"
        )
    }

    @Test func escapesAreRead() throws {
        #expect(try JSONValue.parse("\"\\ud83d\\ude00\\/\\u00e9\"".utf8) == .string("😀/é"))
        #expect(try JSONValue.parse(" [ 1 , 2 ] ".utf8) == .array([.int(1), .int(2)]))
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\"}", "01", "1.", "1e", "-", "+1", ".5", "\"\\ud83d\"", "\"\\x\"", "\"", "tru", "1e999",
        "{a:1}", "[1 2]", "'a'", "\"\\ude00\"",
    ])
    func refusesWhatIsNotJSON(text: String) {
        #expect(throws: JSONError.self) { try JSONValue.parse(text.utf8) }
    }

    @Test func depthIsBounded() throws {
        let nested = { (depth: Int) in String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        _ = try JSONValue.parse(nested(64).utf8)
        #expect(throws: JSONError.self) { try JSONValue.parse(nested(100_000).utf8) }
    }
}

@Suite struct PythonTextTests {
    @Test(arguments: [
        (JSONValue.double(1e16), "1e+16"), (.double(123456789012345680), "1.2345678901234568e+17"),
        (.double(1e15), "1000000000000000.0"),
        (.double(1e-5), "1e-05"), (.double(0.0001), "0.0001"), (.double(-1e22), "-1e+22"),
        (.double(1.5e300), "1.5e+300"),
        (.bool(true), "True"), (.null, "None"),
        (.array([.string("a'b"), .string("\"'"), .int(1)]), #"["a'b", '"\'', 1]"#),
        (.object(["k": .double(2)]), "{'k': 2.0}"), (.string("plain"), "plain"),
    ])
    func strIsPythons(value: JSONValue, expected: String) {
        #expect(PythonText.str(value) == expected)
    }

    @Test(arguments: [("", 1), ("a", 1), ("a b", 2), (" a ", 3), ("a\u{A0}\n b", 2), ("a\u{1F}b", 2)])
    func wordsAreCountedAsReSplitDoes(text: String, count: Int) {
        #expect(PythonText.wordCount(text) == count)
    }

    @Test(arguments: [
        ("['a', \"b'\", 'c' 'd']", JSONValue.array([.string("a"), .string("b'"), .string("cd")])),
        ("(1, -2.5, True, None,)", .array([.int(1), .double(-2.5), .bool(true), .null])),
        ("['\\u00e9\\n\\x41']", .array([.string("é\nA")])), (" 12 ", .int(12)),
    ])
    func literalsAreEvaluated(text: String, value: JSONValue) {
        #expect(JSONValue.pythonLiteral(text) == value)
    }

    @Test(arguments: ["", "[", "['a'", "a", "[a]", "['a' 1]", "1 2", "['a\nb']", "nan", "[1]]"])
    func whatIsNoLiteralIsNone(text: String) {
        #expect(JSONValue.pythonLiteral(text) == nil)
    }
}
