internal import PythonCompat

/// What Jinja's filters for HTML do.
enum HTML {
    // MARK: Tags

    /// Without comments and tags, with single spaces, and with characters for entities.
    static func withoutTags(_ text: String) -> String {
        var bytes = Array(text.utf8)
        bytes = Self.removing(bytes, from: "<!--", through: "-->")
        bytes = Self.removing(bytes, from: "<", through: ">")
        return PythonHTML.unescape(PythonText.words(PythonText.string(bytes), most: Int.max).joined(separator: " "))
    }

    private static func removing(_ bytes: [UInt8], from start: String, through end: String) -> [UInt8] {
        let (opening, closing) = (ByteSearch(start), ByteSearch(end))
        var kept: [UInt8] = []
        var position = 0
        while let begin = opening.first(in: bytes, from: position),
            let finish = closing.first(in: bytes, from: begin)
        {
            kept.append(contentsOf: bytes[position..<begin])
            position = finish + closing.part.count
        }
        return kept + bytes[position...]
    }

    /// HTML's characters as entities.
    static func escape(_ text: String) -> String {
        guard text.utf8.contains(where: { [0x26, 0x3C, 0x3E, 0x27, 0x22].contains($0) }) else { return text }
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): bytes.append(contentsOf: "&amp;".utf8)
            case UInt8(ascii: "<"): bytes.append(contentsOf: "&lt;".utf8)
            case UInt8(ascii: ">"): bytes.append(contentsOf: "&gt;".utf8)
            case UInt8(ascii: "'"): bytes.append(contentsOf: "&#39;".utf8)
            case UInt8(ascii: "\""): bytes.append(contentsOf: "&#34;".utf8)
            default: bytes.append(byte)
            }
        }
        return PythonText.string(bytes)
    }

    // MARK: Links

    private static func pattern(_ text: String, _ options: PythonRegex.Options = []) -> PythonRegex? {
        try? PythonRegex(text, options, maxSteps: 1_000_000)
    }

    private static let web = Self.pattern(
        #"^((https?://|www\.)(([\w%-]+\.)+)?([a-z]{2,63}|xn--[\w%]{2,59})|([\w%-]{2,63}\.)+(com|net|int|edu|gov|org"#
            + #"|info|mil)|(https?://)((([\d]{1,3})(\.[\d]{1,3}){3})|(\[([\da-f]{0,4}:){2}([\da-f]{0,4}:?){1,6}])))"#
            + #"(?::[\d]{1,5})?(?:[/?#]\S*)?$"#, .ignoreCase)
    private static let mail = Self.pattern(#"^\S+@\w[\w.-]*\.\w+$"#)
    private static let head = Self.pattern(#"^([(<]|&lt;)+"#)
    private static let tail = Self.pattern(#"([)>.,\n]|&gt;)+$"#)
    private static let space = Self.pattern(#"(\s+)"#)
    private static let scheme = Self.pattern(#"^([\w.+-]{2,}:(/){0,2})$"#)

    private static func matches(_ pattern: PythonRegex?, _ text: String, _ run: Run) throws(JinjaError) -> Int? {
        do throws(PatternError) {
            return try pattern?.match(Array(text.unicodeScalars))?.range.upperBound
        } catch {
            throw run.error(.limit, "a word is too long for urlize")
        }
    }

    /// The filter `urlize`.
    static func urlized(_ value: Value, _ values: [Value?], _ run: Run) throws(JinjaError) -> String {
        var limit: Int?
        if let value = values[0], !value.isNone { limit = try run.index(value) }
        var parts: Set<String> = []
        if let rel = values[3], try run.isTrue(rel) {
            guard let text = rel.text else {
                throw run.error(.attribute, "'\(rel.typeName)' object has no attribute 'split'")
            }
            parts.formUnion(PythonText.words(text, most: Int.max))
        }
        if let nofollow = values[1], try run.isTrue(nofollow) { parts.insert("nofollow") }
        parts.insert("noopener")
        let rel = parts.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.joined(separator: " ")
        var attributes = " rel=\"\(Self.escape(rel))\""
        if let target = values[2], try run.isTrue(target) { attributes += " target=\"\(try run.escaped(target))\"" }
        var schemes: [String] = []
        if let extra = values[4], !extra.isNone {
            for scheme in try run.array(extra) {
                guard let text = scheme.text else { throw run.error(.type, "expected string or bytes-like object") }
                guard try Self.matches(Self.scheme, text, run) != nil else {
                    throw run.error(.runtime, "\(PythonText.repr(text)) is not a valid URI scheme prefix.")
                }
                schemes.append(text)
            }
        }
        let text = try run.escaped(value)
        try run.charge(bytes: 64 * text.utf8.count)
        var result = ""
        do throws(PatternError) {
            for case .some(let word) in try Self.space?.split(text) ?? [] {
                result += try Self.linked(word, limit, attributes, schemes, run)
            }
        } catch {
            throw run.error(.limit, "a text is too long for urlize")
        }
        return result
    }

    private static func linked(
        _ word: String, _ limit: Int?, _ attributes: String, _ schemes: [String], _ run: Run
    ) throws(PatternError) -> String {
        var middle = Array(word.unicodeScalars)
        var (head, tail) = ("", "")
        if let end = try Self.head?.match(middle)?.range.upperBound {
            head = PythonText.string(middle[..<end])
            middle.removeFirst(end)
        }
        let ends = [")", ">", ".", ",", "\n", "&gt;"]
        if ends.contains(where: { PythonText.hasSuffix(PythonText.string(middle), $0) }),
            let start = try Self.tail?.search(middle)?.range.lowerBound
        {
            tail = PythonText.string(middle[start...])
            middle.removeSubrange(start...)
        }
        var text = PythonText.string(middle)
        // Brackets that are opened within are closed within.
        for (open, close) in [("(", ")"), ("<", ">"), ("&lt;", "&gt;")] {
            let count = PythonText.count(text, open)
            guard count > PythonText.count(text, close) else { continue }
            for _ in 0..<min(count, PythonText.count(tail, close)) {
                let parts = PythonText.split(tail, by: close, most: 1)
                guard parts.count == 2 else { break }
                text += parts[0] + close
                tail = parts[1]
            }
        }
        return head + (try Self.link(text, limit, attributes, schemes)) + tail
    }

    private static func link(
        _ text: String, _ limit: Int?, _ attributes: String, _ schemes: [String]
    ) throws(PatternError) -> String {
        let scalars = Array(text.unicodeScalars)
        func trimmed() -> String {
            guard let limit, scalars.count > limit else { return text }
            let end = limit < 0 ? max(0, scalars.count + limit) : limit
            return PythonText.string(scalars[..<end]) + "..."
        }
        if try Self.web?.match(scalars) != nil {
            let hasScheme = PythonText.hasPrefix(text, "https://") || PythonText.hasPrefix(text, "http://")
            return "<a href=\"\(hasScheme ? "" : "https://")\(text)\"\(attributes)>\(trimmed())</a>"
        }
        if PythonText.hasPrefix(text, "mailto:"), try Self.mail?.match(Array(scalars.dropFirst(7))) != nil {
            return "<a href=\"\(text)\">\(PythonText.string(scalars.dropFirst(7)))</a>"
        }
        if scalars.contains("@"), !PythonText.hasPrefix(text, "www."), scalars.first != "@", !scalars.contains(":"),
            try Self.mail?.match(scalars) != nil
        {
            return "<a href=\"mailto:\(text)\">\(text)</a>"
        }
        var result = text
        for scheme in schemes where !isSame(result, scheme) && PythonText.hasPrefix(result, scheme) {
            result = "<a href=\"\(result)\"\(attributes)>\(result)</a>"
        }
        return result
    }
}
