// What Python does with values: going through them, their members, slices, calls, texts and lists in arithmetic.

internal import JinjaSyntax
internal import PythonCompat

extension Run {
    /// Python's `dict.update`.
    func update(_ dict: Value.Dict, with value: Value) throws(JinjaError) {
        switch value {
        case .dict(let other): for (key, value) in other.entries { try self.set(key, value, in: dict) }
        case .undefined(let undefined): throw self.error(undefined)
        default:
            guard let iterator = try self.iterator(value) else {
                throw self.error(.type, "'\(value.typeName)' object is not iterable")
            }
            var index = 0
            while let item = try iterator.next(self) {
                guard let pair = try self.iterator(item) else {
                    throw self.error(.type, "cannot convert dictionary update sequence element #\(index) to a sequence")
                }
                let parts = try self.array(pair, most: 3)
                guard parts.count == 2 else {
                    throw self.error(
                        .value,
                        "dictionary update sequence element #\(index) has length \(parts.count); 2 is required")
                }
                try self.set(parts[0], parts[1], in: dict)
                index += 1
            }
        }
    }

    // MARK: Going through values

    /// `nil` for what can't be gone through.
    func iterator(_ value: Value) throws(JinjaError) -> Iterator? {
        switch value {
        case .list(let list): return ListIterator(list)
        case .tuple(let tuple): return ArrayIterator(tuple.items)
        case .string(let text), .markup(let text):
            try self.check(count: text.utf8.count)
            return ArrayIterator(Value.characters(of: text), "str_iterator")
        case .dict(let dict):
            try self.check(count: dict.entries.count)
            return ArrayIterator(dict.entries.map(\.key), "dict_keyiterator", dict: dict)
        case .undefined(let undefined):
            if undefined.isStrict { throw self.error(undefined) }
            return ArrayIterator([], "generator")
        case .object(let object): return try object.iterate(self)
        default: return nil
        }
    }

    /// All values; an error for what can't be gone through.
    func array(_ value: Value) throws(JinjaError) -> [Value] {
        switch value {
        case .list(let list): return list.items
        case .tuple(let tuple): return tuple.items
        default:
            guard let iterator = try self.iterator(value) else {
                throw self.error(.type, "'\(value.typeName)' object is not iterable")
            }
            return try self.array(iterator)
        }
    }

    func array(_ iterator: Iterator, most: Int = Int.max) throws(JinjaError) -> [Value] {
        var values: [Value] = []
        while values.count < most, let value = try iterator.next(self) {
            values.append(value)
            try self.charge(1)
            if values.count % 1024 == 0 { try self.check(count: values.count) }
        }
        return values
    }

    /// `nil` for what has no length.
    func length(_ value: Value) throws(JinjaError) -> Int? {
        switch value {
        case .string(let text), .markup(let text):
            try self.charge(bytes: text.utf8.count)
            return PythonText.length(text)
        case .list(let list): return list.items.count
        case .tuple(let tuple): return tuple.items.count
        case .dict(let dict): return dict.entries.count
        case .undefined(let undefined):
            if undefined.isStrict { throw self.error(undefined) }
            return 0
        case .object(let object): return try object.length(self)
        default: return nil
        }
    }

    func requiredLength(_ value: Value) throws(JinjaError) -> Int {
        guard let length = try self.length(value) else {
            throw self.error(.type, "object of type '\(value.typeName)' has no len()")
        }
        return length
    }

    // MARK: Members

    private func missing(_ name: String, of value: Value) -> Value {
        self.undefined("\(self.described(value)) has no attribute '\(name)'")
    }

    private func described(_ value: Value) -> String { value.isNone ? "None" : "a \(value.typeName) object" }

    /// `value.name`, which prefers attributes to elements.
    func attribute(_ name: String, of value: Value) throws(JinjaError) -> Value {
        if name.utf8.first == UInt8(ascii: "_"), let hidden = try self.hidden(name, of: value) { return hidden }
        switch value {
        case .undefined(let undefined): throw self.error(undefined)
        case .dict(let dict):
            if DictMethods.names.contains(name) { return self.method(name, of: value) }
            return try self.member(name, of: dict) ?? self.missing(name, of: value)
        default:
            if let found = try self.own(name, of: value) { return found }
            return self.missing(name, of: value)
        }
    }

    /// Attributes of the type, other than a dictionary's elements.
    private func own(_ name: String, of value: Value) throws(JinjaError) -> Value? {
        switch value {
        case .string: return StringMethod.names.contains(name) ? self.method(name, of: value) : nil
        case .markup:
            return StringMethod.named(name, isMarkup: true) == nil ? nil : self.method(name, of: value)
        case .list: return ListMethods.names.contains(name) ? self.method(name, of: value) : nil
        case .tuple(let tuple):
            if tuple.isGroup, tuple.items.count == 2 {
                if name == "grouper" { return tuple.items[0] }
                if name == "list" { return tuple.items[1] }
            }
            return ["count", "index"].contains(name) ? self.method(name, of: value) : nil
        case .dict: return DictMethods.names.contains(name) ? self.method(name, of: value) : nil
        case .bool, .int, .big, .float: return self.numeric(name, of: value)
        case .object(let object): return try object.attribute(name, self)
        case .null, .undefined: return nil
        }
    }

    private func numeric(_ name: String, of value: Value) -> Value? {
        let isFloat = if case .float = value { true } else { false }
        switch name {
        case "real": return Number.asInteger(value) ?? value
        case "imag": return isFloat ? .float(0) : .int(0)
        case "numerator": return isFloat ? nil : Number.asInteger(value)
        case "denominator": return isFloat ? nil : .int(1)
        case "conjugate", "as_integer_ratio": return self.method(name, of: value)
        case "is_integer", "hex", "fromhex": return isFloat ? self.method(name, of: value) : nil
        case "bit_length", "bit_count", "to_bytes", "from_bytes": return isFloat ? nil : self.method(name, of: value)
        default: return nil
        }
    }

    /// The sandbox of chat templates has no methods that change lists and dictionaries.
    private func method(_ name: String, of value: Value) -> Value {
        let changes: Bool
        switch value {
        case .list: changes = ListMethods.changing.contains(name)
        case .dict: changes = DictMethods.changing.contains(name)
        default: changes = false
        }
        if self.isSandboxed, changes { return self.unsafe(name, of: value) }
        let method = BoundMethod(value, name)
        return value.isReference ? self.kept(method) : .object(method)
    }

    private func unsafe(_ name: String, of value: Value) -> Value {
        .undefined(
            Undefined(
                "access to attribute '\(name)' of '\(value.typeName)' object is unsafe.", isStrict: false,
                code: .security))
    }

    /// What Python's objects have under names that begin with an underscore.
    private func hidden(_ name: String, of value: Value) throws(JinjaError) -> Value? {
        if case .object(let namespace as NamespaceObject) = value {
            guard let member = try self.member(name, of: namespace.members) else { return nil }
            return self.isSandboxed ? self.unsafe(name, of: value) : member
        }
        guard Self.specialNames.contains(name) || Self.specialNames(of: value).contains(name) else { return nil }
        if self.isSandboxed, !value.isUndefined { return self.unsafe(name, of: value) }
        throw self.error(.unsupported, "'\(name)' is Python's own, which templates here can't reach")
    }

    private static func specialNames(of value: Value) -> Set<String> {
        switch value {
        case .string, .markup, .list, .tuple, .dict:
            ["__len__", "__getitem__", "__contains__", "__iter__", "__add__", "__mul__", "__rmul__", "__mod__"]
        case .bool, .int, .big, .float:
            ["__add__", "__sub__", "__mul__", "__int__", "__float__", "__bool__", "__neg__", "__abs__", "__round__"]
        default: []
        }
    }

    private static let specialNames: Set<String> = [
        "__class__", "__doc__", "__init__", "__new__", "__dir__", "__eq__", "__ne__", "__lt__", "__le__", "__gt__",
        "__ge__", "__hash__", "__repr__", "__str__", "__format__", "__sizeof__", "__reduce__", "__reduce_ex__",
        "__getattribute__", "__setattr__", "__delattr__", "__init_subclass__", "__subclasshook__", "__getstate__",
    ]

    /// `value[index]`, which prefers elements to attributes.
    func item(_ index: Value, of value: Value) throws(JinjaError) -> Value {
        switch value {
        case .undefined(let undefined): throw self.error(undefined)
        case .dict(let dict):
            if let found = try self.element(index, of: dict) { return found }
        case .list(let list):
            if let place = self.place(index, list.items.count) { return list.items[place] }
        case .tuple(let tuple):
            if let place = self.place(index, tuple.items.count) { return tuple.items[place] }
        case .string(let text), .markup(let text):
            if let found = try self.character(index, of: text) {
                if case .markup = value { return .markup(found) }
                return .string(found)
            }
        case .object(let object):
            if let range = (object as? RangeObject)?.range, let place = self.place(index, range.count) {
                return .int(range[place])
            }
        default: break
        }
        guard let name = index.text else {
            return self.undefined(
                "\(self.described(value)) has no element \((try? self.repr(index)) ?? index.typeName)")
        }
        if name.utf8.first == UInt8(ascii: "_"), let hidden = try self.hidden(name, of: value) { return hidden }
        if let found = try self.own(name, of: value) { return found }
        return self.missing(name, of: value)
    }

    private func element(_ index: Value, of dict: Value.Dict) throws(JinjaError) -> Value? {
        do throws(JinjaError) {
            return try self.value(of: index, in: dict)
        } catch {
            // What can't be a key is no key.
            guard error.code == .type else { throw error }
            return nil
        }
    }

    /// Where an index points to; `nil` if nowhere.
    func place(_ index: Value, _ count: Int) -> Int? {
        guard case .int(let number)? = Number.asInteger(index) else { return nil }
        let place = number < 0 ? number + count : number
        return (0..<count).contains(place) ? place : nil
    }

    private func character(_ index: Value, of text: String) throws(JinjaError) -> String? {
        guard let number = Number.asInteger(index) else { return nil }
        try self.charge(bytes: text.utf8.count)
        guard let place = self.place(number, PythonText.length(text)) else { return nil }
        return PythonText.slice(text, place, place + 1)
    }

    // MARK: Slices

    func slice(_ value: Value, _ start: Value, _ stop: Value, _ step: Value) throws(JinjaError) -> Value {
        switch value {
        case .string(let text), .markup(let text):
            try self.charge(bytes: text.utf8.count)
            let indices = try self.indices(PythonText.length(text), start, stop, step)
            let part: String
            if indices.step == 1 {
                part = PythonText.slice(text, indices.start, indices.start + indices.count)
            } else {
                let scalars = Array(text.unicodeScalars)
                part = PythonText.string(indices.all.map { scalars[$0] })
            }
            if case .markup = value { return .markup(part) }
            return .string(part)
        case .list(let list):
            let indices = try self.indices(list.items.count, start, stop, step)
            return try self.list(indices.all.map { list.items[$0] })
        case .tuple(let tuple):
            let indices = try self.indices(tuple.items.count, start, stop, step)
            return try self.tuple(indices.all.map { tuple.items[$0] })
        case .undefined(let undefined): throw self.error(undefined)
        case .object(let object):
            if let range = (object as? RangeObject)?.range {
                let indices = try self.indices(range.count, start, stop, step)
                let first = range.start + indices.start * range.step
                let end = range.start + indices.stop * range.step
                let (step, overflow) = range.step.multipliedReportingOverflow(by: indices.step)
                guard !overflow else { throw self.error(.limit, "range() takes numbers of 64 bits here") }
                return .object(RangeObject(PythonRange(first, end, step)))
            }
        case .dict: throw self.error(.type, "unhashable type: 'slice'")
        default: break
        }
        throw self.error(.type, "'\(value.typeName)' object is not subscriptable")
    }

    private func indices(
        _ length: Int, _ start: Value, _ stop: Value, _ step: Value
    ) throws(JinjaError) -> PythonRange {
        func bound(_ value: Value) throws(JinjaError) -> Int? {
            if value.isNone { return nil }
            guard Number.asInteger(value) != nil else {
                throw self.error(.type, "slice indices must be integers or None or have an __index__ method")
            }
            return try self.index(value)
        }
        let step = try bound(step) ?? 1
        guard step != 0 else { throw self.error(.value, "slice step cannot be zero") }
        let indices = PythonRange(slicing: length, start: try bound(start), stop: try bound(stop), step: step)
        try self.check(count: indices.count)
        return indices
    }

    // MARK: Calls

    func call(_ function: Value, _ arguments: Arguments) throws(JinjaError) -> Value {
        try self.charge(2)
        switch function {
        case .object(let object): return try object.call(arguments, self)
        case .undefined(let undefined): throw self.error(undefined)
        default: throw self.error(.type, "'\(function.typeName)' object is not callable")
        }
    }

    // MARK: Texts and lists in arithmetic

    func sequences(_ operation: Arithmetic, _ a: Value, _ b: Value) throws(JinjaError) -> Value {
        switch operation {
        case .add: if let sum = try self.joined(a, b) { return sum }
        case .multiply:
            if let product = try self.repeated(a, b) { return product }
            if let product = try self.repeated(b, a) { return product }
        case .modulo:
            if case .string(let format) = a { return try self.string(try self.percent(format, b, escapes: false)) }
            if case .markup(let format) = a { return .markup(try self.percent(format, b, escapes: true)) }
        default: break
        }
        if case .undefined(let undefined) = a { throw self.error(undefined) }
        if case .undefined(let undefined) = b { throw self.error(undefined) }
        throw self.error(
            .type,
            "unsupported operand type(s) for \(operation == .power ? "** or pow()" : operation.rawValue): "
                + "'\(a.typeName)' and '\(b.typeName)'")
    }

    private func joined(_ a: Value, _ b: Value) throws(JinjaError) -> Value? {
        switch (a, b) {
        case (.string(let a), .string(let b)):
            try self.check(bytes: a.utf8.count + b.utf8.count)
            return try self.string(a + b)
        case (.markup, .string), (.string, .markup), (.markup, .markup):
            let text = try self.escaped(a) + self.escaped(b)
            try self.check(bytes: text.utf8.count)
            return .markup(text)
        case (.list(let a), .list(let b)):
            try self.check(count: a.items.count + b.items.count)
            return try self.list(a.items + b.items)
        case (.tuple(let a), .tuple(let b)):
            try self.check(count: a.items.count + b.items.count)
            return try self.tuple(a.items + b.items)
        default: return nil
        }
    }

    private func repeated(_ value: Value, _ times: Value) throws(JinjaError) -> Value? {
        guard let number = Number.asInteger(times) else { return nil }
        switch value {
        case .string, .markup, .list, .tuple: break
        default: return nil
        }
        guard case .int(let times) = number else {
            throw self.error(.overflow, "cannot fit 'int' into an index-sized integer")
        }
        let count = max(0, times)
        func check(_ size: Int) throws(JinjaError) {
            let (total, overflow) = size.multipliedReportingOverflow(by: count)
            try self.check(bytes: overflow ? Int.max : total)
        }
        switch value {
        case .string(let text), .markup(let text):
            try check(text.utf8.count)
            let result = text.isEmpty ? "" : String(repeating: text, count: count)
            try self.charge(bytes: result.utf8.count)
            if case .markup = value { return .markup(result) }
            return .string(result)
        case .list(let list):
            try check(list.items.count * 16)
            return try self.list(list.items.isEmpty ? [] : Array(repeatElement(list.items, count: count).joined()))
        case .tuple(let tuple):
            try check(tuple.items.count * 16)
            return try self.tuple(tuple.items.isEmpty ? [] : Array(repeatElement(tuple.items, count: count).joined()))
        default: return nil
        }
    }

    /// As safe HTML.
    func escaped(_ value: Value) throws(JinjaError) -> String {
        if case .markup(let text) = value { return text }
        let text = HTML.escape(try self.str(value))
        try self.check(bytes: text.utf8.count)
        return text
    }
}
