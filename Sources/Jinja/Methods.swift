internal import PythonCompat

extension Run {
    /// Calls what an attribute gave.
    func call(method name: String, of owner: Value, _ arguments: Arguments) throws(JinjaError) -> Value {
        switch owner {
        case .string(let text), .markup(let text):
            let isMarkup = if case .markup = owner { true } else { false }
            guard let method = StringMethod.named(name, isMarkup: isMarkup) else { break }
            return try self.call(method, text, isMarkup: isMarkup, arguments)
        case .list(let list): return try self.call(name, of: list, arguments)
        case .tuple(let tuple): return try self.search(name, tuple.items, "tuple", arguments)
        case .dict(let dict): return try self.call(name, of: dict, arguments)
        case .bool, .int, .big: return try self.call(name, ofInteger: owner, arguments)
        case .float(let number): return try self.call(name, ofFloat: number, arguments)
        case .object(let object): return try self.call(name, of: object, arguments)
        case .null, .undefined: break
        }
        throw self.error(.attribute, "no method '\(name)'")
    }

    /// At least and at most so many arguments, none of which has a name.
    private func unnamed(
        _ arguments: Arguments, _ counts: ClosedRange<Int>, _ name: String
    ) throws(JinjaError) -> [Value] {
        guard arguments.named.isEmpty else { throw self.error(.type, "\(name)() takes no keyword arguments") }
        guard counts.contains(arguments.positional.count) else {
            let wanted =
                counts.lowerBound == counts.upperBound
                ? "\(counts.lowerBound)" : "from \(counts.lowerBound) to \(counts.upperBound)"
            throw self.error(
                .type, "\(name)() takes \(wanted) argument(s), not \(arguments.positional.count)")
        }
        return arguments.positional
    }

    // MARK: Objects

    private func call(_ name: String, of object: Value.Object, _ arguments: Arguments) throws(JinjaError) -> Value {
        switch object {
        case let loop as LoopObject:
            return name == "cycle" ? try loop.cycle(arguments, self) : try loop.change(arguments, self)
        case let cycler as CyclerObject:
            try arguments.none(name, self)
            if name == "next" { return cycler.next() }
            cycler.reset()
            return .null
        case let range as RangeObject:
            let values = try self.unnamed(arguments, 1...1, name)
            var place: Int?
            if case .int(let number)? = Number.asInteger(values[0]) {
                place = range.place(of: number)
            } else if case .float(let float) = values[0], let number = Int(exactly: float) {
                place = range.place(of: number)
            }
            if name == "count" { return .int(place == nil ? 0 : 1) }
            guard let place else { throw self.error(.value, "\(try self.repr(values[0])) is not in range") }
            return .int(place)
        case let view as DictView:
            let values = try self.unnamed(arguments, 1...1, name)
            for item in try self.array(values[0]) where try self.contains(.object(view), item) { return .bool(false) }
            return .bool(true)
        case let foreign as Value.Foreign:
            let values = try self.unnamed(arguments, 0...9, name)
            return try self.raising { () throws(PythonError) in try foreign.value.call(name, values) }
        case is GlobalObject: return try self.fromKeys(arguments)
        default: throw self.error(.attribute, "'\(object.typeName)' object has no attribute '\(name)'")
        }
    }

    // MARK: Numbers

    private func call(_ name: String, ofInteger value: Value, _ arguments: Arguments) throws(JinjaError) -> Value {
        guard name != "to_bytes", name != "from_bytes" else {
            throw self.error(.unsupported, "'\(name)' makes or takes bytes, which templates here do not have")
        }
        _ = try self.unnamed(arguments, 0...0, name)
        let number = Number.integer(value) ?? BigInteger(0)
        switch name {
        case "bit_length": return .int(number.bitWidth)
        case "bit_count": return .int(number.bitCount)
        case "as_integer_ratio": return .tuple(Value.Tuple([Value(number), .int(1)]))
        default: return Value(number)
        }
    }

    private func call(_ name: String, ofFloat number: Double, _ arguments: Arguments) throws(JinjaError) -> Value {
        guard name != "fromhex" else {
            throw self.error(.unsupported, "'fromhex' can't be used here; write the number in decimals")
        }
        _ = try self.unnamed(arguments, 0...0, name)
        switch name {
        case "is_integer": return .bool(number.isFinite && number == number.rounded())
        case "as_integer_ratio":
            guard number.isFinite else {
                throw self.error(
                    number.isNaN ? .value : .overflow, "cannot convert \(PythonText.repr(number)) to integer ratio")
            }
            var (numerator, shift) = (number, 0)
            while numerator != numerator.rounded() {
                numerator *= 2
                shift += 1
            }
            let whole = BigInteger(exactly: numerator) ?? BigInteger(0)
            return .tuple(Value.Tuple([Value(whole), Value(BigInteger(1).shifted(left: shift))]))
        case "hex":
            guard number.isFinite else { return .string(PythonText.repr(number)) }
            let sign = number.sign == .minus ? "-" : ""
            guard number != 0 else { return .string(sign + "0x0.0p+0") }
            let isNormal = number.exponentBitPattern != 0
            let digits = String(number.significandBitPattern, radix: 16)
            let exponent = isNormal ? Int(number.exponentBitPattern) - 1023 : -1022
            return .string(
                sign + (isNormal ? "0x1." : "0x0.") + String(repeating: "0", count: 13 - digits.utf8.count) + digits
                    + "p" + (exponent < 0 ? "-" : "+") + String(exponent.magnitude))
        default: return .float(number)
        }
    }

    // MARK: Lists and tuples

    /// `count` and `index`.
    private func search(
        _ name: String, _ items: [Value], _ type: String, _ arguments: Arguments
    ) throws(JinjaError) -> Value {
        let values = try self.unnamed(arguments, name == "count" ? 1...1 : 1...3, name)
        func bound(_ index: Int, _ missing: Int) throws(JinjaError) -> Int {
            guard values.count > index else { return missing }
            let value = try self.index(values[index], "slice indices must be integers or have an __index__ method")
            return min(max(value < 0 ? value.addingReportingOverflow(items.count).partialValue : value, 0), items.count)
        }
        let (start, end) = (try bound(1, 0), try bound(2, items.count))
        var count = 0
        if start < end {
            for place in start..<end {
                try self.charge(1)
                let item = items[place]
                let isFound = self.isIdentical(item, values[0]) ? true : try self.isEqual(item, values[0])
                guard isFound else { continue }
                if name == "index" { return .int(place) }
                count += 1
            }
        }
        if name == "count" { return .int(count) }
        throw self.error(.value, "\(try self.repr(values[0])) is not in \(type)")
    }

    private func call(_ name: String, of list: Value.List, _ arguments: Arguments) throws(JinjaError) -> Value {
        switch name {
        case "count", "index": return try self.search(name, list.items, "list", arguments)
        case "copy":
            _ = try self.unnamed(arguments, 0...0, name)
            return try self.list(list.items)
        case "append":
            let values = try self.unnamed(arguments, 1...1, name)
            try self.check(count: list.items.count + 1)
            self.willChange(list)
            list.items.append(values[0])
        case "extend":
            let values = try self.unnamed(arguments, 1...1, name)
            let items = try self.array(values[0])
            try self.check(count: list.items.count + items.count)
            self.willChange(list)
            list.items += items
        case "insert":
            let values = try self.unnamed(arguments, 2...2, name)
            let count = list.items.count
            var place = try self.index(values[0], "'insert' takes an integer")
            if place < 0 { place = max(0, place + count) }
            try self.check(count: count + 1)
            self.willChange(list)
            list.items.insert(values[1], at: min(place, count))
        case "remove":
            let values = try self.unnamed(arguments, 1...1, name)
            guard case .int(let place) = try self.search("index", list.items, "list", Arguments(values)) else {
                return .null
            }
            self.willChange(list)
            list.items.remove(at: place)
        case "pop":
            let values = try self.unnamed(arguments, 0...1, name)
            let index = try values.first.map { (value) throws(JinjaError) in
                try self.index(value, "'pop' takes an integer")
            }
            guard !list.items.isEmpty else { throw self.error(.lookup, "pop from empty list") }
            guard let place = self.place(.int(index ?? -1), list.items.count) else {
                throw self.error(.lookup, "pop index out of range")
            }
            self.willChange(list)
            return list.items.remove(at: place)
        case "clear":
            _ = try self.unnamed(arguments, 0...0, name)
            self.willChange(list)
            list.items = []
        case "reverse":
            _ = try self.unnamed(arguments, 0...0, name)
            self.willChange(list)
            list.items.reverse()
        default:
            guard arguments.positional.isEmpty else {
                throw self.error(.type, "sort() takes no positional arguments")
            }
            let values = try arguments.bound(to: ["key", "reverse"], required: 0, "sort", self)
            let items = try self.keyed(list.items, values[0])
            let sorted = try self.sorted(items, reverse: try self.flag(values[1]))
            self.willChange(list)
            list.items = sorted
        }
        return .null
    }

    private func keyed(_ items: [Value], _ key: Value?) throws(JinjaError) -> [(key: Value, value: Value)] {
        guard let key, !key.isNone else { return items.map { ($0, $0) } }
        var keyed: [(key: Value, value: Value)] = []
        for item in items { keyed.append((try self.call(key, Arguments([item])), item)) }
        return keyed
    }

    /// What Python takes for `reverse`: an integer.
    func flag(_ value: Value?) throws(JinjaError) -> Bool {
        guard let value else { return false }
        guard let number = Number.integer(value) else {
            throw self.error(.type, "'\(value.typeName)' object cannot be interpreted as an integer")
        }
        return !number.isZero
    }

    // MARK: Dictionaries

    private func fromKeys(_ arguments: Arguments) throws(JinjaError) -> Value {
        let values = try self.unnamed(arguments, 1...2, "fromkeys")
        let value = values.count > 1 ? values[1] : .null
        return try self.makeDict(try self.array(values[0]).map { ($0, value) })
    }

    private func call(_ name: String, of dict: Value.Dict, _ arguments: Arguments) throws(JinjaError) -> Value {
        switch name {
        case "keys", "values", "items":
            _ = try self.unnamed(arguments, 0...0, name)
            return .object(DictView(dict, .init(rawValue: name) ?? .keys))
        case "get":
            let values = try self.unnamed(arguments, 1...2, name)
            return try self.value(of: values[0], in: dict) ?? (values.count > 1 ? values[1] : .null)
        case "copy":
            _ = try self.unnamed(arguments, 0...0, name)
            try self.check(count: dict.entries.count)
            let copy = Value.Dict(own: dict.entries)
            self.keep(copy)
            return .dict(copy)
        case "fromkeys": return try self.fromKeys(arguments)
        case "pop":
            let values = try self.unnamed(arguments, 1...2, name)
            if let value = try self.remove(values[0], from: dict) { return value }
            guard values.count > 1 else { throw self.error(.lookup, "KeyError: \(try self.repr(values[0]))") }
            return values[1]
        case "popitem":
            _ = try self.unnamed(arguments, 0...0, name)
            guard let last = dict.entries.last else { throw self.error(.lookup, "popitem(): dictionary is empty") }
            self.willChange(dict)
            dict.index = nil
            dict.entries.removeLast()
            return try self.tuple([last.key, last.value])
        case "setdefault":
            let values = try self.unnamed(arguments, 1...2, name)
            if let value = try self.value(of: values[0], in: dict) { return value }
            let value = values.count > 1 ? values[1] : .null
            try self.set(values[0], value, in: dict)
            return value
        case "update":
            guard arguments.positional.count <= 1 else {
                throw self.error(.type, "update expected at most 1 argument, got \(arguments.positional.count)")
            }
            if let other = arguments.positional.first { try self.update(dict, with: other) }
            for (name, value) in arguments.named { try self.set(.string(name), value, in: dict) }
            return .null
        default:
            _ = try self.unnamed(arguments, 0...0, name)
            self.willChange(dict)
            dict.index = nil
            dict.entries = []
            return .null
        }
    }
}

enum ListMethods {
    static let changing: Set<String> = ["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"]
    static let names = Self.changing.union(["copy", "count", "index"])
}

enum DictMethods {
    static let changing: Set<String> = ["clear", "pop", "popitem", "setdefault", "update"]
    static let names = Self.changing.union(["copy", "fromkeys", "get", "items", "keys", "values"])
}

// MARK: - Texts

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
            return try made(Text.strip(text, characters, left: method != .rstrip, right: method != .lstrip))
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
                    Text.hasPrefix(text, affix) ? String(text.utf8.dropFirst(affix.utf8.count)) ?? text : text)
            }
            return try made(
                Text.hasSuffix(text, affix) ? String(text.utf8.dropLast(affix.utf8.count)) ?? text : text)
        case .translate:
            let values = try self.unnamed(arguments, 1...1, name)
            return try made(try self.translated(text, values[0]))
        case .maketrans: return try self.table(try self.unnamed(arguments, 1...3, name))
        case .unescape:
            _ = try self.unnamed(arguments, 0...0, name)
            return .string(HTML.unescaped(text))
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
        func all(_ predicate: (Unicode.Scalar) -> Bool) -> Bool {
            !text.isEmpty && text.unicodeScalars.allSatisfy(predicate)
        }
        switch method {
        case .isalnum: return PythonText.isAlphanumeric(text)
        case .isalpha: return PythonText.isAlpha(text)
        case .isascii: return text.utf8.allSatisfy { $0 < 0x80 }
        case .isdecimal: return all { Text.digit($0) != nil }
        case .isdigit: return PythonText.isDigit(text)
        case .isnumeric: return PythonText.isNumeric(text)
        case .isidentifier: return PythonText.isIdentifier(text)
        case .islower: return PythonText.isLower(text)
        case .isupper: return PythonText.isUpper(text)
        case .istitle: return PythonText.isTitle(text)
        case .isprintable: return text.unicodeScalars.allSatisfy(PythonText.isPrintable)
        default: return all(PythonText.isSpace)
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
            let words = fromRight ? Text.wordsFromRight(text, most: most) : Text.words(text, most: most)
            try self.check(count: words.count)
            return words
        }
        guard let separator = separator.text else {
            throw self.error(.type, "must be str or None, not \(separator.typeName)")
        }
        guard !separator.isEmpty else { throw self.error(.value, "empty separator") }
        let parts = Text.split(text, by: separator, most: most, fromRight: fromRight)
        try self.check(count: parts.count)
        return parts
    }

    func replaced(_ text: String, _ old: String, _ new: String, _ limit: Int) throws(JinjaError) -> String {
        if new.utf8.count > old.utf8.count {
            let found = old.isEmpty ? Text.length(text) + 1 : Text.count(text, old)
            let count = limit < 0 ? found : min(found, limit)
            let (growth, overflow) = count.multipliedReportingOverflow(by: new.utf8.count - old.utf8.count)
            try self.check(bytes: overflow ? Int.max : growth + text.utf8.count)
            try self.charge(bytes: growth)
        }
        return Text.replace(text, old, new, most: limit)
    }

    /// The part that `start` and `end` name, where it begins, and whether it is a part at all.
    private func part(_ text: String, _ values: [Value]) throws(JinjaError) -> (part: String, start: Int, exists: Bool)
    {
        guard values.count > 1 else { return (text, 0, true) }
        let length = Text.length(text)
        func bound(_ index: Int, _ missing: Int) throws(JinjaError) -> Int {
            guard values.count > index, !values[index].isNone else { return missing }
            let value = try self.index(
                values[index], "slice indices must be integers or None or have an __index__ method")
            return value < 0 ? max(0, value.addingReportingOverflow(length).partialValue) : value
        }
        let start = try bound(1, 0)
        let end = min(try bound(2, length), length)
        guard start <= end else { return ("", start, false) }
        return (Text.slice(text, start, end), start, true)
    }

    private func affix(_ method: StringMethod, _ text: String, _ arguments: Arguments) throws(JinjaError) -> Value {
        let name = method.rawValue
        let values = try self.unnamed(arguments, 1...3, name)
        let (part, _, exists) = try self.part(text, values)
        func holds(_ affix: String) -> Bool {
            exists && (method == .startswith ? Text.hasPrefix(part, affix) : Text.hasSuffix(part, affix))
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
        if method == .count { return .int(exists ? Text.count(part, wanted) : 0) }
        let bytes = Array(part.utf8)
        var place: Int?
        if exists {
            let isLast = method == .rfind || method == .rindex
            if wanted.isEmpty {
                place = isLast ? bytes.count : 0
            } else {
                place = isLast ? Text.Search(wanted).last(in: bytes) : Text.Search(wanted).first(in: bytes, from: 0)
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
        let parts = Text.split(text, by: separator, most: 1, fromRight: fromRight)
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
