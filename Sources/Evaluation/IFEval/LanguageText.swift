internal import PythonCompat

/// What langdetect keeps of a text.
enum LanguageText {
    /// How many code points are looked at.
    private static let limit = 10_000
    /// How many code points what is cut off can change before it: an address may be there that goes on.
    private static let margin = 4096

    /// langdetect `Detector.append` and `Detector.cleaning_text` for one text.
    static func cleaned(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var length = 1 << 16
        var plain = Self.withoutAddresses(Array(text.prefix(length)))
        while length < text.count, plain.count < Self.limit + Self.margin {
            length *= 4
            plain = Self.withoutAddresses(Array(text.prefix(length)))
        }
        var kept: [Unicode.Scalar] = []
        var before: Unicode.Scalar?
        for scalar in plain.prefix(Self.limit) {
            if scalar != " " || before != " " { kept.append(scalar) }
            before = scalar
        }
        return Self.withoutStrayLatin(kept)
    }

    private static func withoutAddresses(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        LanguageCharacters.all.composed(Self.withoutMail(Self.withoutURLs(text)))
    }

    /// Leaves out Latin letters if there are more than twice as many others.
    private static func withoutStrayLatin(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        let isLatin = { (scalar: Unicode.Scalar) in ("A"..."z").contains(scalar) }
        let latin = text.count(where: isLatin)
        let other = text.count { $0.value >= 0x300 }
        return latin * 2 < other ? text.filter { !isLatin($0) } : text
    }

    /// `re.sub(r"https?://[-_.?&~;+=/#0-9A-Za-z]{1,2076}", " ", text)`.
    private static func withoutURLs(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var rewriter = TextRewriter(text)
        rewriter.substitute({ $0 == "h" }) { rest, _, result in
            guard let scheme = ["http://", "https://"].first(where: { rest.starts(with: $0.unicodeScalars) }) else {
                return nil
            }
            let path = rest.dropFirst(scheme.utf8.count).prefix(2076).prefix(while: Self.isPathCharacter)
            guard !path.isEmpty else { return nil }
            result.append(" ")
            return path.endIndex
        }
        return rewriter.text
    }

    /// `re.sub(r"[-_.0-9A-Za-z]{1,64}@[-_0-9A-Za-z]{1,255}[-_.0-9A-Za-z]{1,255}", " ", text)`.
    private static func withoutMail(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var rewriter = TextRewriter(text)
        rewriter.substitute({ $0 == "@" }) { rest, before, result in
            guard let before, Self.isMailCharacter(before), let end = Self.hostEnd(rest.dropFirst()) else { return nil }
            result.removeLast(Self.nameLength(result))
            result.append(" ")
            return end
        }
        return rewriter.text
    }

    /// How many code points before an @ are its address's; a space stands in the place of another address.
    private static func nameLength(_ text: [Unicode.Scalar]) -> Int {
        text.suffix(64).reversed().prefix(while: Self.isMailCharacter).count
    }

    /// Where the part of a mail address behind the @ ends.
    private static func hostEnd(_ rest: CodePoints) -> Int? {
        let first = rest.prefix(255).prefix { $0 != "." && Self.isMailCharacter($0) }
        let second = rest[first.endIndex...].prefix(255).prefix(while: Self.isMailCharacter)
        // The second part may take its one character from the first.
        guard !first.isEmpty, !second.isEmpty || first.count >= 2 else { return nil }
        return second.endIndex
    }

    private static func isMailCharacter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "-", "_", ".", "0"..."9", "A"..."Z", "a"..."z": true
        default: false
        }
    }

    private static func isPathCharacter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "?", "&", "~", ";", "+", "=", "/", "#": true
        default: Self.isMailCharacter(scalar)
        }
    }
}
