/// Makes strings from outside safe to print on one line.
enum Printable {
    /// `text` without control characters, cut after `limit` characters.
    static func text(_ text: String, limit: Int = .max) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            guard !Self.turnsWriting(scalar) else { continue }
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: result.append(" ")
            // Such as the marks that turn the direction of writing.
            default: result.append(scalar)
            }
        }
        let line = String(result)
        return line.count > limit ? line.prefix(limit) + "…" : line
    }

    /// Whether the character sets the direction of writing, and so could make a line read otherwise than it is.
    private static func turnsWriting(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
