import Testing

@testable import Postgres

private func decode<Value: PostgresDecodable>(_ text: String, _ type: UInt32, as: Value.Type = Value.self) -> Value? {
    Value(postgresText: Array(text.utf8).span, type: type)
}

@Suite struct NumberTests {
    @Test func integersKeepTheirRange() {
        #expect(decode("32767", PostgresType.int2, as: Int16.self) == .max)
        #expect(decode("-32768", PostgresType.int8, as: Int16.self) == .min)
        #expect(decode("32768", PostgresType.int8, as: Int16.self) == nil)
        #expect(decode("-9223372036854775808", PostgresType.int8, as: Int64.self) == .min)
        #expect(decode("9223372036854775808", PostgresType.numeric, as: Int64.self) == nil)
        #expect(decode("12", PostgresType.numeric, as: Int.self) == 12)
    }

    @Test(arguments: ["", "-", "+1", "1.0", "1e3", " 1", "1 ", "0x10", "١"])
    func otherTextIsNoInteger(text: String) {
        #expect(decode(text, PostgresType.int8, as: Int.self) == nil)
    }

    @Test func otherTypesAreNoIntegers() {
        #expect(decode("1", 25, as: Int.self) == nil)
        #expect(decode("1.5", PostgresType.float8, as: Int.self) == nil)
        #expect(decode("t", 25, as: Bool.self) == nil)
        #expect(decode("2024-01-01", 25, as: PostgresTimestamp.self) == nil)
    }

    @Test func integersReadBack() {
        for _ in 0..<1000 {
            let value = Int64.random(in: .min ... .max)
            #expect(decode(String(decoding: value.postgresParameter.bytes, as: UTF8.self), PostgresType.int8) == value)
        }
    }

    @Test func floatingPointReadsBack() {
        for value in [0.1, -0.0, .infinity, -.infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1.0 / 3] {
            let text = String(decoding: value.postgresParameter.bytes, as: UTF8.self)
            #expect(decode(text, PostgresType.float8, as: Double.self)?.bitPattern == value.bitPattern)
        }
        #expect(decode("NaN", PostgresType.float8, as: Double.self)?.isNaN == true)
        #expect(decode("1e400x", PostgresType.float8, as: Double.self) == nil)
    }
}

@Suite struct ArrayTextTests {
    @Test func stringsReadBack() {
        let pieces = ["", "a", "\"", "\\", ",", "{", "}", " ", "NULL", "ä", "\n", "\t", "🙂"]
        for _ in 0..<1000 {
            let array = (0..<Int.random(in: 0...5)).map { _ in
                (0..<Int.random(in: 0...4)).map { _ in pieces.randomElement() ?? "" }.joined()
            }
            let text = array.postgresParameter.bytes
            #expect([String](postgresText: text.span, type: 1009) == array)
        }
    }

    @Test func bytesReadBack() {
        let array: [[UInt8]] = [[], [0, 255], Array("\\x\"".utf8)]
        #expect([[UInt8]](postgresText: array.postgresParameter.bytes.span, type: 1001) == array)
    }

    @Test(arguments: ["{1,2,3}", "{\"1\",2,\"3\"}"])
    func serverForms(text: String) {
        #expect(decode(text, 1016, as: [Int].self) == [1, 2, 3])
    }

    @Test(arguments: [
        "", "{", "}", "{1", "1,2", "{1,}", "{,1}", "{{1},{2}}", "[2:3]={1,2}", "{\"a}", "{a\\", "{NULL}", "{1}{2}",
        "{\"a\"b}",
    ])
    func otherTextIsNoArray(text: String) {
        #expect(decode(text, 1016, as: [Int].self) == nil)
        #expect(decode(text, 1009, as: [Int].self) == nil)
    }

    @Test func nullStringsDifferFromTheWord() {
        #expect(ArrayText.split(Array("{NULL,\"NULL\"}".utf8).span) == [nil, Array("NULL".utf8)])
    }
}

@Suite struct HexTests {
    @Test func readsBack() {
        let bytes = (0..<256).map { UInt8($0) }
        var text = Array("\\x".utf8)
        Hex.encode(bytes, into: &text)
        #expect(Hex.decode(text.span) == bytes)
        #expect(Hex.decode(Array("\\xAbCd".utf8).span) == [0xAB, 0xCD])
    }

    @Test(arguments: ["", "x", "\\x0", "\\xgg", "0011", "\\X00"])
    func otherTextIsNoBytea(text: String) {
        #expect(Hex.decode(Array(text.utf8).span) == nil)
    }
}

@Suite struct CopyTextTests {
    @Test func escapes() throws {
        var text = CopyText()
        try text.append(["a\tb\nc\rd\\e", nil, "\\N", "", [1, 255] as [UInt8], 7, true], statement: "s")
        #expect(
            String(decoding: text.take(), as: UTF8.self)
                == "a\\tb\\nc\\rd\\\\e\t\\N\t\\\\N\t\t\\\\x01ff\t7\tt\n")
        #expect(text.take().isEmpty)
    }

    @Test func refusesNulAndKeepsTheRowsBefore() throws {
        var text = CopyText()
        try text.append(["ok"], statement: "s")
        let error = #expect(throws: PostgresError.self) { try text.append(["fine", "a\0b"], statement: "s") }
        #expect(error?.code == .usage)
        #expect(String(decoding: text.take(), as: UTF8.self) == "ok\n")
    }
}
