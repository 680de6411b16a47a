/// Text that is safe on a terminal: nothing in it but what this program wrote itself is a command.
///
/// What stands literally in the source is taken as it is; everything interpolated is escaped, so that no name, path, prompt
/// or error message can move the cursor, change colors, set the clipboard or turn the direction of writing. `Output` takes
/// nothing else, and there is no way around it: `"\(data)"`, `PrintedText(data)` and `PrintedText(lines: data)` escape.
public struct PrintedText: Sendable, Hashable, ExpressibleByStringInterpolation, CustomStringConvertible {
    /// What goes to the terminal.
    public private(set) var description: String

    /// Text of the program's own; use a literal.
    public init(stringLiteral value: String) {
        self.description = value
    }

    public init(stringInterpolation: StringInterpolation) {
        self.description = stringInterpolation.text
    }

    /// Escapes all of `data`, also the ends of its lines.
    public init(_ data: some StringProtocol) {
        self.description = Self.escape(data, keepsLines: false)
    }

    /// Escapes all of `data` but the ends of its lines and tabs.
    public init(lines data: some StringProtocol) {
        self.description = Self.escape(data, keepsLines: true)
    }

    /// How many columns of a terminal it takes; for text of one line without styles.
    public var width: Int { TextWidth.of(self.description) }

    public var isEmpty: Bool { self.description.isEmpty }

    public static func + (left: PrintedText, right: PrintedText) -> PrintedText {
        var joined = left
        joined += right
        return joined
    }

    public static func += (left: inout PrintedText, right: PrintedText) {
        left.description += right.description
    }

    /// The text between the sequences that switch a terminal's style on and off.
    public func styled(on: String, off: String) -> PrintedText {
        var text = self
        text.description = "\u{1B}[\(on)m\(self.description)\u{1B}[\(off)m"
        return text
    }

    /// What fits into so many columns; for text of one line without styles.
    public func prefix(columns: Int) -> PrintedText {
        var (text, left) = (self, columns)
        text.description = String(
            self.description.prefix { character in
                left -= TextWidth.of(character)
                return left >= 0
            })
        return text
    }

    public struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        public init(literalCapacity: Int, interpolationCount: Int) {
            self.text.reserveCapacity(literalCapacity + 16 * interpolationCount)
        }

        public mutating func appendLiteral(_ literal: String) { self.text += literal }

        public mutating func appendInterpolation(_ value: some Any) {
            self.text += PrintedText.escape("\(value)", keepsLines: false)
        }

        /// Keeps the ends of lines and tabs.
        public mutating func appendInterpolation(lines value: some StringProtocol) {
            self.text += PrintedText.escape(value, keepsLines: true)
        }

        public mutating func appendInterpolation(_ value: PrintedText) { self.text += value.description }
    }
}

extension PrintedText {
    /// Escapes as in JSON what a terminal or reader would not show as what it is: "\u001b", "\n".
    private static func escape(_ data: some StringProtocol, keepsLines: Bool) -> String {
        guard data.unicodeScalars.contains(where: \.isUnsafe) else { return String(data) }
        var text = String.UnicodeScalarView()
        for scalar in data.unicodeScalars {
            switch scalar {
            case "\n" where keepsLines, "\t" where keepsLines: text.append(scalar)
            case "\n": text.append(contentsOf: "\\n".unicodeScalars)
            case "\r": text.append(contentsOf: "\\r".unicodeScalars)
            case "\t": text.append(contentsOf: "\\t".unicodeScalars)
            case _ where scalar.isUnsafe: text.append(contentsOf: scalar.jsonEscape.unicodeScalars)
            default: text.append(scalar)
            }
        }
        return String(text)
    }

    /// The same JSON document with nothing in it that is unsafe to print.
    ///
    /// Such characters stand in strings only, where JSON has an escape for each; line ends of its own are kept.
    public static func escapedJSON(_ document: String) -> String {
        guard document.unicodeScalars.contains(where: \.isUnsafe) else { return document }
        var text = String.UnicodeScalarView()
        for scalar in document.unicodeScalars {
            if scalar.isUnsafe, scalar != "\n" {
                text.append(contentsOf: scalar.jsonEscape.unicodeScalars)
            } else {
                text.append(scalar)
            }
        }
        return String(text)
    }
}

extension Unicode.Scalar {
    /// Whether it is no character to see but something that acts on a terminal, on the direction of writing, or unseen.
    ///
    /// Joiners and variation selectors belong to scripts and emoji, and stay.
    fileprivate var isUnsafe: Bool {
        switch self.value {
        case 0x00...0x1F, 0x7F...0x9F: true
        case 0x061C, 0x180E, 0x200B, 0x200E, 0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF, 0xFFF9...0xFFFB: true
        case 0xE0000...0xE007F: true
        default: false
        }
    }

    /// "\u001b"; a pair of surrogates above U+FFFF.
    fileprivate var jsonEscape: String {
        UTF16.encode(self).map { units in
            units.map { unit in
                let digits = String(unit, radix: 16)
                return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }.joined()
        } ?? "\\ufffd"
    }
}

extension Sequence<PrintedText> {
    public func joined(separator: PrintedText = "") -> PrintedText {
        var text: PrintedText = ""
        for (index, part) in self.enumerated() { text += index == 0 ? part : separator + part }
        return text
    }
}

/// How many columns of a terminal a text takes.
enum TextWidth {
    static func of(_ text: String) -> Int { text.reduce(0) { $0 + self.of($1) } }

    static func of(_ character: Character) -> Int {
        // Nearly all that is printed; a table of ten thousand rows waits for this.
        if character.isASCII { return 1 }
        guard let scalar = character.unicodeScalars.first else { return 0 }
        // Marks on their own have no width, and an emoji selector makes two columns of what has one otherwise.
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        let isEmoji = character.unicodeScalars.contains("\u{FE0F}") || scalar.properties.isEmojiPresentation
        return isEmoji || self.isWide(scalar) ? 2 : 1
    }

    /// Whether a character is of the blocks that Unicode's East Asian Width calls wide.
    private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF,
            0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            true
        default: false
        }
    }
}
