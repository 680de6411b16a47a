import Foundation
import Jinja
import OrderedCollections
import ProcessTesting
import PythonCompat
import Testing

@testable import Datasets
@testable import Evaluation
@testable import JSON
@testable import LMEval

/// A folder with files, removed afterwards.
func withFiles<Result>(_ files: [String: [UInt8]], _ body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.path + "/assay-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for (name, content) in files { try Data(content).write(to: URL(filePath: folder + "/" + name)) }
    return try body(folder + "/")
}

extension DataSet {
    /// All rows as Python prints them.
    var printed: String {
        get throws {
            let rows = try self.documents(in: 0..<self.rowCount)
            return "[" + rows.map { PythonText.str($0.value) }.joined(separator: ", ") + "]"
        }
    }

    static func read(
        _ bytes: [UInt8], name: String = "t.jsonl", _ reading: DataReading = DataReading()
    ) throws -> DataSet {
        try withFiles([name: bytes]) { try DataSet.load(path: $0 + name, reading: reading) }
    }

    static func read(
        _ text: String, name: String = "t.jsonl", _ reading: DataReading = DataReading()
    ) throws -> DataSet {
        try self.read(Array(text.utf8), name: name, reading)
    }
}

/// What datasets 5.2 with pyarrow 26 and pandas 3.1 makes of files, found by running them.
@Suite struct DataTypingTests {
    @Test(
        arguments: [
            // Dates.
            (#"{"a":"1969-07-20"}"#, "[{'a': datetime.datetime(1969, 7, 20, 0, 0)}]"),
            (#"{"a":"1969-07-20T10"}"#, "[{'a': datetime.datetime(1969, 7, 20, 10, 0)}]"),
            (#"{"a":"1969-07-20 10:11:12"}"#, "[{'a': datetime.datetime(1969, 7, 20, 10, 11, 12)}]"),
            (#"{"a":"1969-07-20T10:00Z"}"#, "[{'a': datetime.datetime(1969, 7, 20, 10, 0)}]"),
            (#"{"a":"1969-07-20T10:00:00+01:00"}"#, "[{'a': datetime.datetime(1969, 7, 20, 9, 0)}]"),
            (#"{"a":"1970-01-01 00:30:00-0130"}"#, "[{'a': datetime.datetime(1970, 1, 1, 2, 0)}]"),
            (#"{"a":"0001-01-01"}"#, "[{'a': datetime.datetime(1, 1, 1, 0, 0)}]"),
            (#"{"a":"1969-07-20T10:00:00.5"}"#, "[{'a': '1969-07-20T10:00:00.5'}]"),
            (#"{"a":"1969-07-20 24:00:00"}"#, "[{'a': '1969-07-20 24:00:00'}]"),
            (#"{"a":"1969-02-30"}"#, "[{'a': '1969-02-30'}]"), (#"{"a":" 1969-07-20"}"#, "[{'a': ' 1969-07-20'}]"),
            (#"{"a":"1969/07/20"}"#, "[{'a': '1969/07/20'}]"), (#"{"a":""}"#, "[{'a': ''}]"),
            ("{\"a\":\"1969-07-20\"}\n{\"a\":\"x\"}", "[{'a': '1969-07-20'}, {'a': 'x'}]"),
            ("{\"a\":\"1969-07-20\"}\n{\"a\":null}", "[{'a': datetime.datetime(1969, 7, 20, 0, 0)}, {'a': None}]"),
            (#"{"a":[["1969-07-20"]]}"#, "[{'a': [[datetime.datetime(1969, 7, 20, 0, 0)]]}]"),
            (
                "{\"a\":{\"d\":\"1969-07-20\"}}\n{\"a\":{\"d\":null}}",
                "[{'a': {'d': datetime.datetime(1969, 7, 20, 0, 0)}}, {'a': {'d': None}}]"
            ),
            // Numbers.
            ("{\"a\":1}\n{\"a\":2.5}", "[{'a': 1.0}, {'a': 2.5}]"),
            ("{\"a\":[1]}\n{\"a\":[2.5,null]}", "[{'a': [1.0]}, {'a': [2.5, None]}]"),
            ("{\"a\":12345678901234567890}\n{\"a\":1}", "[{'a': 1.2345678901234567e+19}, {'a': 1.0}]"),
            ("{\"a\":NaN}\n{\"a\":-Infinity}\n{\"a\":1}", "[{'a': nan}, {'a': -inf}, {'a': 1.0}]"),
            // Missing columns and members.
            (
                "{\"a\":\"x\"}\n{\"b\":\"y\"}\n{}",
                "[{'a': 'x', 'b': None}, {'a': None, 'b': 'y'}, {'a': None, 'b': None}]"
            ),
            ("{\"b\":1,\"a\":2}\n{\"a\":3,\"b\":4}", "[{'b': 1, 'a': 2}, {'b': 4, 'a': 3}]"),
            (
                "{\"a\":{\"x\":1,\"y\":2}}\n{\"a\":{\"y\":3,\"x\":4}}",
                "[{'a': {'x': 1, 'y': 2}}, {'a': {'x': 4, 'y': 3}}]"
            ),
            // Mappings of different keys, and values of several kinds, are kept as JSON.
            ("{\"a\":{\"x\":1}}\n{\"a\":{\"y\":\"2020-01-01\"}}", "[{'a': {'x': 1}}, {'a': {'y': '2020-01-01'}}]"),
            ("{\"a\":{\"x\":1}}\n\n{\"a\":{\"y\":2}}", "[{'a': {'x': 1, 'y': None}}, {'a': {'x': None, 'y': 2}}]"),
            ("{\"a\":1}\n{\"a\":\"x\"}\n{\"a\":true}\n{\"a\":[1]}", "[{'a': 1}, {'a': 'x'}, {'a': True}, {'a': [1]}]"),
            (
                "{\"a\":\"5\"}\n{\"a\":7}\n{\"a\":\"null\"}\n{\"a\":\"[2]\"}\n{\"a\":\"1 2\"}",
                "[{'a': 5}, {'a': 7}, {'a': None}, {'a': [2]}, {'a': '1 2'}]"
            ),
            ("{\"a\":[1,\"x\"],\"f\":0.123456789012345}", "[{'a': [1, 'x'], 'f': 0.123456789}]"),
            // Where Arrow 26 loses missing values, rows are read by ujson, which finds no dates and is inexact.
            (
                #"{"a":[null,"x"],"d":"1969-07-20","n":0.3}"#,
                "[{'a': [None, 'x'], 'd': '1969-07-20', 'n': 0.30000000000000004}]"
            ),
            (#"{"a":["x",null],"d":"1969-07-20"}"#, "[{'a': ['x', None], 'd': datetime.datetime(1969, 7, 20, 0, 0)}]"),
            // Forms.
            (
                #"[{"a":0.1234567890123456,"a":2},{"b":"1969-07-20"}]"#,
                "[{'a': 2, 'b': None}, {'a': None, 'b': datetime.datetime(1969, 7, 20, 0, 0)}]"
            ),
            (#"["x","y"]"#, "[{'text': 'x'}, {'text': 'y'}]"),
            (#"{"a":1} {"a":2}{"a":3}"#, "[{'a': 1}, {'a': 2}, {'a': 3}]"),
            ("{\"a\":1}\r{\"a\":2}\r", "[{'a': 1}, {'a': 2}]"), ("{\"a\":1}\nnull\n", "[{'a': 1}, {'a': None}]"),
            ("\u{FEFF}{\"\":1,\"a b\":2}\r\n", "[{'': 1, 'a b': 2}]"), ("{\n\"a\":\n1}\n", "[{'a': 1}]"),
        ] as [(String, String)])
    func jsonIsTypedAsByDatasets(text: String, expected: String) throws {
        #expect(try DataSet.read(text).printed == expected)
    }

    @Test(
        arguments: [
            // Words that are no values; quotes make no difference.
            ("a,z\nnull,k\nNA,k\nNone,k\n\"n/a\",k\n<NA>,k\nx,k", "a", "[None, None, None, None, None, 'x']"),
            ("a,z\nna,k\nnone,k\n\" NA\",k", "a", "['na', 'none', ' NA']"),
            // Numbers: leading zeros, integers among doubles, missing ones.
            ("a\n007\n+3\n 4", "a", "[7, 3, 4]"), ("a,b\n1,k\n,k", "a", "[1.0, None]"),
            ("a\n1\n2.50", "a", "[1.0, 2.5]"),
            ("a\n1\nx", "a", "['1', 'x']"), ("a\n1e3\n.5\n5.", "a", "[1000.0, 0.5, 5.0]"),
            ("a\n1e400\n-1e00400", "a", "[inf, -inf]"),
            ("a\n1e\n.", "a", "['1e', '.']"),
            ("a\n0.30000000000000004\n5e-324\n 5.e-1 ", "a", "[0.30000000000000004, 5e-324, 0.5]"),
            ("a\n0.1234567890123456789", "a", "[0.12345678901234568]"),
            ("a\n123456789.123456789", "a", "[123456789.12345679]"),
            ("a\ninf\n-Infinity", "a", "[inf, -inf]"), ("a\n1_000\n0x10", "a", "['1_000', '0x10']"),
            ("a\n\"1,000\"", "a", "['1,000']"),
            ("a\n18446744073709551616\n1.5", "a", "['18446744073709551616', '1.5']"),
            ("a\n1.5\n18446744073709551616", "a", "[1.5, 1.8446744073709552e+19]"),
            ("a\n-9223372036854775809", "a", "['-9223372036854775809']"),
            ("a,b\n9223372036854775808,1\nNA,1", "a", "['9223372036854775808', 'NA']"),
            // Booleans, also with missing ones; dates stay texts.
            ("a,b\ntrue,1\nFALSE,1\n,1", "a", "[True, False, None]"), ("a\ntrue\n1", "a", "['true', '1']"),
            ("a\n1969-07-20", "a", "['1969-07-20']"), ("a,b\n,1\nNA,1", "a", "[None, None]"),
            // Names, quotes, line ends.
            (",b\n1,2", "Unnamed: 0", "[1]"), ("a,a,a.1\n1,2,3", "a.2", "[2]"), ("a,a\n1,2", "a.1", "[2]"),
            ("a,b\n1", "b", "[None]"), ("a\n\"x\"y\nx\"y\"\n\"x\"\"y\"", "a", "['xy', 'x\"y\"', 'x\"y']"),
            ("a,b\r1,2\r3,4\r", "b", "[2, 4]"), ("a,b\n\n1,\"l\nm\"\n \t\n", "b", "['l\\nm']"),
            ("\u{FEFF}\"a\",b\r\n1,2\r\n", "a", "[1]"), ("a, b\n1, x", " b", "[' x']"),
        ] as [(String, String, String)])
    func csvIsTypedAsByPandas(text: String, column: String, expected: String) throws {
        let set = try DataSet.read(text, name: "t.csv")
        let values = try set.documents(in: 0..<set.rowCount).map { $0.value[column] ?? .string("no such column") }
        #expect(PythonText.str(.array(values)) == expected)
    }

    @Test func theFirstSplitDecides() throws {
        func rows(_ train: String, _ test: String, _ format: String = "json") throws -> String {
            try withFiles(["train.x": Array(train.utf8), "test.x": Array(test.utf8)]) { folder throws in
                let yaml = """
                    task: t
                    dataset_path: \(format)
                    dataset_kwargs: {data_files: {train: train.x, test: test.x}}
                    test_split: test
                    doc_to_text: x
                    doc_to_target: x
                    """
                let configuration = try TaskConfiguration(yaml: yaml, file: folder + "t.yaml")
                return try TaskData(configuration, searchFolders: []).evaluated.printed
            }
        }
        #expect(try rows("{\"a\":1}", "{\"a\":2.0}") == "[{'a': 2}]")
        #expect(try rows("{\"a\":1.5}", "{\"a\":2}") == "[{'a': 2.0}]")
        #expect(try rows("{\"a\":\"x\"}", "{\"a\":5.0}") == "[{'a': '5'}]")
        #expect(try rows("{\"a\":\"x\"}", "{\"a\":\"2020-01-01\"}") == "[{'a': '2020-01-01 00:00:00'}]")
        #expect(try rows("{\"a\":1}\n{\"a\":\"x\"}", "{\"a\":\"5\"}") == "[{'a': 5}]")
        #expect(
            try rows("{\"a\":1,\"b\":{\"x\":1,\"y\":2}}", "{\"b\":{\"x\":1}}")
                == "[{'a': None, 'b': {'x': 1, 'y': None}}]")
        #expect(try rows("a\nx\n", "a\n1.50\n007\n", "csv") == "[{'a': '1.5'}, {'a': '7'}]")
        #expect(try rows("a,b\nx,1\n", "b,a\n1,y\n", "csv") == "[{'a': 'y', 'b': 1}]")
        for (train, test, what) in [
            ("{\"a\":1}", "{\"a\":2.5}", "2.5 does not fit"), ("{\"a\":\"2020-01-01\"}", "{\"a\":\"x\"}", "of dates"),
            ("{\"a\":1}", "{\"a\":1,\"b\":2}", "the column b is not in the first rows"),
            ("{\"a\":null}", "{\"a\":1}", "of nothing"), ("{\"a\":{\"x\":1}}", "{\"a\":{\"z\":1}}", "of mappings"),
        ] {
            let error = #expect(throws: TaskError.self) { try rows(train, test) }
            #expect(error?.message.contains(what) == true, "\(error?.message ?? "")")
            #expect(error?.message.contains("typing: verbatim") == true && error?.line == 1)
        }
    }

    @Test func theFirstRowsDecideOfLargeFiles() throws {
        let csv = "a\n" + String(repeating: "x\n", count: 10_000) + "007\n"
        #expect(try DataSet.read(csv, name: "t.csv").document(at: 10_000).value["a"] == .string("7"))
        let integers = "a\n" + String(repeating: "1\n", count: 10_000) + "x\n"
        let error = #expect(throws: TaskError.self) { try DataSet.read(integers, name: "t.csv") }
        #expect(error?.line == 10_002)
        let padding = String(repeating: "p", count: 1 << 20)
        let json =
            String(repeating: "{\"p\":\"\(padding)\",\"a\":\"x\"}\n", count: 10)
            + "{\"a\":\"2020-01-01\"}\n{\"a\":null}\n"
        let rows = try DataSet.read(json)
        // Rows of a batch that are all like dates become dates, and then texts again.
        #expect(try rows.document(at: 10).value == .object(["p": .null, "a": .string("2020-01-01 00:00:00")]))
    }

    @Test func filesOfASplitAreOneAfterTheOther() throws {
        try withFiles(["b.jsonl": Array("{\"a\":1}".utf8), "a.jsonl": Array("{\"a\":2}\n".utf8)]) { folder throws in
            for files in ["[a.jsonl, b.jsonl]", "\"*.jsonl\"", "{train: [a.jsonl, b.jsonl]}"] {
                let yaml = """
                    task: t
                    dataset_path: json
                    dataset_kwargs: {data_files: \(files)}
                    test_split: train
                    doc_to_text: "{{a}}"
                    doc_to_target: x
                    """
                let configuration = try TaskConfiguration(yaml: yaml, file: folder + "t.yaml")
                #expect(try TaskData(configuration, searchFolders: []).evaluated.printed == "[{'a': 2}, {'a': 1}]")
            }
        }
    }

    @Test func notesSayWhatTypingChanged() throws {
        let set = try DataSet.read("{\"d\":\"1969-07-20\",\"n\":1}\n{\"n\":2.5}\n")
        #expect(set.notes.count == 3)
        #expect(set.notes[0].hasPrefix("column d: row 0 has \"1969-07-20\", which is read as 1969-07-20 00:00:00"))
        #expect(set.notes[1].hasPrefix("column n: row 0 has \"1\", which is read as 1.0"))
        #expect(set.notes[2].contains("typing: verbatim"))
        #expect(
            try DataSet.read("a\nx\nNA\n", name: "t.csv").notes[0].hasPrefix(
                "column a: row 1 has \"NA\", which is read as None"))
        #expect(try DataSet.read("{\"a\":1}\n{\"a\":2}\n").notes == [])
        #expect(try DataSet.read("a,b\n1,x\n2,true\n", name: "t.csv").notes == [])
    }

    @Test func verbatimKeepsWhatTheFileSays() throws {
        let verbatim = DataReading(typing: .verbatim)
        let json = "{\"d\":\"1969-07-20\",\"n\":1}\r\n\r\n{\"n\":2.5,\"x\":\"NA\"}"
        let set = try DataSet.read(json, verbatim)
        #expect(set.jsonl == Array(json.utf8) && set.notes == [])
        #expect(try set.printed == "[{'d': '1969-07-20', 'n': 1}, {'n': 2.5, 'x': 'NA'}]")
        let csv = "a,b,c,d,e,f\n007,1,1.50,NA,True,1.5\n1,-2,2,,False,2.5\n"
        #expect(
            try DataSet.read(csv, name: "t.csv", verbatim).printed
                == "[{'a': '007', 'b': 1, 'c': '1.50', 'd': 'NA', 'e': True, 'f': 1.5}, "
                + "{'a': '1', 'b': -2, 'c': '2', 'd': '', 'e': False, 'f': 2.5}]")
        let error = #expect(throws: TaskError.self) { try DataSet.read("{\"a\":12345678901234567890}", verbatim) }
        #expect(error?.message.contains("does not fit in 64 bits") == true)
    }

    /// What is stored is read again as what it was made of, also where rows are like what dates are stored as.
    @Test func storedRowsAreReadAsTheyWere() throws {
        for text in [
            "{\"a\":\"1969-07-20\",\"b\":[\"1969-07-20T01:02:03\"]}", "{\"a\":NaN,\"b\":-Infinity,\"c\":1e22}",
            "{\"a\":{\"$datetime\":\"1969-07-20 00:00:00\"}}", "{\"$datetime\":\"x\"}",
            "{\"a\":[{\"$$datetime\":{\"$datetime\":1}}]}",
        ] {
            for reading in [DataReading(), DataReading(typing: .verbatim)] {
                let set = try DataSet.read(text, reading)
                let again = try DataSet(jsonl: set.jsonl)
                #expect(try again.printed == set.printed)
                #expect(again.sha256 == set.sha256)
                if text.contains("$"), reading.typing == .verbatim {
                    #expect(try again.printed.contains("datetime.datetime") == false)
                }
            }
        }
        #expect(
            try DataSet.read("{\"a\":\"1969-07-20\"}").jsonl
                == Array("{\"a\":{\"$datetime\":\"1969-07-20 00:00:00\"}}\n".utf8))
        // A file of which nothing changes is kept byte for byte.
        let plain = " {\"a\": 1}\n\n{\"a\":2}"
        #expect(try DataSet.read(plain).jsonl == Array(plain.utf8))
        for text in ["{\"a\":1}\r{\"a\":2}", "{\"a\":1}{\"a\":2}", "\u{FEFF}{\"a\":1}\n{\"a\":2}\n"] {
            let jsonl = try DataSet.read(text).jsonl
            #expect(jsonl.split(separator: UInt8(ascii: "\n")).count == 2)
        }
    }

    @Test func datesPrintAsInPython() throws {
        let utc = PythonDate.Time(hour: 0, minute: 0, second: 0, offset: 0)
        let west = PythonDate.Time(hour: 21, minute: 59, second: 43, microsecond: 100_000, offset: -18_000)
        for (date, text, repr) in [
            (PythonDate(year: 7, month: 1, day: 2), "0007-01-02", "datetime.date(7, 1, 2)"),
            (
                PythonDate(year: 2024, month: 2, day: 29, time: utc), "2024-02-29 00:00:00+00:00",
                "datetime.datetime(2024, 2, 29, 0, 0, tzinfo=datetime.timezone.utc)"
            ),
            (
                PythonDate(year: 2001, month: 12, day: 14, time: west), "2001-12-14 21:59:43.100000-05:00",
                "datetime.datetime(2001, 12, 14, 21, 59, 43, 100000, "
                    + "tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=68400)))"
            ),
        ] {
            #expect(date?.text == text && date?.repr == repr)
            #expect(PythonDate(text: text) == date)
        }
        #expect(PythonDate(year: 2023, month: 2, day: 29) == nil && PythonDate(text: "1969-07-20 0:00:00") == nil)
        for seconds in [-62_135_596_800, -1, 0, 951_782_400, 253_402_300_799] {
            #expect(PythonDate(secondsSince1970: seconds)?.secondsSince1970 == seconds)
        }
        #expect(PythonDate(secondsSince1970: 253_402_300_800) == nil)
    }

    /// Attributes, methods, comparisons and formats; ASSAY_LOADER_SEED chooses other dates.
    @Test(
        .enabled("no Python with jinja2; infra/test makes one") {
            await Python.confirms("True", importing: "jinja2")
        })
    func datesInTemplatesAreThoseOfPython() async throws {
        let seed = ProcessInfo.processInfo.environment["ASSAY_LOADER_SEED"] ?? "20261129"
        let script = URL(filePath: #filePath).deletingLastPathComponent().path + "/Fixtures/dates/dates.py"
        let cases = try JSONDecoder().decode(
            [[String?]].self, from: Data(try await Python.run(script, [seed, "5000"])))
        #expect(cases.count == 5000)
        var wrong: [String] = []
        for fields in cases {
            guard let d = fields[0].flatMap(PythonDate.init(text:)), let e = fields[1].flatMap(PythonDate.init(text:)),
                let template = fields[2]
            else {
                wrong.append("\(fields)")
                continue
            }
            let values = ["d": Value(JSONValue.date(d)), "e": Value(JSONValue.date(e))]
            let found = Result { try Template(template).render { values[$0] } }
            if (try? found.get()) != fields[3] { wrong.append("\(fields): \(found)") }
        }
        #expect(wrong.isEmpty, "seed \(seed), \(wrong.count): \(wrong.prefix(9).joined(separator: "\n"))")
    }

    @Test func promptsAndHashesSeeTheTypedValues() throws {
        let task = try Answering.task("description: \"\"\ndoc_to_text: \"On {{d}}\"\ndoc_to_target: d\n")
        let rows = try DataSet.read("{\"d\":\"1969-07-20\"}\n{\"d\":null}\n")
        let sample = try task.prepare(try rows.document(at: 0))
        #expect(sample.prompt.hasPrefix("On 1969-07-20 00:00:00"))
        #expect(sample.references == ["1969-07-20 00:00:00"])
        // A missing target prints as in Python.
        #expect(try task.prepare(try rows.document(at: 1)).references == ["None"])
        let base = ConfigurationTests.generating
        let plain = try EvaluationTask(try TaskConfiguration(yaml: base, file: "t.yaml")).taskHash
        func made(_ typing: String) throws -> EvaluationTask {
            let yaml = base.replacing("t.jsonl}", with: "t.jsonl}, typing: \(typing)")
            return try EvaluationTask(try TaskConfiguration(yaml: yaml, file: "t.yaml"))
        }
        #expect(try made("datasets").taskHash == plain)
        let verbatim = try made("verbatim")
        #expect(verbatim.taskHash != plain)
        #expect(try EvaluationTask(canonicalJSON: verbatim.canonicalJSON).taskHash == verbatim.taskHash)
        #expect(throws: TaskError.self) { try made("verbose") }
    }

    @Test(
        arguments: [
            ("{\"id\":\"x\"}\n{\"id\":7}\n{\"b\":1}", ["x", "7", "2"], false),
            ("{\"id\":1.5}\n{\"id\":2}", ["1.5", "2.0"], false),
            ("{\"id\":null}\n{\"id\":null}", ["0", "1"], false),
            ("{\"id\":true}\n{\"id\":false}", ["True", "False"], false),
            ("{\"id\":\"x\"}\n{\"id\":\"x\"}", ["0", "1"], true), ("{\"id\":[1]}\n{\"id\":[2]}", ["0", "1"], true),
            ("{\"id\":\"\"}\n{\"id\":\"y\"}", ["0", "1"], true), ("{\"id\":\"1\"}\n{\"id\":null}", ["0", "1"], true),
            (
                "{\"id\":\"2020-01-01\"}\n{\"id\":\"2021-01-01\"}", ["2020-01-01 00:00:00", "2021-01-01 00:00:00"],
                false
            ),
        ] as [(String, [String], Bool)])
    func samplesAreCalledByTheirIDsOrRows(text: String, ids: [String], isNoted: Bool) throws {
        let set = try DataSet.read(text)
        #expect(try set.documents(in: 0..<9).map(\.sampleID) == ids)
        #expect(set.notes.contains { $0.contains("row numbers") } == isNoted)
    }
}

@Suite struct DataFileTests {
    private static let rows = "{\"q\":\"é\"}\n"
    /// What `gzip -9n` makes of them.
    private static let packed: [UInt8] = [
        0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xAB, 0x56, 0x2A, 0x54, 0xB2, 0x52, 0x3A, 0xBC,
        0x52, 0xA9, 0x96, 0x0B, 0x00, 0x85, 0xE3, 0x8B, 0x38, 0x0B, 0x00, 0x00, 0x00,
    ]

    private static func utf16(_ text: String, _ isLittle: Bool) -> [UInt8] {
        ([0xFEFF] + Array(text.utf16)).flatMap { unit in
            isLittle ? [UInt8(unit & 0xFF), UInt8(unit >> 8)] : [UInt8(unit >> 8), UInt8(unit & 0xFF)]
        }
    }

    @Test func textsAreReadWhateverTheyAreWrittenIn() throws {
        let expected = "[{'q': 'é'}]"
        for bytes in [
            Array(Self.rows.utf8), [0xEF, 0xBB, 0xBF] + Array(Self.rows.utf8), Self.utf16(Self.rows, true),
            Self.utf16(Self.rows, false), Self.packed,
        ] as [[UInt8]] {
            #expect(try DataSet.read(bytes).printed == expected)
        }
        #expect(try DataSet.read(Self.packed + Self.packed, name: "t.jsonl.gz").printed == "[{'q': 'é'}, {'q': 'é'}]")
        for (text, name) in [("q\té\n1\t2\n", "t.tsv"), ("q,é\n1,2\n", "t.csv")] {
            #expect(try DataSet.read(Self.utf16(text, true), name: name).printed == "[{'q': 1, 'é': 2}]")
        }
        let yaml = "dataset_path: csv\ndataset_kwargs: {data_files: t.csv, sep: \"\\t\", keep_default_na: false}\n"
        try withFiles(["t.csv": Array("q\ta\nNA\t1\n".utf8)]) { folder throws in
            let task = try TaskConfiguration(
                yaml: "task: t\n\(yaml)test_split: train\ndoc_to_text: q\ndoc_to_target: a\n", file: folder + "t.yaml")
            #expect(try TaskData(task, searchFolders: []).evaluated.printed == "[{'q': 'NA', 'a': 1}]")
        }
    }

    @Test func theFieldOfAnObjectHasTheRows() throws {
        var reading = DataReading(format: .json)
        reading.field = "data"
        #expect(try DataSet.read("{\"v\":1,\"data\":[{\"q\":\"x\"}],\"b\":[{}]}", reading).printed == "[{'q': 'x'}]")
        for (text, what) in [
            ("{\"a\":[]}", "no field \"data\"; its keys are \"a\""), ("[1]", "no object"), ("{\"data\":{}}", "no list"),
        ] {
            let error = #expect(throws: TaskError.self) { try DataSet.read(text, reading) }
            #expect(error?.message.contains(what) == true, "\(error?.message ?? "")")
        }
        // Without the key one list is found, and lm-eval's way told.
        let found = try DataSet.read("{\"v\":1,\"data\":[{\"q\":\"x\"}]}", name: "t.json")
        #expect(try found.printed == "[{'q': 'x'}]")
        #expect(found.notes == ["the rows are those of the field data; lm-eval needs field: data in dataset_kwargs"])
    }

    @Test(
        arguments: [
            (Array("PAR1".utf8), "Parquet"), ([0x50, 0x4B, 0x03, 0x04], "zip"), (Array("BZh9".utf8), "bzip2"),
            ([0x28, 0xB5, 0x2F, 0xFD], "zstd"), (Array("<!DOCTYPE html>".utf8), "web page"),
            (Array("version https://git-lfs.github.com".utf8), "Git LFS"), ([0x7B, 0x0A, 0xE9, 0x7D], "Latin-1"),
            ([0xFF, 0xFE, 0x00, 0x00, 0x7B, 0, 0, 0], "UTF-32"),
            ([0x7B, 0x00, 0x7D, 0x00, 0x0A, 0x00], "without a byte order mark"),
            ([0xFF, 0xFE, 0x7B], "ends within"), ([0xFF, 0xFE, 0x00, 0xD8], "surrogate"),
            ([0x1F, 0x8B, 0x08, 0x00], "its end is missing"),
            ([0x1F, 0x8B, 0x09, 0x00, 1, 2, 3, 4, 5, 6, 7, 8], "damaged"),
        ] as [([UInt8], String)])
    func whatIsNoTextIsNamed(bytes: [UInt8], what: String) {
        let error = #expect(throws: TaskError.self) { try DataSet.read(bytes) }
        #expect(error?.description.contains(what) == true, "\(error?.description ?? "")")
        #expect(error?.file.hasSuffix("t.jsonl") == true)
    }

    @Test func packedFilesAreBounded() throws {
        // A thousand zeros.
        let bomb: [UInt8] = [
            0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x33, 0x30, 0x18, 0x05, 0xA3, 0x60, 0x14, 0x0C,
            0x77, 0x00, 0x00, 0x83, 0x99, 0x5F, 0xA8, 0xE8, 0x03, 0x00, 0x00,
        ]
        try withFiles(["t.gz": bomb]) { folder throws in
            #expect(try DataFile.text(folder + "t.gz", limit: 1000).count == 1000)
            let error = #expect(throws: TaskError.self) { try DataFile.text(folder + "t.gz", limit: 999) }
            #expect(error?.code == .limitExceeded)
        }
    }

    @Test func tabsWithoutTheirNameAreTold() {
        let error = #expect(throws: TaskError.self) { try DataSet.read("a\tb\n1\t2\n", name: "t.csv") }
        #expect(error?.message.contains("sep: \"\\t\"") == true)
    }
}
