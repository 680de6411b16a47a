internal import PythonCompat

/// Python's `json.dumps`.
struct JSONWriter {
    private let run: Run
    var isASCII = true
    var sortsKeys = false
    private var indent: String?
    private var itemSeparator = ", "
    private var keySeparator = ": "

    init(_ run: Run) { self.run = run }

    mutating func setIndent(_ value: Value) throws(JinjaError) {
        if value.isNone { return }
        self.itemSeparator = ","
        if let text = value.text {
            self.indent = text
        } else {
            guard case .int(let width)? = Number.asInteger(value) else {
                throw self.run.error(.type, "can't multiply sequence by non-int of type '\(value.typeName)'")
            }
            try self.run.check(bytes: max(0, width))
            self.indent = String(repeating: " ", count: max(0, width))
        }
    }

    mutating func setSeparators(_ value: Value) throws(JinjaError) {
        if value.isNone { return }
        let parts = try self.run.array(value)
        guard parts.count == 2 else {
            throw self.run.error(.value, "separators takes the texts between items and after keys")
        }
        guard let item = parts[0].text, let key = parts[1].text else {
            throw self.run.error(.type, "separators must be texts")
        }
        (self.itemSeparator, self.keySeparator) = (item, key)
    }

    func text(_ value: Value) throws(JinjaError) -> String {
        var text = ""
        var open: [ObjectIdentifier] = []
        try self.write(value, &text, &open)
        try self.run.charge(bytes: text.utf8.count)
        return text
    }

    /// Without the characters that HTML gives a meaning.
    static func safe(_ json: String) -> String {
        guard json.utf8.contains(where: { [0x3C, 0x3E, 0x26, 0x27].contains($0) }) else { return json }
        var bytes: [UInt8] = []
        for byte in json.utf8 {
            switch byte {
            case UInt8(ascii: "<"): bytes.append(contentsOf: "\\u003c".utf8)
            case UInt8(ascii: ">"): bytes.append(contentsOf: "\\u003e".utf8)
            case UInt8(ascii: "&"): bytes.append(contentsOf: "\\u0026".utf8)
            case UInt8(ascii: "'"): bytes.append(contentsOf: "\\u0027".utf8)
            default: bytes.append(byte)
            }
        }
        return Text.string(bytes)
    }

    private func write(
        _ value: Value, _ text: inout String, _ open: inout [ObjectIdentifier]
    ) throws(JinjaError) {
        try self.run.charge(1)
        switch value {
        case .null: text += "null"
        case .bool(let flag): text += flag ? "true" : "false"
        case .int(let number): text += String(number)
        case .big(let number): text += try self.run.decimal(number)
        case .float(let number): text += Self.number(number)
        case .string(let string), .markup(let string): self.quote(string, &text)
        case .list(let list): try self.write(list.items, ObjectIdentifier(list), &text, &open)
        case .tuple(let tuple): try self.write(tuple.items, ObjectIdentifier(tuple), &text, &open)
        case .dict(let dict): try self.write(dict, &text, &open)
        case .undefined(let undefined):
            throw self.run.error(
                .type, "Object of type Undefined is not JSON serializable (\(undefined.message))")
        case .object(let object):
            throw self.run.error(.type, "Object of type \(object.typeName) is not JSON serializable")
        }
        try self.run.check(bytes: text.utf8.count)
    }

    private static func number(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        guard number.isFinite else { return number < 0 ? "-Infinity" : "Infinity" }
        return PythonText.repr(number)
    }

    private func enter(_ id: ObjectIdentifier, _ open: inout [ObjectIdentifier]) throws(JinjaError) {
        guard !open.contains(id) else { throw self.run.error(.value, "Circular reference detected") }
        open.append(id)
        try self.run.enter()
    }

    private func leave(_ open: inout [ObjectIdentifier]) {
        open.removeLast()
        self.run.leave()
    }

    /// A new line at the depth of `open`.
    private func line(_ text: inout String, _ depth: Int) {
        guard let indent = self.indent else { return }
        text += "\n"
        for _ in 0..<depth { text += indent }
    }

    private func write(
        _ items: [Value], _ id: ObjectIdentifier, _ text: inout String, _ open: inout [ObjectIdentifier]
    ) throws(JinjaError) {
        guard !items.isEmpty else {
            text += "[]"
            return
        }
        try self.enter(id, &open)
        text += "["
        for (index, item) in items.enumerated() {
            if index > 0 { text += self.itemSeparator }
            self.line(&text, open.count)
            try self.write(item, &text, &open)
        }
        self.line(&text, open.count - 1)
        text += "]"
        self.leave(&open)
    }

    private func write(
        _ dict: Value.Dict, _ text: inout String, _ open: inout [ObjectIdentifier]
    ) throws(JinjaError) {
        guard !dict.entries.isEmpty else {
            text += "{}"
            return
        }
        try self.enter(ObjectIdentifier(dict), &open)
        text += "{"
        var entries = dict.entries
        if self.sortsKeys {
            let pairs = try self.run.sorted(
                entries.map { (.tuple(Value.Tuple([$0.key, $0.value])), .tuple(Value.Tuple([$0.key, $0.value]))) },
                reverse: false)
            entries = pairs.compactMap { if case .tuple(let pair) = $0 { (pair.items[0], pair.items[1]) } else { nil } }
        }
        for (index, (key, value)) in entries.enumerated() {
            if index > 0 { text += self.itemSeparator }
            self.line(&text, open.count)
            self.quote(try self.name(key), &text)
            text += self.keySeparator
            try self.write(value, &text, &open)
        }
        self.line(&text, open.count - 1)
        text += "}"
        self.leave(&open)
    }

    private func name(_ key: Value) throws(JinjaError) -> String {
        switch key {
        case .string(let text), .markup(let text): return text
        case .null: return "null"
        case .bool(let flag): return flag ? "true" : "false"
        case .int(let number): return String(number)
        case .big(let number): return try self.run.decimal(number)
        case .float(let number): return Self.number(number)
        default:
            throw self.run.error(.type, "keys must be str, int, float, bool or None, not \(key.typeName)")
        }
    }

    private func quote(_ string: String, _ text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{8}": text += "\\b"
            case "\u{C}": text += "\\f"
            case "\0"..<" ": text += Self.escape(UInt16(scalar.value))
            default:
                if self.isASCII, scalar.value > 0x7E {
                    for unit in String(Character(scalar)).utf16 { text += Self.escape(unit) }
                } else {
                    text.unicodeScalars.append(scalar)
                }
            }
        }
        text += "\""
    }

    private static func escape(_ unit: UInt16) -> String {
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
    }
}

/// Python's `pprint.pformat`.
struct PrettyPrint {
    private static let width = 80
    private let run: Run

    static func text(_ value: Value, _ run: Run) throws(JinjaError) -> String {
        var text = ""
        try PrettyPrint(run: run).write(value, &text, indent: 0, allowance: 0, level: 0)
        return text
    }

    private func write(
        _ value: Value, _ text: inout String, indent: Int, allowance: Int, level: Int
    ) throws(JinjaError) {
        try self.run.enter()
        defer { self.run.leave() }
        let line = try self.line(value)
        try self.run.check(bytes: text.utf8.count + line.utf8.count)
        guard Text.length(line) > Self.width - indent - allowance else {
            text += line
            return
        }
        switch value {
        case .list(let list): try self.write(list.items, "[", "]", &text, indent, allowance, level)
        case .tuple(let tuple) where !tuple.isGroup:
            try self.write(tuple.items, "(", tuple.items.count == 1 ? ",)" : ")", &text, indent, allowance, level)
        case .dict(let dict):
            text += "{"
            let entries = try self.sorted(dict)
            for (index, (key, value)) in entries.enumerated() {
                let name = try self.line(key)
                text += name + ": "
                let isLast = index == entries.count - 1
                try self.write(
                    value, &text, indent: indent + Text.length(name) + 3, allowance: isLast ? allowance + 1 : 1,
                    level: level + 1)
                if !isLast { text += ",\n" + String(repeating: " ", count: indent + 1) }
            }
            text += "}"
        case .string(let string): try self.write(string, line, &text, indent, allowance, level)
        default: text += line
        }
    }

    private func write(
        _ items: [Value], _ before: String, _ after: String, _ text: inout String, _ indent: Int, _ allowance: Int,
        _ level: Int
    ) throws(JinjaError) {
        text += before
        for (index, item) in items.enumerated() {
            let isLast = index == items.count - 1
            try self.write(
                item, &text, indent: indent + 1, allowance: isLast ? allowance + after.utf8.count : 1, level: level + 1)
            if !isLast { text += ",\n" + String(repeating: " ", count: indent + 1) }
        }
        text += after
    }

    /// A long text in lines, each a literal of its own.
    private func write(
        _ string: String, _ whole: String, _ text: inout String, _ indent: Int, _ allowance: Int, _ level: Int
    ) throws(JinjaError) {
        var (indent, allowance) = (indent, allowance)
        // Within other values it stands by itself, without brackets.
        if level == 0 {
            indent += 1
            allowance += 1
        }
        let most = Self.width - indent
        var chunks: [String] = []
        let lines = PythonText.splitLines(string, keepingEnds: true)
        for (index, line) in lines.enumerated() {
            let literal = PythonText.repr(line)
            let isLast = index == lines.count - 1
            if Text.length(literal) <= (isLast ? most - allowance : most) {
                chunks.append(literal)
                continue
            }
            let parts = Self.parts(line)
            var current = ""
            for (place, part) in parts.enumerated() {
                let candidate = current + part
                let room = place == parts.count - 1 && isLast ? most - allowance : most
                if Text.length(PythonText.repr(candidate)) > room {
                    if !current.isEmpty { chunks.append(PythonText.repr(current)) }
                    current = part
                } else {
                    current = candidate
                }
            }
            if !current.isEmpty { chunks.append(PythonText.repr(current)) }
        }
        guard chunks.count != 1 else {
            text += whole
            return
        }
        if level == 0 { text += "(" }
        text += chunks.joined(separator: "\n" + String(repeating: " ", count: indent))
        if level == 0 { text += ")" }
    }

    /// Words with the white space after them.
    private static func parts(_ line: String) -> [String] {
        var parts: [String] = []
        var rest = line.unicodeScalars[...]
        while !rest.isEmpty {
            let word = rest.prefix { !PythonText.isSpace($0) }
            let space = rest[word.endIndex...].prefix { PythonText.isSpace($0) }
            parts.append(String(rest[word.startIndex..<space.endIndex]))
            rest = rest[space.endIndex...]
        }
        return parts
    }

    /// In one line, with the keys of dictionaries in order.
    private func line(_ value: Value) throws(JinjaError) -> String {
        try self.run.charge(1)
        switch value {
        case .list(let list):
            return "[" + (try self.lines(list.items)).joined(separator: ", ") + "]"
        case .tuple(let tuple) where !tuple.isGroup:
            return "(" + (try self.lines(tuple.items)).joined(separator: ", ") + (tuple.items.count == 1 ? ",)" : ")")
        case .dict(let dict):
            var parts: [String] = []
            for (key, value) in try self.sorted(dict) {
                parts.append(try self.line(key) + ": " + self.nested(value))
            }
            return "{" + parts.joined(separator: ", ") + "}"
        default: return try self.run.repr(value)
        }
    }

    private func nested(_ value: Value) throws(JinjaError) -> String {
        try self.run.enter()
        defer { self.run.leave() }
        return try self.line(value)
    }

    private func lines(_ items: [Value]) throws(JinjaError) -> [String] {
        var lines: [String] = []
        for item in items { lines.append(try self.nested(item)) }
        return lines
    }

    private func sorted(_ dict: Value.Dict) throws(JinjaError) -> [(key: Value, value: Value)] {
        let pairs = dict.entries.map { (key: $0.key, value: Value.tuple(Value.Tuple([$0.key, $0.value]))) }
        let sorted: [Value]
        do throws(JinjaError) {
            sorted = try self.run.sorted(pairs, reverse: false)
        } catch {
            guard error.code == .type else { throw error }
            throw self.run.error(
                .unsupported, "pprint orders keys of different types by their address in memory; use |string")
        }
        return sorted.compactMap { if case .tuple(let pair) = $0 { (pair.items[0], pair.items[1]) } else { nil } }
    }
}

/// The filter `wordwrap`, by the rules of Python's `textwrap`.
enum WordWrap {
    static func filter(_ value: Value, _ values: [Value?], _ run: Run) throws(JinjaError) -> Value {
        guard let text = value.text else {
            if case .undefined(let undefined) = value { throw run.error(undefined) }
            throw run.error(.attribute, "'\(value.typeName)' object has no attribute 'splitlines'")
        }
        let width = try values[0].map { (width) throws(JinjaError) in try run.index(width) } ?? 79
        let breaksWords = try values[1].map { (flag) throws(JinjaError) in try run.isTrue(flag) } ?? true
        let breaksHyphens = try values[3].map { (flag) throws(JinjaError) in try run.isTrue(flag) } ?? true
        var newline = "\n"
        if let separator = values[2], !separator.isNone {
            guard let text = separator.text else {
                throw run.error(.attribute, "'\(separator.typeName)' object has no attribute 'join'")
            }
            newline = text
        }
        try run.charge(bytes: 16 * text.utf8.count)
        var paragraphs: [String] = []
        for line in PythonText.splitLines(text) {
            guard width > 0 || line.isEmpty && false else {
                throw run.error(.value, "invalid width \(width) (must be > 0)")
            }
            let lines = Self.wrap(line, width, breaksWords, breaksHyphens)
            try run.check(bytes: lines.count.multipliedReportingOverflow(by: max(1, newline.utf8.count)).partialValue)
            paragraphs.append(lines.joined(separator: newline))
        }
        let result = paragraphs.joined(separator: newline)
        try run.check(bytes: result.utf8.count)
        return try run.string(result)
    }

    private static func wrap(_ text: String, _ width: Int, _ breaksWords: Bool, _ breaksHyphens: Bool) -> [String] {
        var chunks: [[Unicode.Scalar]] = Self.chunks(Array(text.unicodeScalars), breaksHyphens).reversed()
        var lines: [String] = []
        func isBlank(_ chunk: [Unicode.Scalar]) -> Bool { chunk.allSatisfy(PythonText.isSpace) }
        while let first = chunks.last {
            var current: [[Unicode.Scalar]] = []
            var length = 0
            if isBlank(first), !lines.isEmpty { chunks.removeLast() }
            while let chunk = chunks.last {
                guard length + chunk.count <= width else { break }
                current.append(chunk)
                length += chunk.count
                chunks.removeLast()
            }
            if let chunk = chunks.last, chunk.count > width {
                let room = width < 1 ? 1 : width - length
                if breaksWords {
                    var end = room
                    if breaksHyphens, chunk.count > room {
                        // After a hyphen, if one stands in the part that fits.
                        if let hyphen = chunk[..<max(0, room)].lastIndex(of: "-"), hyphen > 0,
                            chunk[..<hyphen].contains(where: { $0 != "-" })
                        {
                            end = hyphen + 1
                        }
                    }
                    current.append(Array(chunk[..<max(0, end)]))
                    chunks[chunks.count - 1] = Array(chunk[max(0, end)...])
                } else if current.isEmpty {
                    current.append(chunk)
                    chunks.removeLast()
                }
            }
            if let last = current.last, isBlank(last) { current.removeLast() }
            if !current.isEmpty { lines.append(Text.string(current.joined())) }
        }
        return lines
    }

    private static func isWordSpace(_ scalar: Unicode.Scalar) -> Bool {
        ["\t", "\n", "\u{B}", "\u{C}", "\r", " "].contains(scalar)
    }

    /// Words, white space and dashes.
    private static func chunks(_ text: [Unicode.Scalar], _ breaksHyphens: Bool) -> [[Unicode.Scalar]] {
        var chunks: [[Unicode.Scalar]] = []
        var position = 0
        while position < text.count {
            let end: Int
            if Self.isWordSpace(text[position]) {
                end = text[position...].firstIndex { !Self.isWordSpace($0) } ?? text.count
            } else if breaksHyphens {
                end = Self.wordEnd(text, position)
            } else {
                end = text[position...].firstIndex(where: Self.isWordSpace) ?? text.count
            }
            chunks.append(Array(text[position..<end]))
            position = end
        }
        return chunks
    }

    /// Where the chunk ends that starts here: at a hyphen within a word, at a dash, or at white space.
    private static func wordEnd(_ text: [Unicode.Scalar], _ start: Int) -> Int {
        func at(_ index: Int) -> Unicode.Scalar? { text.indices.contains(index) ? text[index] : nil }
        func isPunctuation(_ scalar: Unicode.Scalar?) -> Bool {
            scalar.map { PythonText.isWord($0) || ["!", "\"", "'", "&", ".", ",", "?"].contains($0) } ?? false
        }
        func isLetter(_ scalar: Unicode.Scalar?) -> Bool {
            scalar.map { PythonText.isWord($0) && Text.digit($0) == nil } ?? false
        }
        func isBoundary(_ index: Int) -> Bool { at(index).map(Self.isWordSpace) ?? true }
        /// An em-dash: two hyphens or more between words.
        func dashEnd(_ index: Int) -> Int? {
            guard isPunctuation(at(index - 1)), at(index) == "-", at(index + 1) == "-" else { return nil }
            var end = index
            while at(end) == "-" { end += 1 }
            return PythonText.isWord(at(end) ?? " ") ? end : nil
        }
        if let end = dashEnd(start) { return end }
        var index = start + 1
        while true {
            // A hyphen between letters ends a chunk after it.
            if at(index) == "-", index > start {
                if isLetter(at(index - 2)), isLetter(at(index - 1)), index - 2 >= 0, Self.hyphenFollows(text, index) {
                    return index + 1
                }
                if at(index - 2) == "-", isLetter(at(index - 3)), isLetter(at(index - 1)),
                    Self.hyphenFollows(text, index)
                {
                    return index + 1
                }
            }
            if isBoundary(index) { return min(index, text.count) }
            if dashEnd(index) != nil { return index }
            index += 1
        }
    }

    private static func hyphenFollows(_ text: [Unicode.Scalar], _ index: Int) -> Bool {
        func isLetter(_ index: Int) -> Bool {
            text.indices.contains(index) && PythonText.isWord(text[index]) && Text.digit(text[index]) == nil
        }
        guard isLetter(index + 1) else { return false }
        return isLetter(index + 2) || text.indices.contains(index + 2) && text[index + 2] == "-" && isLetter(index + 3)
    }
}
