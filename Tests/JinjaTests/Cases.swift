import Jinja

/// A template with variables and what Jinja2 makes of it; Fixtures/oracle.py wrote it.
struct Case {
    var name: String
    var dialect: Template.Dialect
    var template: String
    var variables: [(key: Value, value: Value)]
    var text: String?
    var error: String?

    /// - Parameters:
    ///   - shared: The variables of several cases, which name them by their place.
    ///   - before: Has the template where a case names none.
    init?(_ json: Value, _ shared: [Value] = [], after before: Case? = nil) {
        func text(_ name: String) -> String? { if case .string(let text)? = json[name] { text } else { nil } }
        var found = json["variables"]
        if case .int(let place)? = found, shared.indices.contains(place) { found = shared[place] }
        guard let template = text("template") ?? before?.template, case .dict(let variables)? = found else {
            return nil
        }
        self.name = text("name") ?? template
        self.dialect = text("dialect") == "chat" ? .chat : .task
        self.template = template
        self.variables = variables.entries
        self.text = text("text")
        self.error = text("error")
    }

    /// A line for each case.
    static func lines(_ text: String) -> [Case] {
        var cases: [Case] = []
        for line in text.split(separator: "\n") {
            if let item = JSONReader.value(String(line)).flatMap({ Case($0, after: cases.last) }) { cases.append(item) }
        }
        return cases
    }

    /// The differences of many cases, of which those with the same template stand together.
    static func differences(_ cases: [Case], isStrict: Bool = false) -> [String] {
        var parsed: (source: String, template: Result<Template, JinjaError>)?
        return cases.compactMap { item in
            if parsed?.source != item.template {
                parsed = (
                    item.template,
                    Result { () throws(JinjaError) in try Template(item.template, dialect: item.dialect) }
                )
            }
            return parsed.flatMap { item.difference($0.template, isStrict: isStrict) }
        }
    }

    private func value(_ name: String) -> Value? {
        self.variables.first {
            if case .string(let key) = $0.key { key.utf8.elementsEqual(name.utf8) } else { false }
        }?.value
    }

    /// What differs; `nil` if nothing does.
    ///
    /// What this module refuses for a reason of its own is no difference unless `isStrict`: memory addresses in texts, and
    /// limits.
    private func difference(_ template: Result<Template, JinjaError>, isStrict: Bool) -> String? {
        let text: String
        do throws(JinjaError) {
            text = try template.get().render { self.value($0) }
        } catch {
            if error.code.rawValue == self.error { return nil }
            // A date that is not there is no undefined value here, but refused with the reason.
            if error.code == .unsupported, error.message.contains("strftime_now"), self.error == "undefined" {
                return nil
            }
            if !isStrict, error.code == .limit || error.code == .unsupported { return nil }
            return "\(self.name): \(self.template.debugDescription) fails (\(error.code.rawValue): \(error)), "
                + "expected \(self.text?.debugDescription ?? self.error ?? "")"
        }
        if let expected = self.text, text.utf8.elementsEqual(expected.utf8) { return nil }
        return "\(self.name): \(self.template.debugDescription) gives \(text.debugDescription), "
            + "expected \(self.text?.debugDescription ?? self.error ?? "")"
    }
}

extension Value {
    /// A member of an object.
    subscript(name: String) -> Value? {
        guard case .dict(let dict) = self else { return nil }
        return dict.entries.first { if case .string(let key) = $0.key { key == name } else { false } }?.value
    }
}

/// JSON as Python reads it: integers of any size stay integers.
struct JSONReader {
    private let bytes: [UInt8]
    private var position = 0

    static func value(_ text: String) -> Value? {
        var reader = JSONReader(bytes: Array(text.utf8))
        guard let value = reader.value() else { return nil }
        reader.skipSpace()
        return reader.position == reader.bytes.count ? value : nil
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func skipSpace() {
        while self.position < self.bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(self.bytes[self.position]) {
            self.position += 1
        }
    }

    private mutating func take(_ text: String) -> Bool {
        guard self.bytes[self.position...].starts(with: text.utf8) else { return false }
        self.position += text.utf8.count
        return true
    }

    private mutating func value() -> Value? {
        self.skipSpace()
        guard self.position < self.bytes.count else { return nil }
        switch self.bytes[self.position] {
        case UInt8(ascii: "{"): return self.object()
        case UInt8(ascii: "["): return self.array()
        case UInt8(ascii: "\""): return self.string().map { .string($0) }
        default:
            for (name, value) in [
                ("null", Value.null), ("true", .bool(true)), ("false", .bool(false)), ("NaN", .float(.nan)),
                ("Infinity", .float(.infinity)), ("-Infinity", .float(-.infinity)),
            ] where self.take(name) { return value }
            return self.number()
        }
    }

    private mutating func object() -> Value? {
        self.position += 1
        var entries: [(key: Value, value: Value)] = []
        self.skipSpace()
        if self.take("}") { return Value(dict: []) }
        while true {
            self.skipSpace()
            guard let key = self.string() else { return nil }
            self.skipSpace()
            guard self.take(":"), let value = self.value() else { return nil }
            entries.append((.string(key), value))
            self.skipSpace()
            if self.take("}") { return Value(dict: entries) }
            guard self.take(",") else { return nil }
        }
    }

    private mutating func array() -> Value? {
        self.position += 1
        var items: [Value] = []
        self.skipSpace()
        if self.take("]") { return Value(list: []) }
        while let item = self.value() {
            items.append(item)
            self.skipSpace()
            if self.take("]") { return Value(list: items) }
            guard self.take(",") else { return nil }
        }
        return nil
    }

    private mutating func string() -> String? {
        guard self.take("\"") else { return nil }
        var text: [UInt16] = []
        var plain: [UInt8] = []
        var result = ""
        func flush() {
            result += String(decoding: plain, as: UTF8.self)
            result += String(decoding: text, as: UTF16.self)
            plain = []
            text = []
        }
        while self.position < self.bytes.count {
            let byte = self.bytes[self.position]
            self.position += 1
            if byte == UInt8(ascii: "\"") {
                flush()
                return result
            }
            guard byte == UInt8(ascii: "\\") else {
                if !text.isEmpty { flush() }
                plain.append(byte)
                continue
            }
            guard self.position < self.bytes.count else { return nil }
            let escape = self.bytes[self.position]
            self.position += 1
            if escape == UInt8(ascii: "u") {
                if !plain.isEmpty { flush() }
                guard
                    let unit = UInt16(
                        String(decoding: self.bytes[self.position..<self.position + 4], as: UTF8.self), radix: 16)
                else { return nil }
                text.append(unit)
                self.position += 4
                continue
            }
            if !text.isEmpty { flush() }
            switch escape {
            case UInt8(ascii: "n"): plain.append(0x0A)
            case UInt8(ascii: "t"): plain.append(0x09)
            case UInt8(ascii: "r"): plain.append(0x0D)
            case UInt8(ascii: "b"): plain.append(0x08)
            case UInt8(ascii: "f"): plain.append(0x0C)
            default: plain.append(escape)
            }
        }
        return nil
    }

    private mutating func number() -> Value? {
        let start = self.position
        while self.position < self.bytes.count,
            (0x30...0x39).contains(self.bytes[self.position])
                || [0x2B, 0x2D, 0x2E, 0x45, 0x65].contains(self.bytes[self.position])
        { self.position += 1 }
        let text = String(decoding: self.bytes[start..<self.position], as: UTF8.self)
        if let number = Int(text) { return .int(number) }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2D }) else {
            return Double(text).map { .float($0) }
        }
        // The template language itself reads large integers.
        return try? Template("{{ \(text) }}").evaluate { _ in nil }
    }
}
