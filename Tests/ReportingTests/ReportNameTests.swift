import Reporting
import Testing

@Suite("Report names")
struct ReportNameTests {
    @Test(arguments: ["demo", "k3f9", "nightly-2.1_b", "7", String(repeating: "x", count: 100)])
    func accepted(text: String) throws {
        #expect(try ReportName(text).value == text)
    }

    @Test(arguments: [
        "", ".", "..", "../x", "a/b", "/etc", ".hidden", "-x", "a b", "a\n", "é", "a\0", "ａ", "a\u{301}",
        String(repeating: "x", count: 101),
    ])
    func refused(text: String) {
        let error = #expect(throws: ReportError.self) { try ReportName(text) }
        #expect(error?.code == .invalidName)
    }
}
