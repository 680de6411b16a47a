internal import PythonCompat

/// The methods of texts; those of the last line only what is safe in HTML has.
enum StringMethod: String, CaseIterable {
    case capitalize, casefold, center, count, encode, endswith, expandtabs, find, format, formatMap = "format_map"
    case index, isalnum, isalpha, isascii, isdecimal, isdigit, isidentifier, islower, isnumeric, isprintable
    case isspace, istitle, isupper, join, ljust, lower, lstrip, maketrans, partition, removeprefix, removesuffix
    case replace, rfind, rindex, rjust, rpartition, rsplit, rstrip, split, splitlines, startswith, strip, swapcase
    case title, translate, upper, zfill
    case unescape, striptags

    static let names = Set(Self.allCases.map(\.rawValue)).subtracting(["unescape", "striptags"])

    /// Of a text that is safe in HTML, or of any.
    static func named(_ name: String, isMarkup: Bool) -> StringMethod? {
        guard isMarkup || Self.names.contains(name) else { return nil }
        return StringMethod(rawValue: name)
    }
}

extension Run {
    private func text(_ value: Value, _ name: String) throws(JinjaError) -> String {
        guard let text = value.text else {
            throw self.error(.type, "\(name)() takes a text here, not '\(value.typeName)'")
        }
        return text
    }

    func call(
        _ method: StringMethod, _ text: String, isMarkup: Bool, _ arguments: Arguments
    ) throws(JinjaError) -> Value {
        let name = method.rawValue
        try self.charge(1 + text.utf8.count / 64)
        func made(_ result: String) throws(JinjaError) -> Value {
            try self.check(bytes: result.utf8.count)
            return isMarkup ? .markup(result) : .string(result)
        }
        func parts(_ parts: [String]) throws(JinjaError) -> Value {
            try self.list(parts.map { isMarkup ? .markup($0) : .string($0) })
        }
        switch method {
        case .upper, .lower, .title, .capitalize, .swapcase, .casefold:
            _ = try self.unnamed(arguments, 0...0, name)
            return try made(Self.cased(method, text))
        case .strip, .lstrip, .rstrip:
            let values = try self.unnamed(arguments, 0...1, name)
            var characters: String?
            if let value = values.first, !value.isNone { characters = try self.text(value, name) }
            return try made(PythonText.strip(text, of: characters, left: method != .rstrip, right: method != .lstrip))
        case .split, .rsplit:
            let values = try arguments.bound(to: ["sep", "maxsplit"], required: 0, name, self)
            let limit = try values[1].map { (value) throws(JinjaError) in try self.index(value) } ?? -1
            return try parts(try self.split(text, values[0], limit, fromRight: method == .rsplit))
        case .splitlines:
            let values = try arguments.bound(to: ["keepends"], required: 0, name, self)
            return try parts(PythonText.splitLines(text, keepingEnds: try self.splitFlag(values[0])))
        case .replace:
            let values = try self.unnamed(arguments, 2...3, name)
            let new = isMarkup ? try self.escaped(values[1]) : try self.text(values[1], name)
            let limit = values.count > 2 ? try self.index(values[2]) : -1
            return try made(try self.replaced(text, try self.text(values[0], name), new, limit))
        case .startswith, .endswith: return try self.affix(method, text, arguments)
        case .find, .rfind, .index, .rindex, .count: return try self.find(method, text, arguments)
        case .join:
            let values = try self.unnamed(arguments, 1...1, name)
            return try made(try self.joined(text, values[0], escapes: isMarkup))
        case .format:
            return try made(try self.format(text, arguments, escapes: isMarkup))
        case .formatMap:
            let values = try self.unnamed(arguments, 1...1, name)
            return try made(try self.format(text, Arguments(), mapping: values[0], escapes: isMarkup))
        case .center, .ljust, .rjust, .zfill: return try made(try self.padded(method, text, isMarkup, arguments))
        case .expandtabs:
            let values = try arguments.bound(to: ["tabsize"], required: 0, name, self)
            return try made(
                try self.expanded(text, try values[0].map { (v) throws(JinjaError) in try self.index(v) } ?? 8))
        case .partition, .rpartition:
            let values = try self.unnamed(arguments, 1...1, name)
            let parts = try self.partitioned(text, try self.text(values[0], name), fromRight: method == .rpartition)
            return .tuple(Value.Tuple(parts.map { isMarkup ? .markup($0) : .string($0) }))
        case .removeprefix, .removesuffix:
            let values = try self.unnamed(arguments, 1...1, name)
            let affix = try self.text(values[0], name)
            if method == .removeprefix {
                return try made(
                    PythonText.hasPrefix(text, affix) ? String(text.utf8.dropFirst(affix.utf8.count)) ?? text : text)
            }
            return try made(
                PythonText.hasSuffix(text, affix) ? String(text.utf8.dropLast(affix.utf8.count)) ?? text : text)
        case .translate:
            let values = try self.unnamed(arguments, 1...1, name)
            return try made(try self.translated(text, values[0]))
        case .maketrans: return try self.table(try self.unnamed(arguments, 1...3, name))
        case .unescape:
            _ = try self.unnamed(arguments, 0...0, name)
            return .string(PythonHTML.unescape(text))
        case .striptags:
            _ = try self.unnamed(arguments, 0...0, name)
            return .string(HTML.withoutTags(text))
        case .encode:
            throw self.error(.unsupported, "'encode' makes bytes, which templates here do not have")
        default:
            _ = try self.unnamed(arguments, 0...0, name)
            return .bool(Self.holds(method, text))
        }
    }

    static func cased(_ method: StringMethod, _ text: String) -> String {
        switch method {
        case .upper: PythonText.upper(text)
        case .lower: PythonText.lower(text)
        case .title: PythonText.title(text)
        case .capitalize: PythonText.capitalize(text)
        case .swapcase: PythonText.swapcase(text)
        default: PythonText.casefold(text)
        }
    }

    private static func holds(_ method: StringMethod, _ text: String) -> Bool {
        switch method {
        case .isalnum: PythonText.isAlphanumeric(text)
        case .isalpha: PythonText.isAlpha(text)
        case .isascii: PythonText.isASCII(text)
        case .isdecimal: PythonText.isDecimal(text)
        case .isdigit: PythonText.isDigit(text)
        case .isnumeric: PythonText.isNumeric(text)
        case .isidentifier: PythonText.isIdentifier(text)
        case .islower: PythonText.isLower(text)
        case .isupper: PythonText.isUpper(text)
        case .istitle: PythonText.isTitle(text)
        case .isprintable: PythonText.isPrintable(text)
        default: PythonText.isSpace(text)
        }
    }

    private func splitFlag(_ value: Value?) throws(JinjaError) -> Bool {
        guard let value else { return false }
        return try self.isTrue(value)
    }

    func split(
        _ text: String, _ separator: Value?, _ limit: Int, fromRight: Bool
    ) throws(JinjaError) -> [String] {
        let most = limit < 0 ? Int.max : limit
        guard let separator, !separator.isNone else {
            let words = fromRight ? PythonText.wordsFromRight(text, most: most) : PythonText.words(text, most: most)
            try self.check(count: words.count)
            return words
        }
        guard let separator = separator.text else {
            throw self.error(.type, "must be str or None, not \(separator.typeName)")
        }
        guard !separator.isEmpty else { throw self.error(.value, "empty separator") }
        let parts = PythonText.split(text, by: separator, most: most, fromRight: fromRight)
        try self.check(count: parts.count)
        return parts
    }

    func replaced(_ text: String, _ old: String, _ new: String, _ limit: Int) throws(JinjaError) -> String {
        if new.utf8.count > old.utf8.count {
            let found = old.isEmpty ? PythonText.length(text) + 1 : PythonText.count(text, old)
            let count = limit < 0 ? found : min(found, limit)
            let (growth, overflow) = count.multipliedReportingOverflow(by: new.utf8.count - old.utf8.count)
            try self.check(bytes: overflow ? Int.max : growth + text.utf8.count)
            try self.charge(bytes: growth)
        }
        return PythonText.replace(text, old, with: new, most: limit)
    }

    /// The part that `start` and `end` name, where it begins, and whether it is a part at all.
    private func part(_ text: String, _ values: [Value]) throws(JinjaError) -> (part: String, start: Int, exists: Bool)
    {
        guard values.count > 1 else { return (text, 0, true) }
        let length = PythonText.length(text)
        func bound(_ index: Int, _ missing: Int) throws(JinjaError) -> Int {
            guard values.count > index, !values[index].isNone else { return missing }
            let value = try self.index(
                values[index], "slice indices must be integers or None or have an __index__ method")
            return value < 0 ? max(0, value.addingReportingOverflow(length).partialValue) : value
        }
        let start = try bound(1, 0)
        let end = min(try bound(2, length), length)
        guard start <= end else { return ("", start, false) }
        return (PythonText.slice(text, start, end), start, true)
    }

    private func affix(_ method: StringMethod, _ text: String, _ arguments: Arguments) throws(JinjaError) -> Value {
        let name = method.rawValue
        let values = try self.unnamed(arguments, 1...3, name)
        let (part, _, exists) = try self.part(text, values)
        func holds(_ affix: String) -> Bool {
            exists && (method == .startswith ? PythonText.hasPrefix(part, affix) : PythonText.hasSuffix(part, affix))
        }
        if let affix = values[0].text { return .bool(holds(affix)) }
        guard case .tuple(let affixes) = values[0] else {
            throw self.error(
                .type, "\(name) first arg must be str or a tuple of str, not \(values[0].typeName)")
        }
        for affix in affixes.items {
            guard let affix = affix.text else {
                throw self.error(.type, "tuple for \(name) must only contain str, not \(affix.typeName)")
            }
            if holds(affix) { return .bool(true) }
        }
        return .bool(false)
    }

    private func find(_ method: StringMethod, _ text: String, _ arguments: Arguments) throws(JinjaError) -> Value {
        let name = method.rawValue
        let values = try self.unnamed(arguments, 1...3, name)
        let wanted = try self.text(values[0], name)
        let (part, start, exists) = try self.part(text, values)
        if method == .count { return .int(exists ? PythonText.count(part, wanted) : 0) }
        let bytes = Array(part.utf8)
        var place: Int?
        if exists {
            let isLast = method == .rfind || method == .rindex
            if wanted.isEmpty {
                place = isLast ? bytes.count : 0
            } else {
                place = isLast ? ByteSearch(wanted).last(in: bytes) : ByteSearch(wanted).first(in: bytes, from: 0)
            }
        }
        guard let place else {
            if method == .index || method == .rindex { throw self.error(.value, "substring not found") }
            return .int(-1)
        }
        return .int(start + bytes[..<place].reduce(0) { $0 + ($1 & 0xC0 != 0x80 ? 1 : 0) })
    }

    func joined(_ separator: String, _ value: Value, escapes: Bool) throws(JinjaError) -> String {
        guard let iterator = try self.iterator(value) else { throw self.error(.type, "can only join an iterable") }
        var result = ""
        var index = 0
        while let item = try iterator.next(self) {
            if index > 0 { result += separator }
            if escapes {
                result += try self.escaped(item)
            } else {
                guard let text = item.text else {
                    throw self.error(
                        .type, "sequence item \(index): expected str instance, \(item.typeName) found")
                }
                result += text
            }
            index += 1
            try self.charge(1)
            try self.check(bytes: result.utf8.count)
        }
        try self.charge(bytes: result.utf8.count)
        return result
    }

    private func padded(
        _ method: StringMethod, _ text: String, _ isMarkup: Bool, _ arguments: Arguments
    ) throws(JinjaError) -> String {
        let name = method.rawValue
        let values = try self.unnamed(arguments, method == .zfill ? 1...1 : 1...2, name)
        let width = max(0, try self.index(values[0], "'\(name)' takes an integer"))
        if case .big = values[0] { throw self.error(.overflow, "Python int too large to convert to C ssize_t") }
        var fill: Unicode.Scalar = " "
        if values.count > 1 {
            let text = isMarkup ? try self.escaped(values[1]) : try self.text(values[1], name)
            guard text.unicodeScalars.count == 1, let character = text.unicodeScalars.first else {
                throw self.error(.type, "The fill character must be exactly one character long")
            }
            fill = character
        }
        try self.check(bytes: width)
        switch method {
        case .zfill: return PythonText.zeroFill(text, width: width)
        case .ljust: return PythonText.justify(text, .left, width: width, fill: fill)
        case .rjust: return PythonText.justify(text, .right, width: width, fill: fill)
        default: return PythonText.justify(text, .center, width: width, fill: fill)
        }
    }

    private func expanded(_ text: String, _ size: Int) throws(JinjaError) -> String {
        let tabs = text.utf8.reduce(0) { $0 + ($1 == 0x09 ? 1 : 0) }
        let (most, overflow) = tabs.multipliedReportingOverflow(by: max(0, size))
        try self.check(bytes: overflow ? Int.max : most)
        try self.charge(bytes: most)
        return PythonText.expandTabs(text, size: size)
    }

    private func partitioned(_ text: String, _ separator: String, fromRight: Bool) throws(JinjaError) -> [String] {
        guard !separator.isEmpty else { throw self.error(.value, "empty separator") }
        let parts = PythonText.split(text, by: separator, most: 1, fromRight: fromRight)
        if parts.count == 2 { return [parts[0], separator, parts[1]] }
        return fromRight ? ["", "", text] : [text, "", ""]
    }

    private func translated(_ text: String, _ table: Value) throws(JinjaError) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            try self.charge(1)
            let found: Value?
            if case .dict(let dict) = table {
                found = try self.value(of: .int(Int(scalar.value)), in: dict)
            } else {
                do throws(JinjaError) {
                    found = try self.subscripted(table, .int(Int(scalar.value)))
                } catch {
                    guard error.code == .lookup else { throw error }
                    found = nil
                }
            }
            switch found {
            case nil: result.append(scalar)
            case .some(.null): break
            case .some(.string(let text)), .some(.markup(let text)): result.append(contentsOf: text.unicodeScalars)
            case .some(let value):
                guard case .int(let code)? = Number.asInteger(value) else {
                    throw self.error(.type, "character mapping must return integer, None or str")
                }
                guard let code = UInt32(exactly: code), code <= 0x10FFFF else {
                    throw self.error(.value, "character mapping must be in range(0x110000)")
                }
                guard let scalar = Unicode.Scalar(code) else {
                    throw self.error(.unsupported, "half of a character (a surrogate) can't be used")
                }
                result.append(scalar)
            }
        }
        return String(result)
    }

    private func table(_ values: [Value]) throws(JinjaError) -> Value {
        var pairs: [(key: Value, value: Value)] = []
        guard values.count > 1 else {
            guard case .dict(let dict) = values[0] else {
                throw self.error(.type, "if you give only one argument to maketrans it must be a dict")
            }
            for (key, value) in dict.entries {
                if let text = key.text {
                    guard let scalar = text.unicodeScalars.first, text.unicodeScalars.count == 1 else {
                        throw self.error(.value, "string keys in translate table must be of length 1")
                    }
                    pairs.append((.int(Int(scalar.value)), value))
                } else if let number = Number.asInteger(key) {
                    pairs.append((number, value))
                } else {
                    throw self.error(.type, "keys in translate table must be strings or integers")
                }
            }
            return try self.makeDict(pairs)
        }
        let from = Array(try self.text(values[0], "maketrans").unicodeScalars)
        let to = Array(try self.text(values[1], "maketrans").unicodeScalars)
        guard from.count == to.count else {
            throw self.error(.value, "the first two maketrans arguments must have equal length")
        }
        for (a, b) in zip(from, to) { pairs.append((.int(Int(a.value)), .int(Int(b.value)))) }
        if values.count > 2 {
            for scalar in try self.text(values[2], "maketrans").unicodeScalars {
                pairs.append((.int(Int(scalar.value)), .null))
            }
        }
        return try self.makeDict(pairs)
    }
}
