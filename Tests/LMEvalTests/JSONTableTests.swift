import JSON
import Testing

@testable import Datasets
@testable import Evaluation

@Suite struct JSONTableTests {
    private static func jsonl(_ text: String) throws(TaskError) -> String {
        var rows = ""
        let table = try JSONTable(Array(text.utf8), file: "t.json", findsList: true)
        try table.forEachRow(large: false) { row throws(TaskError) in rows += row.value.text() + "\n" }
        return rows
    }

    @Test func listsOfObjectsBecomeLines() throws {
        let rows = "{\"b\":1,\"a\":\"x]\\\"}\"}\n{\"c\":[{}],\"é\":-0.5}\n"
        let list = " [ {\"b\": 1,\n \"a\": \"x]\\\"}\"} ,\r\n{ \"c\": [ {} ], \"\\u00e9\": -5e-1 } ]\n"
        #expect(try Self.jsonl(list) == rows)
        #expect(try Self.jsonl("{\"version\": \"1\", \"n\": [1, 2], \"m\": {\"x\": [{}]}, \"data\":\(list)}") == rows)
        #expect(try Self.jsonl("[]") == "")
        // The last value of a key counts, as in lists alone.
        #expect(try Self.jsonl("[{\"a\":1,\"a\":2}]") == "{\"a\":2}\n")
    }

    @Test func jsonLinesAreKnownWhateverTheirName() throws {
        for text in [
            "{\"a\":1}\n{\"a\":2}", "\n{\"a\":1}\n\n{\"a\":2}", "{\"a\":1}{\"a\":2}", "{\"a\":\n1}\n{\"a\":2}\n",
        ] {
            #expect(try Self.jsonl(text) == "{\"a\":1}\n{\"a\":2}\n")
        }
    }

    @Test(arguments: [
        ("", ":1:1: the file is empty"), ("  \n", "empty"),
        ("3", ":1:1: the file must be objects, one a line, or a list"),
        ("\"x\"", "or a list of objects"), ("[{}\n,1]", ":2:2: the row is an integer"),
        ("[{} {}]", ":1:5: a comma or ] is expected here"), ("[{}", ":1:4: a comma or ]"),
        ("[{},]", "a value is expected here"), ("[{\"a\":1}] x", ":1:11: there is more text"),
        ("[{\"a\":1,\n\"b\":01}]", ":2:5: the row is not valid JSON: a number can't start with 0"),
        ("[{\"a\":[1}", ":1:2: this { is not closed"), ("[{\"a\":[1}]]", "a comma or ]"),
        ("[{\"a\":\"x}]", ":1:7: this string is not closed"),
        ("[{\"a\":1]]", "not valid JSON"), ("[{\"a\":\"\\", "not closed"), ("[{\"a\":nan}]", "no JSON value"),
        ("{\"b\":1}\n{\"a\":1,\"a\":1}", ":2:8: the row is not valid JSON: the key \"a\" is there twice"),
        ("{}", "the object has no list of objects"), ("{\"a\":[1],\"b\":2}", "its keys are \"a\", \"b\""),
        ("{\"a\":[{}],\"b\":[{}]}", "several lists of objects, \"a\", \"b\""), ("{\"a\":[{}]", "a comma or }"),
        ("{a:[{}]}", "a key in double quotes"), ("{\"a\" [{}]}", "a colon is expected here"),
        ("{\"a\":[{}]}[", "this [ is not closed"), ("{\"a\":[{}, 1]}", ":1:11: the row is an integer"),
    ])
    func brokenListsAreNamed(text: String, message: String) {
        let error = #expect(throws: TaskError.self) { try Self.jsonl(text) }
        #expect(error?.description.hasPrefix("t.json:") == true)
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func hostileFilesAreRefused() throws {
        let deep = String(repeating: "[", count: 1_000_000)
        for text in [deep, "[{\"a\":" + deep, "[{\"a\":\(deep)\(deep.replacing("[", with: "]"))}]"] {
            #expect(throws: TaskError.self) { try Self.jsonl(text) }
        }
        let huge = "[{\"a\":\"" + String(repeating: "x", count: DataSet.Limit.rowBytes) + "\"}]"
        let error = #expect(throws: TaskError.self) { try Self.jsonl(huge) }
        #expect(error?.code == .limitExceeded)
        #expect(error?.line == 1)
    }

    @Test func columnsAreThoseOfAllRows() throws {
        let dataSet = try DataSet(jsonl: Array("{\"b\":1,\"a\":2}\n{\"a\":1,\"c\":null}\n".utf8))
        #expect(try dataSet.columns() == ["b", "a", "c"])
        let many = (0...DataSet.Limit.columns).map { "{\"\($0)\":1}\n" }.joined()
        let error = #expect(throws: TaskError.self) { try DataSet(jsonl: Array(many.utf8)).columns() }
        #expect(error?.code == .limitExceeded)
    }
}
