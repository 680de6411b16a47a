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
