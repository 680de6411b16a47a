/// Makes strings from outside safe to print on one line.
enum Printable {
    /// `text` without control characters, cut after `limit` characters.
    static func text(_ text: String, limit: Int = .max) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: result.append(" ")
            // Such as the marks that turn the direction of writing.
            case .format, .surrogate: result.append("\u{FFFD}")
            default: result.append(scalar)
            }
        }
        let line = String(result)
        return line.count > limit ? line.prefix(limit) + "…" : line
    }
}
