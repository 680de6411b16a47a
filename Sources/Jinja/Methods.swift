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
    func unnamed(
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
                place = range.range.place(of: number)
            } else if case .float(let float) = values[0], let number = Int(exactly: float) {
                place = range.range.place(of: number)
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
            let ratio = PythonNumber.ratio(number)
            return .tuple(Value.Tuple([Value(ratio.numerator), Value(ratio.denominator)]))
        case "hex": return .string(PythonNumber.hex(number))
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
