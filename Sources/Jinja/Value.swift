public import PythonCompat

/// A value of a template, with the meaning that Python gives it.
///
/// Lists and dictionaries are references, as in Python: a template that appends to a list changes it wherever it is known.
public enum Value {
    /// What a name or member that is not there gives.
    case undefined(Undefined)
    /// Python's `None`.
    case null
    case bool(Bool)
    case int(Int)
    /// An integer beyond 64 bits.
    indirect case big(BigInteger)
    case float(Double)
    /// Compared by code points, not by canonical equivalence as Swift's strings are.
    case string(String)
    /// A text that is safe in HTML, which filters such as `escape` give.
    case markup(String)
    case list(List)
    case tuple(Tuple)
    case dict(Dict)
    /// What has no form outside a template: functions, iterators, ranges, macros, namespaces.
    case object(Object)

    public init(list items: [Value]) { self = .list(List(items)) }
    public init(tuple items: [Value]) { self = .tuple(Tuple(items)) }
    /// Keys are different from each other.
    public init(dict entries: [(key: Value, value: Value)]) { self = .dict(Dict(entries)) }

    /// A list; a class, since Python's lists are shared.
    public final class List {
        public internal(set) var items: [Value]
        /// The caller made it: what a template does to it is undone.
        let isGiven: Bool
        var isKept = false

        public init(_ items: [Value]) {
            self.items = items
            self.isGiven = true
        }

        init(own items: [Value]) {
            self.items = items
            self.isGiven = false
        }
    }

    public final class Tuple {
        public internal(set) var items: [Value]
        /// It is what `groupby` gives, whose parts have names.
        let isGroup: Bool

        public init(_ items: [Value]) {
            self.items = items
            self.isGroup = false
        }

        init(group items: [Value]) {
            self.items = items
            self.isGroup = true
        }
    }

    /// A dictionary, which keeps the order in which keys came.
    public final class Dict {
        public internal(set) var entries: [(key: Value, value: Value)]
        /// Where keys are; made when a large dictionary is first asked.
        var index: [Key: Int]?
        let isGiven: Bool
        var isKept = false

        public init(_ entries: [(key: Value, value: Value)]) {
            self.entries = entries
            self.isGiven = true
        }

        init(own entries: [(key: Value, value: Value)]) {
            self.entries = entries
            self.isGiven = false
        }
    }

    /// The base of what templates only have while they run.
    public class Object {
        /// As Python names the type.
        var typeName: String { "object" }

        init() {}

        /// As Python prints it; `nil` for what is printed with its address.
        func printed(_ run: Run) throws(JinjaError) -> String? { nil }
        func attribute(_ name: String, _ run: Run) throws(JinjaError) -> Value? { nil }
        func call(_ arguments: Arguments, _ run: Run) throws(JinjaError) -> Value {
            throw run.error(.type, "'\(self.typeName)' object is not callable")
        }
        var isCallable: Bool { false }
        /// `nil` for what can't be gone through.
        func iterate(_ run: Run) throws(JinjaError) -> Iterator? { nil }
        /// `nil` for what has no length.
        func length(_ run: Run) throws(JinjaError) -> Int? { nil }
        /// Lets go of what it refers to.
        func forget() {}
    }

    /// A value of a type that another module has, such as a date.
    public final class Foreign: Object {
        let value: any ForeignValue

        public init(_ value: any ForeignValue) { self.value = value }

        override var typeName: String { self.value.typeName }
        override func printed(_ run: Run) -> String? { self.value.repr }

        override func attribute(_ name: String, _ run: Run) throws(JinjaError) -> Value? {
            if self.value.methods.contains(name) { return run.kept(BoundMethod(.object(self), name)) }
            return try run.raising { () throws(PythonError) in try self.value.attribute(name) }
        }
    }
}

/// What templates can do with a value of another module's type, as with the Python object that it stands for.
///
/// Errors are what Python raises.
public protocol ForeignValue {
    /// As Python names the type.
    var typeName: String { get }
    /// What `str()` gives.
    var text: String { get }
    /// What `repr()` gives.
    var repr: String { get }
    /// The same for values that are equal, and only for those.
    var identity: String { get }
    /// The names of its methods.
    var methods: Set<String> { get }
    /// `nil` where there is no such attribute.
    func attribute(_ name: String) throws(PythonError) -> Value?
    func call(_ method: String, _ arguments: [Value]) throws(PythonError) -> Value
    /// What `format()` gives for a specification that is not empty.
    func format(_ specification: String) throws(PythonError) -> String
    /// Whether it is less than another one.
    func isLess(than other: any ForeignValue) throws(PythonError) -> Bool
}

extension Run {
    /// An error of Python's as one of this place.
    func raising<Result>(_ body: () throws(PythonError) -> Result) throws(JinjaError) -> Result {
        do throws(PythonError) {
            return try body()
        } catch {
            let code: JinjaError.Code =
                switch error.kind {
                case .type: .type
                case .value: .value
                case .key, .index: .lookup
                case .overflow: .overflow
                case .syntax: .syntax
                case .unsupported: .unsupported
                }
            throw self.error(code, error.message)
        }
    }
}

/// What a missing name or member gives: it says what was missing where it is used.
public final class Undefined: Sendable {
    /// Any use is an error; else it is printed as nothing, and empty.
    let isStrict: Bool
    let code: JinjaError.Code
    let message: String

    init(_ message: String, isStrict: Bool, code: JinjaError.Code = .undefined) {
        self.message = message
        self.isStrict = isStrict
        self.code = code
    }
}

/// What a dictionary finds values by: equal for equal values, as 1, 1.0 and True are.
enum Key: Hashable {
    case null
    case int(Int)
    case big(BigInteger)
    case float(UInt64)
    case string(ExactString)
    case tuple([Key])
    case undefined(isStrict: Bool)
    case range(start: Int, count: Int, step: Int)
    case foreign(ExactString)
    case object(ObjectIdentifier)
}

/// A text that is equal to another only if the code points are.
struct ExactString: Hashable {
    let text: String

    static func == (a: ExactString, b: ExactString) -> Bool { isSame(a.text, b.text) }

    func hash(into hasher: inout Hasher) {
        var text = self.text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

/// Equality by code points.
func isSame(_ a: String, _ b: String) -> Bool { PythonText.equal(a, b) }

extension Value {
    /// As Python names the type.
    var typeName: String {
        switch self {
        case .undefined: "Undefined"
        case .null: "NoneType"
        case .bool: "bool"
        case .int, .big: "int"
        case .float: "float"
        case .string: "str"
        case .markup: "Markup"
        case .list: "list"
        case .tuple: "tuple"
        case .dict: "dict"
        case .object(let object): object.typeName
        }
    }

    /// The text of a string, whether it is safe in HTML or not.
    var text: String? {
        switch self {
        case .string(let text), .markup(let text): text
        default: nil
        }
    }

    var isUndefined: Bool { if case .undefined = self { true } else { false } }
    var isNone: Bool { if case .null = self { true } else { false } }

    /// Whether it refers to other values, so that it can be deep or contain itself.
    var isReference: Bool {
        switch self {
        case .list, .tuple, .dict, .object: true
        default: false
        }
    }
}

// MARK: - Truth, equality, order, hashing

extension Run {
    func isTrue(_ value: Value) throws(JinjaError) -> Bool {
        switch value {
        case .bool(let flag): return flag
        case .null: return false
        case .int(let number): return number != 0
        case .big: return true
        case .float(let number): return number != 0
        case .string(let text), .markup(let text): return !text.isEmpty
        case .list(let list): return !list.items.isEmpty
        case .tuple(let tuple): return !tuple.items.isEmpty
        case .dict(let dict): return !dict.entries.isEmpty
        case .undefined(let undefined):
            if undefined.isStrict { throw self.error(undefined) }
            return false
        case .object(let object): return try object.length(self).map { $0 != 0 } ?? true
        }
    }

    /// Python's `is`, for what has an identity here.
    func isIdentical(_ a: Value, _ b: Value) -> Bool {
        switch (a, b) {
        case (.list(let a), .list(let b)): a === b
        case (.tuple(let a), .tuple(let b)): a === b || a.items.isEmpty && b.items.isEmpty
        case (.dict(let a), .dict(let b)): a === b
        case (.object(let a), .object(let b)): a === b
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.undefined(let a), .undefined(let b)): a === b
        default: false
        }
    }

    /// Python's `==`.
    func isEqual(_ a: Value, _ b: Value) throws(JinjaError) -> Bool {
        switch (a, b) {
        case (.string(let a), .string(let b)), (.string(let a), .markup(let b)), (.markup(let a), .string(let b)),
            (.markup(let a), .markup(let b)):
            try self.charge(bytes: min(a.utf8.count, b.utf8.count))
            return isSame(a, b)
        case (.int(let a), .int(let b)): return a == b
        case (.null, .null): return true
        case (.list(let a), .list(let b)): return try self.isEqual(a.items, b.items)
        case (.tuple(let a), .tuple(let b)): return try self.isEqual(a.items, b.items)
        case (.dict(let a), .dict(let b)): return try self.isEqual(a, b)
        case (.undefined(let a), .undefined(let b)):
            if a.isStrict { throw self.error(a) }
            if b.isStrict { throw self.error(b) }
            return true
        case (.undefined(let a), _):
            if a.isStrict { throw self.error(a) }
            return false
        case (_, .undefined(let b)):
            if b.isStrict { throw self.error(b) }
            return false
        case (.object(let a), .object(let b)): return try self.isEqual(a, b)
        default:
            guard let order = Number.compare(a, b) else { return false }
            return order == .equal
        }
    }

    private func isEqual(_ a: [Value], _ b: [Value]) throws(JinjaError) -> Bool {
        guard a.count == b.count else { return false }
        try self.enter()
        defer { self.leave() }
        for (a, b) in zip(a, b) {
            try self.charge(1)
            if self.isIdentical(a, b) { continue }
            guard try self.isEqual(a, b) else { return false }
        }
        return true
    }

    private func isEqual(_ a: Value.Dict, _ b: Value.Dict) throws(JinjaError) -> Bool {
        guard a.entries.count == b.entries.count else { return false }
        try self.enter()
        defer { self.leave() }
        for (key, value) in a.entries {
            try self.charge(1)
            guard let other = try self.value(of: key, in: b) else { return false }
            if self.isIdentical(value, other) { continue }
            guard try self.isEqual(value, other) else { return false }
        }
        return true
    }

    private func isEqual(_ a: Value.Object, _ b: Value.Object) throws(JinjaError) -> Bool {
        if a === b { return true }
        if let a = a as? RangeObject, let b = b as? RangeObject { return a.key == b.key }
        if let a = a as? Value.Foreign, let b = b as? Value.Foreign {
            return isSame(a.value.identity, b.value.identity)
        }
        if let a = a as? DictView, let b = b as? DictView, a.kind != .values, b.kind != .values {
            guard a.dict.entries.count == b.dict.entries.count else { return false }
            for item in a.items(self) where !(try self.contains(.object(b), item)) { return false }
            return true
        }
        if let a = a as? BoundMethod, let b = b as? BoundMethod {
            return isSame(a.name, b.name) && self.isIdentical(a.owner, b.owner)
        }
        return false
    }

    /// Python's `in`.
    func contains(_ container: Value, _ item: Value) throws(JinjaError) -> Bool {
        switch container {
        case .string(let text), .markup(let text):
            guard let part = item.text else {
                throw self.error(
                    .type, "'in <string>' requires string as left operand, not \(item.typeName)")
            }
            try self.charge(bytes: text.utf8.count)
            return Text.contains(text, part)
        case .list(let list): return try self.contains(list.items, item)
        case .tuple(let tuple): return try self.contains(tuple.items, item)
        case .dict(let dict): return try self.value(of: item, in: dict) != nil
        case .undefined(let undefined):
            if undefined.isStrict { throw self.error(undefined) }
            return false
        case .object(let object):
            if let range = object as? RangeObject {
                if case .int(let number) = Number.asInteger(item) ?? .null { return range.contains(number) }
            }
            if let view = object as? DictView {
                switch view.kind {
                case .keys: return try self.value(of: item, in: view.dict) != nil
                case .values: break
                case .items:
                    guard case .tuple(let pair) = item, pair.items.count == 2,
                        let value = try self.value(of: pair.items[0], in: view.dict)
                    else { return false }
                    if self.isIdentical(value, pair.items[1]) { return true }
                    return try self.isEqual(value, pair.items[1])
                }
            }
            guard let iterator = try object.iterate(self) else { break }
            while let value = try iterator.next(self) {
                try self.charge(1)
                if self.isIdentical(value, item) { return true }
                if try self.isEqual(value, item) { return true }
            }
            return false
        default: break
        }
        throw self.error(.type, "argument of type '\(container.typeName)' is not iterable")
    }

    private func contains(_ items: [Value], _ item: Value) throws(JinjaError) -> Bool {
        try self.charge(items.count / 16)
        for value in items {
            if self.isIdentical(value, item) { return true }
            if try self.isEqual(value, item) { return true }
        }
        return false
    }

    /// What a value is found by in a dictionary.
    func key(_ value: Value) throws(JinjaError) -> Key {
        switch value {
        case .null: return .null
        case .bool(let flag): return .int(flag ? 1 : 0)
        case .int(let number): return .int(number)
        case .big(let number): return .big(number)
        case .float(let number):
            if let whole = Int(exactly: number) { return .int(whole) }
            if let big = BigInteger(exactly: number) { return .big(big) }
            return .float(number.bitPattern)
        case .string(let text), .markup(let text): return .string(ExactString(text: text))
        case .tuple(let tuple):
            try self.enter()
            defer { self.leave() }
            var keys: [Key] = []
            for item in tuple.items {
                try self.charge(1)
                keys.append(try self.key(item))
            }
            return .tuple(keys)
        case .undefined(let undefined):
            if undefined.isStrict { throw self.error(undefined) }
            return .undefined(isStrict: false)
        case .list, .dict: throw self.error(.type, "unhashable type: '\(value.typeName)'")
        case .object(let object):
            if let range = object as? RangeObject { return range.key }
            if let view = object as? DictView, view.kind != .values {
                throw self.error(.type, "unhashable type: '\(view.typeName)'")
            }
            if object is SliceObject { throw self.error(.type, "unhashable type: 'slice'") }
            if let foreign = object as? Value.Foreign { return .foreign(ExactString(text: foreign.value.identity)) }
            return .object(ObjectIdentifier(object))
        }
    }

    /// Python's `<`, `<=`, `>` and `>=`.
    func compare(_ operation: Comparison, _ a: Value, _ b: Value) throws(JinjaError) -> Bool {
        if let a = a.text, let b = b.text {
            try self.charge(bytes: min(a.utf8.count, b.utf8.count))
            return operation.holds(Text.order(a, b))
        }
        switch (a, b) {
        case (.undefined(let undefined), _), (_, .undefined(let undefined)): throw self.error(undefined)
        case (.list(let a), .list(let b)): return try self.compare(operation, a.items, b.items)
        case (.tuple(let a), .tuple(let b)): return try self.compare(operation, a.items, b.items)
        case (.object(let x), .object(let y)):
            if let x = x as? DictView, let y = y as? DictView, x.kind != .values, y.kind != .values {
                let (small, large) = operation == .less || operation == .lessEqual ? (x, y) : (y, x)
                for item in small.items(self) where !(try self.contains(.object(large), item)) { return false }
                let (countA, countB) = (small.dict.entries.count, large.dict.entries.count)
                return operation == .less || operation == .greater ? countA < countB : true
            }
            if let x = (x as? Value.Foreign)?.value, let y = (y as? Value.Foreign)?.value {
                let (isLess, isGreater) = try self.raising { () throws(PythonError) in
                    (try x.isLess(than: y), try y.isLess(than: x))
                }
                return operation.holds(isLess ? .less : isGreater ? .greater : .equal)
            }
        default:
            if let order = Number.compare(a, b) { return operation.holds(order) }
        }
        throw self.error(
            .type,
            "'\(operation.rawValue)' not supported between instances of '\(a.typeName)' and '\(b.typeName)'")
    }

    private func compare(_ operation: Comparison, _ a: [Value], _ b: [Value]) throws(JinjaError) -> Bool {
        try self.enter()
        defer { self.leave() }
        for (a, b) in zip(a, b) {
            try self.charge(1)
            if self.isIdentical(a, b) { continue }
            if try self.isEqual(a, b) { continue }
            return try self.compare(operation, a, b)
        }
        return operation.holds(a.count < b.count ? .less : a.count > b.count ? .greater : .equal)
    }

    /// A stable sort by `<`, as Python's.
    func sorted(_ items: [(key: Value, value: Value)], reverse: Bool) throws(JinjaError) -> [Value] {
        // Reversed sorting keeps the order of equal items.
        var items = reverse ? items.reversed() : items
        try self.mergeSort(&items)
        return reverse ? items.reversed().map(\.value) : items.map(\.value)
    }

    private func mergeSort(_ items: inout [(key: Value, value: Value)]) throws(JinjaError) {
        let count = items.count
        if count == 1 { return }
        var source = items
        var width = 1
        while width < count {
            var merged: [(key: Value, value: Value)] = []
            merged.reserveCapacity(count)
            var start = 0
            while start < count {
                let middle = min(start + width, count)
                let end = min(start + 2 * width, count)
                var (left, right) = (start, middle)
                while left < middle, right < end {
                    try self.charge(1)
                    if try self.compare(.less, source[right].key, source[left].key) {
                        merged.append(source[right])
                        right += 1
                    } else {
                        merged.append(source[left])
                        left += 1
                    }
                }
                merged.append(contentsOf: source[left..<middle])
                merged.append(contentsOf: source[right..<end])
                start = end
            }
            source = merged
            width *= 2
        }
        items = source
    }
}

enum Order { case less, equal, greater, unordered }

enum Comparison: String, Sendable {
    case less = "<"
    case lessEqual = "<="
    case greater = ">"
    case greaterEqual = ">="

    func holds(_ order: Order) -> Bool {
        switch self {
        case .less: order == .less
        case .lessEqual: order == .less || order == .equal
        case .greater: order == .greater
        case .greaterEqual: order == .greater || order == .equal
        }
    }
}

// MARK: - Dictionaries

extension Run {
    /// The value under a key; `nil` if there is none.
    func value(of key: Value, in dict: Value.Dict) throws(JinjaError) -> Value? {
        guard let place = try self.place(of: key, in: dict) else { return nil }
        return dict.entries[place].value
    }

    private func place(of key: Value, in dict: Value.Dict) throws(JinjaError) -> Int? {
        if dict.entries.count <= 8 {
            if case .string(let text) = key { return self.place(of: text, in: dict) }
            let wanted = try self.key(key)
            for (place, entry) in dict.entries.enumerated() where try self.key(entry.key) == wanted { return place }
            return nil
        }
        let wanted = try self.key(key)
        if let index = dict.index { return index[wanted] }
        try self.charge(dict.entries.count)
        var index: [Key: Int] = [:]
        index.reserveCapacity(dict.entries.count)
        // The last one counts where the caller gave a key twice.
        for (place, entry) in dict.entries.enumerated() { index[try self.key(entry.key)] = place }
        dict.index = index
        return index[wanted]
    }

    private func place(of text: String, in dict: Value.Dict) -> Int? {
        for (place, entry) in dict.entries.enumerated() {
            if let other = entry.key.text, isSame(other, text) { return place }
        }
        return nil
    }

    /// A string's value; faster than by any key.
    func member(_ name: String, of dict: Value.Dict) throws(JinjaError) -> Value? {
        if dict.entries.count <= 8 { return self.place(of: name, in: dict).map { dict.entries[$0].value } }
        return try self.value(of: .string(name), in: dict)
    }

    func set(_ key: Value, _ value: Value, in dict: Value.Dict) throws(JinjaError) {
        try self.charge(1)
        if let place = try self.place(of: key, in: dict) {
            self.willChange(dict)
            dict.entries[place].value = value
            return
        }
        let wanted = try self.key(key)
        self.willChange(dict)
        dict.index?[wanted] = dict.entries.count
        dict.entries.append((key, value))
        try self.charge(bytes: 64)
    }

    func remove(_ key: Value, from dict: Value.Dict) throws(JinjaError) -> Value? {
        guard let place = try self.place(of: key, in: dict) else { return nil }
        try self.charge(dict.entries.count / 16)
        self.willChange(dict)
        dict.index = nil
        return dict.entries.remove(at: place).value
    }

    /// A dictionary of pairs, the last of which counts for a key.
    func makeDict(_ pairs: [(key: Value, value: Value)]) throws(JinjaError) -> Value {
        let dict = Value.Dict(own: [])
        for (key, value) in pairs { try self.set(key, value, in: dict) }
        self.keep(dict)
        return .dict(dict)
    }
}

// MARK: - Printing

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
