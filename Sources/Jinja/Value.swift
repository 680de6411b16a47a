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

    /// Each code point as a text of its own.
    static func characters(of text: String) -> [Value] {
        text.unicodeScalars.map { .string(String(Character($0))) }
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

// MARK: - Dictionaries

/// What a dictionary finds values by: equal for equal values, as 1, 1.0 and True are.
enum Key: Hashable {
    case null
    case int(Int)
    case big(BigInteger)
    case float(UInt64)
    case string(ExactText)
    case tuple([Key])
    case undefined(isStrict: Bool)
    case range(start: Int, count: Int, step: Int)
    case foreign(ExactText)
    case object(ObjectIdentifier)
}

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
