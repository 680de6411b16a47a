import Testing

@testable import Console
@testable import TerminalText

@Suite struct PrintedTextTests {
    /// What could make a terminal do something, or a line read otherwise than it is.
    static let hostile = [
        "\u{1B}[31mred", "\u{1B}]0;title\u{7}", "\u{1B}]52;c;cm0gLXJm\u{1B}\\", "\u{9B}2J", "\u{9D}0;t\u{9C}",
        "\u{90}q\u{9C}",
        "one\ntwo", "\rover", "a\u{8}\u{8}b", "\u{7F}", "\u{0}", "\u{85}next", "\u{202E}txt.exe", "\u{2066}a\u{2069}",
        "\u{200F}", "\u{61C}", "\u{2028}line", "\u{FEFF}", "\u{200B}", "\u{E0041}tag", "tab\tstop", "\u{E}shift",
    ]

    static func expectSafe(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let bad = text.unicodeScalars.filter { scalar in
            switch scalar.value {
            case 0x0A: false
            case 0x00...0x1F, 0x7F...0x9F, 0x061C, 0x200B, 0x200E, 0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF,
                0xE0000...0xE007F:
                true
            default: false
            }
        }
        #expect(bad.isEmpty, "\(bad.map { String($0.value, radix: 16) })", sourceLocation: sourceLocation)
    }

    @Test(arguments: hostile) func whatIsInterpolatedIsEscaped(text: String) {
        let line: PrintedText = "name \(text), \(Optional(text) as Any), \([text])"
        Self.expectSafe(line.description)
        #expect(!line.description.contains("\n") && line.description.hasPrefix("name "))
        Self.expectSafe(PrintedText(text).description)
        let lines = PrintedText(lines: text).description
        Self.expectSafe(lines.replacing("\t", with: ""))
        #expect(lines.contains("\n") == text.contains("\n"))
    }

    @Test func escapesReadAsInJSON() {
        // A literal would be the program's own text.
        let data = "a\u{1B}[0m\u{9B}\n\t\r\u{E0041}"
        #expect(PrintedText(data).description == #"a\u001b[0m\u009b\n\t\r\udb40\udc41"#)
    }

    @Test func ownTextAndStylesAreKept() {
        let color = Terminal(isInteractive: true, width: 80, usesColour: true)
        let data = "\u{1B}[0m"
        let text: PrintedText = "a\n\(color.styled(data, .bold))"
        #expect(text.description == "a\n\u{1B}[1m\\u001b[0m\u{1B}[0m")
    }

    @Test(arguments: ["héllo", "漢字", "👩‍👩‍👧", "हिन्दी", "a\u{200D}b", "❤️"]) func whatIsOnlyTextStays(text: String) {
        #expect(PrintedText(text).description == text)
    }

    @Test func widthsAreThoseOfTerminals() {
        #expect(PrintedText("abc").width == 3 && PrintedText("漢字").width == 4 && PrintedText("e\u{301}").width == 1)
        #expect(PrintedText("👍🏽").width == 2 && PrintedText("❤️").width == 2 && PrintedText("ﾊﾛｰ").width == 3)
        #expect(PrintedText("ＡＢ").width == 4 && PrintedText("±").width == 1)
    }
}
