// How values are written: `str`, `repr`, `json.dumps` and `pprint`.

internal import PythonCompat

extension Run {
    /// Python's `str()`.
    func str(_ value: Value) throws(JinjaError) -> String {
        switch value {
        case .string(let text), .markup(let text): return text
        case .int(let number): return String(number)
        case .undefined(let undefined):
            if undefined.isStrict { throw self.error(undefined) }
            return ""
        case .object(let object as Value.Foreign): return object.value.text
        default: return try self.repr(value)
        }
    }

    /// Python's `repr()`.
    func repr(_ value: Value) throws(JinjaError) -> String {
        var text = ""
        var open: [ObjectIdentifier] = []
        try self.write(value, to: &text, &open)
        return text
    }

    private func write(_ value: Value, to text: inout String, _ open: inout [ObjectIdentifier]) throws(JinjaError) {
        try self.charge(1)
        switch value {
        case .undefined: text += "Undefined"
        case .null: text += "None"
        case .bool(let flag): text += flag ? "True" : "False"
        case .int(let number): text += String(number)
        case .big(let number): text += try self.decimal(number)
        case .float(let number): text += PythonText.repr(number)
        case .string(let string): try self.quote(string, to: &text)
        case .markup(let string):
            text += "Markup("
            try self.quote(string, to: &text)
            text += ")"
        case .list(let list):
            try self.write(list.items, "[", "]", ObjectIdentifier(list), "[...]", to: &text, &open)
        case .tuple(let tuple):
            try self.write(
                tuple.items, "(", tuple.items.count == 1 ? ",)" : ")", ObjectIdentifier(tuple), "(...)", to: &text,
                &open)
        case .dict(let dict): try self.write(dict, to: &text, &open)
        case .object(let object): try self.write(object, to: &text, &open)
        }
        try self.check(bytes: text.utf8.count)
    }

    private func quote(_ string: String, to text: inout String) throws(JinjaError) {
        try self.charge(bytes: string.utf8.count)
        text += PythonText.repr(string)
    }

    private func write(
        _ items: [Value], _ before: String, _ after: String, _ id: ObjectIdentifier, _ again: String,
        to text: inout String, _ open: inout [ObjectIdentifier]
    ) throws(JinjaError) {
        if open.contains(id) {
            text += again
            return
        }
        try self.enter()
        defer { self.leave() }
        open.append(id)
        text += before
        for (index, item) in items.enumerated() {
            if index > 0 { text += ", " }
            try self.write(item, to: &text, &open)
        }
        text += after
        open.removeLast()
    }

    private func write(
        _ dict: Value.Dict, to text: inout String, _ open: inout [ObjectIdentifier]
    ) throws(JinjaError) {
        if open.contains(ObjectIdentifier(dict)) {
            text += "{...}"
            return
        }
        try self.enter()
        defer { self.leave() }
        open.append(ObjectIdentifier(dict))
        text += "{"
        for (index, entry) in dict.entries.enumerated() {
            if index > 0 { text += ", " }
            try self.write(entry.key, to: &text, &open)
            text += ": "
            try self.write(entry.value, to: &text, &open)
        }
        text += "}"
        open.removeLast()
    }

    private func write(
        _ object: Value.Object, to text: inout String, _ open: inout [ObjectIdentifier]
    ) throws(JinjaError) {
        if let view = object as? DictView {
            if open.contains(ObjectIdentifier(view)) {
                text += "..."
                return
            }
            try self.write(
                view.items(self), "\(view.typeName)([", "])", ObjectIdentifier(view), "...", to: &text, &open)
            return
        }
        if let namespace = object as? NamespaceObject {
            // Python knows no end of a namespace that contains itself.
            if open.contains(ObjectIdentifier(namespace)) {
                throw self.error(.limit, "a namespace that contains itself can't be printed")
            }
            open.append(ObjectIdentifier(namespace))
            text += "<Namespace "
            try self.write(namespace.members, to: &text, &open)
            text += ">"
            open.removeLast()
            return
        }
        guard let printed = try object.printed(self) else {
            throw self.error(
                .unsupported,
                "Python prints a \(object.typeName) with its address in memory, which is another one in each run; "
                    + "use |list or call it, so that the text is the same every time")
        }
        text += printed
    }
}

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
        return PythonText.string(bytes)
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
        case .float(let number): text += PythonJSON.number(number)
        case .string(let string), .markup(let string): PythonJSON.write(string, isASCII: self.isASCII, to: &text)
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
            PythonJSON.write(try self.name(key), isASCII: self.isASCII, to: &text)
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
        case .float(let number): return PythonJSON.number(number)
        default:
            throw self.run.error(.type, "keys must be str, int, float, bool or None, not \(key.typeName)")
        }
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
        guard PythonText.length(line) > Self.width - indent - allowance else {
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
                    value, &text, indent: indent + PythonText.length(name) + 3, allowance: isLast ? allowance + 1 : 1,
                    level: level + 1)
                if !isLast { text += ",\n" + String(repeating: " ", count: indent + 1) }
            }
            text += "}"
        case .string(let string): self.write(string, line, &text, indent, allowance, level)
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
    ) {
        // Within other values it stands by itself, without brackets.
        let isWhole = level == 0
        let indent = isWhole ? indent + 1 : indent
        let literals = PythonText.literals(
            string, width: Self.width - indent, allowance: isWhole ? allowance + 1 : allowance)
        guard literals.count != 1 else {
            text += whole
            return
        }
        let lines = literals.joined(separator: "\n" + String(repeating: " ", count: indent))
        text += isWhole ? "(\(lines))" : lines
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
