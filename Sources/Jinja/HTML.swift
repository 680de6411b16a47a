internal import PythonCompat

/// What Jinja's filters for HTML do.
enum HTML {
    // MARK: Tags and entities

    /// Without comments and tags, with single spaces, and with characters for entities.
    static func withoutTags(_ text: String) -> String {
        var bytes = Array(text.utf8)
        bytes = Self.removing(bytes, from: "<!--", through: "-->")
        bytes = Self.removing(bytes, from: "<", through: ">")
        return Self.unescaped(Text.words(Text.string(bytes), most: Int.max).joined(separator: " "))
    }

    private static func removing(_ bytes: [UInt8], from start: String, through end: String) -> [UInt8] {
        let (opening, closing) = (Text.Search(start), Text.Search(end))
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

    private static let entities: [String: String] = {
        var entities: [String: String] = [:]
        for entry in HTMLEntities.table.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
            guard let mark = entry.firstIndex(where: { $0 == ";" || $0 == "," }) else { continue }
            let name = String(entry[..<mark])
            let scalars = entry[entry.index(after: mark)...].split(separator: "+").compactMap {
                UInt32($0, radix: 16).flatMap(Unicode.Scalar.init)
            }
            let text = Text.string(scalars)
            entities[name + ";"] = text
            if entry[mark] == "," { entities[name] = text }
        }
        return entities
    }()

    /// Python's `html.unescape`.
    static func unescaped(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "&")) else { return text }
        let scalars = Array(text.unicodeScalars)
        var result = String.UnicodeScalarView()
        var position = 0
        while position < scalars.count {
            guard scalars[position] == "&", let (end, replacement) = Self.entity(scalars, position + 1) else {
                result.append(scalars[position])
                position += 1
                continue
            }
            result.append(contentsOf: replacement.unicodeScalars)
            position = end
        }
        return String(result)
    }

    /// The entity whose name starts here, and where it ends.
    private static func entity(_ scalars: [Unicode.Scalar], _ start: Int) -> (end: Int, text: String)? {
        func at(_ index: Int) -> Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }
        if at(start) == "#" {
            let isHex = at(start + 1) == "x" || at(start + 1) == "X"
            let first = start + (isHex ? 2 : 1)
            var end = first
            var number = 0
            while let digit = at(end)?.hexDigit, digit < (isHex ? 16 : 10) {
                number = min(number * (isHex ? 16 : 10) + digit, 0x110000)
                end += 1
            }
            if end > first { return (at(end) == ";" ? end + 1 : end, Self.character(number)) }
        }
        var end = start
        let stops: Set<Unicode.Scalar> = ["\t", "\n", "\u{C}", " ", "<", "&", "#", ";"]
        while let scalar = at(end), end - start < 32, !stops.contains(scalar) { end += 1 }
        guard end > start else { return nil }
        if at(end) == ";" { end += 1 }
        let name = Text.string(scalars[start..<end])
        if let text = Self.entities[name] { return (end, text) }
        // The longest beginning that is a name.
        var length = end - start - 1
        while length > 1 {
            if let text = Self.entities[Text.string(scalars[start..<start + length])] {
                return (end, text + Text.string(scalars[(start + length)..<end]))
            }
            length -= 1
        }
        return (end, "&" + name)
    }

    /// What Windows-1252 has from 0x80 to 0x9F, which browsers take such numbers for.
    private static let windows: [UInt32] = [
        0x20AC, 0x81, 0x201A, 0x192, 0x201E, 0x2026, 0x2020, 0x2021, 0x2C6, 0x2030, 0x160, 0x2039, 0x152, 0x8D, 0x17D,
        0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x2DC, 0x2122, 0x161, 0x203A, 0x153, 0x9D,
        0x17E, 0x178,
    ]

    private static func character(_ number: Int) -> String {
        switch number {
        case 0, 0xD800...0xDFFF, 0x110000...: return "\u{FFFD}"
        case 0x0D: return "\r"
        case 0x80...0x9F: return Text.string([Unicode.Scalar(Self.windows[number - 0x80]) ?? " "])
        case 0x1...0x8, 0xE...0x1F, 0x7F, 0xB, 0xFDD0...0xFDEF: return ""
        default:
            if number & 0xFFFE == 0xFFFE { return "" }
            return Text.string([Unicode.Scalar(UInt32(number)) ?? " "])
        }
    }

    // MARK: URLs

    /// Python's `urllib.parse.quote`, or `quote_plus` without safe slashes for queries.
    static func quoted(_ text: String, isQuery: Bool) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            case UInt8(ascii: "/") where !isQuery: bytes.append(byte)
            case UInt8(ascii: " ") where isQuery: bytes.append(UInt8(ascii: "+"))
            default:
                let digits = Array("0123456789ABCDEF".utf8)
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return Text.string(bytes)
    }

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
            parts.formUnion(Text.words(text, most: Int.max))
        }
        if let nofollow = values[1], try run.isTrue(nofollow) { parts.insert("nofollow") }
        parts.insert("noopener")
        let rel = parts.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.joined(separator: " ")
        var attributes = " rel=\"\(Text.escape(rel))\""
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
            head = Text.string(middle[..<end])
            middle.removeFirst(end)
        }
        let ends = [")", ">", ".", ",", "\n", "&gt;"]
        if ends.contains(where: { Text.hasSuffix(Text.string(middle), $0) }),
            let start = try Self.tail?.search(middle)?.range.lowerBound
        {
            tail = Text.string(middle[start...])
            middle.removeSubrange(start...)
        }
        var text = Text.string(middle)
        // Brackets that are opened within are closed within.
        for (open, close) in [("(", ")"), ("<", ">"), ("&lt;", "&gt;")] {
            let count = Text.count(text, open)
            guard count > Text.count(text, close) else { continue }
            for _ in 0..<min(count, Text.count(tail, close)) {
                let parts = Text.split(tail, by: close, most: 1)
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
            return Text.string(scalars[..<end]) + "..."
        }
        if try Self.web?.match(scalars) != nil {
            let hasScheme = Text.hasPrefix(text, "https://") || Text.hasPrefix(text, "http://")
            return "<a href=\"\(hasScheme ? "" : "https://")\(text)\"\(attributes)>\(trimmed())</a>"
        }
        if Text.hasPrefix(text, "mailto:"), try Self.mail?.match(Array(scalars.dropFirst(7))) != nil {
            return "<a href=\"\(text)\">\(Text.string(scalars.dropFirst(7)))</a>"
        }
        if scalars.contains("@"), !Text.hasPrefix(text, "www."), scalars.first != "@", !scalars.contains(":"),
            try Self.mail?.match(scalars) != nil
        {
            return "<a href=\"mailto:\(text)\">\(text)</a>"
        }
        var result = text
        for scheme in schemes where !isSame(result, scheme) && Text.hasPrefix(result, scheme) {
            result = "<a href=\"\(result)\"\(attributes)>\(result)</a>"
        }
        return result
    }
}

/// lm-eval's own filter: Python's `re.sub`.
enum RegexReplace {
    static func filter(_ value: Value, _ values: [Value?], _ run: Run) throws(JinjaError) -> Value {
        let (pattern, replacement) = (values[0] ?? .null, values[1] ?? .null)
        let count = try values[2].map { (count) throws(JinjaError) in try run.index(count) } ?? 0
        guard let pattern = pattern.text else {
            throw run.error(.type, "first argument must be string or compiled pattern")
        }
        guard let template = replacement.text else {
            guard case .object(let function) = replacement, function.isCallable else {
                throw run.error(.type, "expected str instance, \(replacement.typeName) found")
            }
            throw run.error(.unsupported, "regex_replace takes a text as replacement here, not a function")
        }
        guard let text = value.text else {
            throw run.error(.type, "expected string or bytes-like object, got '\(value.typeName)'")
        }
        // A pattern may take millions of steps for a short text.
        try run.charge(5000 + text.utf8.count / 64)
        let result: String
        do throws(PatternError) {
            result = try PythonRegex(pattern, maxSteps: 5_000_000).sub(template, text, most: count)
        } catch {
            throw run.error(.value, "regex_replace: \(error.message)")
        }
        return try run.string(result)
    }
}
