import JobQueue
import Testing

@Suite struct DataSetNameTests {
    @Test(arguments: ["gsm8k", "allenai/ai2_arc", "a/b/c", "_x.y-z", String(repeating: "x", count: 200)])
    func namesOfTheHubAreNames(name: String) throws {
        #expect(try DataSetName(name).description == name)
        #expect(try DataSetName(name, config: "20220301.en").description == "\(name) (20220301.en)")
    }

    @Test(arguments: [
        "", "/", "a/", "/etc/passwd", "../x", "a/../b", "./a", "a//b", "-x", "a b", "a\\b", "é", "a\u{0}", "a\nb",
        "$(x)", String(repeating: "x", count: 201),
    ])
    func whatCouldBeAPathOrACommandIsNone(name: String) {
        let error = #expect(throws: QueueError.self) { try DataSetName(name) }
        #expect(error?.code == .invalid)
        #expect(error?.message.utf8.allSatisfy { $0 >= 0x20 } == true)
    }

    @Test(arguments: ["", "a/b", "a\\b", "é", "a\u{1B}[2J", "a\u{0}", "\u{7F}", String(repeating: "x", count: 201)])
    func configurationsArePrintable(config: String) {
        let error = #expect(throws: QueueError.self) { try DataSetName("x", config: config) }
        #expect(error?.code == .invalid)
        #expect(error?.message.utf8.allSatisfy { $0 >= 0x20 } == true)
    }
}
