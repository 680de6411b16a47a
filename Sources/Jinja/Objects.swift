internal import PythonCompat

/// What a function is called with.
struct Arguments {
    var positional: [Value] = []
    var named: [(name: String, value: Value)] = []

    init() {}
    init(_ positional: [Value]) { self.positional = positional }

    /// The values of parameters, `nil` where none is given.
    ///
    /// - Parameters:
    ///   - names: In order; those with `/` in front take no name.
    ///   - required: So many must be given.
    func bound(
        to names: [String], required: Int, _ function: String, _ run: Run
    ) throws(JinjaError) -> [Value?] {
        guard self.positional.count <= names.count else {
            throw run.error(
                .type,
                "\(function)() takes at most \(names.count) argument\(names.count == 1 ? "" : "s"), "
                    + "\(self.positional.count) given")
        }
        var values: [Value?] = self.positional
        values += Array(repeating: nil, count: names.count - values.count)
        for (name, value) in self.named {
            guard let index = names.firstIndex(where: { isSame($0, name) }) else {
                throw run.error(.type, "\(function)() got an unexpected keyword argument '\(name)'")
            }
            guard values[index] == nil else {
                throw run.error(.type, "\(function)() got multiple values for argument '\(name)'")
            }
            values[index] = value
        }
        for index in 0..<required where values[index] == nil {
            let name = names[index].drop { $0 == "/" }
            throw run.error(.type, "\(function)() is missing its argument '\(name)'")
        }
        return values
    }

    func none(_ function: String, _ run: Run) throws(JinjaError) {
        _ = try self.bound(to: [], required: 0, function, run)
    }
}

/// What gives one value after the other.
class Iterator: Value.Object {
    /// How many iterators stand within each other.
    let depth: Int

    init(depth: Int) { self.depth = depth }

    override var typeName: String { "generator" }

    func next(_ run: Run) throws(JinjaError) -> Value? { nil }

    override func iterate(_ run: Run) throws(JinjaError) -> Iterator? {
        guard self.depth < 30 else { throw run.error(.limit, "more than 30 filters give their values to each other") }
        return self
    }
}

/// Goes through a list as it is at the time: what is appended meanwhile comes too.
final class ListIterator: Iterator {
    private let list: Value.List
    private var position = 0

    init(_ list: Value.List) {
        self.list = list
        super.init(depth: 0)
    }

    override var typeName: String { "list_iterator" }

    override func next(_ run: Run) throws(JinjaError) -> Value? {
        guard self.position < self.list.items.count else { return nil }
        self.position += 1
        return self.list.items[self.position - 1]
    }
}

final class ArrayIterator: Iterator {
    private var items: [Value]
    private var position = 0
    private let name: String
    /// A dictionary must not change its size meanwhile.
    private let dict: Value.Dict?

    init(_ items: [Value], _ name: String = "tuple_iterator", dict: Value.Dict? = nil) {
        self.items = items
        self.name = name
        self.dict = dict
        super.init(depth: 0)
    }

    override var typeName: String { self.name }
    override func forget() { self.items = [] }

    override func next(_ run: Run) throws(JinjaError) -> Value? {
        if let dict = self.dict, dict.entries.count != self.items.count {
            throw run.error(.runtime, "dictionary changed size during iteration")
        }
        guard self.position < self.items.count else { return nil }
        self.position += 1
        return self.items[self.position - 1]
    }
}

/// What a filter gives value by value, when it is asked.
final class Generator: Iterator {
    /// `nil` when nothing more comes.
    private var make: ((Run) throws(JinjaError) -> Value?)?

    init(depth: Int, _ make: @escaping (Run) throws(JinjaError) -> Value?) {
        self.make = make
        super.init(depth: depth)
    }

    override func forget() { self.make = nil }

    override func next(_ run: Run) throws(JinjaError) -> Value? {
        guard let make = self.make else { return nil }
        try run.enter(6)
        defer { run.leave(6) }
        do throws(JinjaError) {
            if let value = try make(run) { return value }
        } catch {
            self.make = nil
            throw error
        }
        self.make = nil
        return nil
    }
}

final class RangeObject: Value.Object {
    let start: Int
    let step: Int
    let count: Int
    private let stop: Int

    init(_ start: Int, _ stop: Int, _ step: Int) {
        self.start = start
        self.stop = stop
        self.step = step
        let (distance, overflow) =
            step > 0 ? stop.subtractingReportingOverflow(start) : start.subtractingReportingOverflow(stop)
        if step > 0 ? stop <= start : stop >= start {
            self.count = 0
        } else if overflow {
            self.count = Int.max
        } else {
            self.count = (distance - 1) / Int(clamping: step.magnitude) + 1
        }
    }

    override var typeName: String { "range" }

    var key: Key {
        .range(start: self.count == 0 ? 0 : self.start, count: self.count, step: self.count < 2 ? 0 : self.step)
    }

    override func printed(_ run: Run) throws(JinjaError) -> String? {
        self.step == 1 ? "range(\(self.start), \(self.stop))" : "range(\(self.start), \(self.stop), \(self.step))"
    }

    override func length(_ run: Run) throws(JinjaError) -> Int? { self.count }

    func contains(_ number: Int) -> Bool { self.place(of: number) != nil }

    /// Which of the range's numbers it is.
    func place(of number: Int) -> Int? {
        let (distance, overflow) = number.subtractingReportingOverflow(self.start)
        guard !overflow, distance.remainderReportingOverflow(dividingBy: self.step).partialValue == 0 else {
            return nil
        }
        let place = distance.dividedReportingOverflow(by: self.step)
        return !place.overflow && (0..<self.count).contains(place.partialValue) ? place.partialValue : nil
    }

    func item(_ index: Int) -> Value { .int(self.start &+ index &* self.step) }

    override func iterate(_ run: Run) throws(JinjaError) -> Iterator? { self.iterator(backwards: false) }

    func iterator(backwards: Bool) -> Iterator {
        var position = 0
        return Generator(depth: 0) { [self] _ throws(JinjaError) in
            guard position < self.count else { return nil }
            position += 1
            return self.item(backwards ? self.count - position : position - 1)
        }
    }

    override func attribute(_ name: String, _ run: Run) throws(JinjaError) -> Value? {
        switch name {
        case "start": .int(self.start)
        case "stop": .int(self.stop)
        case "step": .int(self.step)
        case "count", "index": run.kept(BoundMethod(.object(self), name))
        default: nil
        }
    }
}

final class DictView: Value.Object {
    enum Kind: String { case keys, values, items }

    let dict: Value.Dict
    let kind: Kind

    init(_ dict: Value.Dict, _ kind: Kind) {
        self.dict = dict
        self.kind = kind
    }

    override var typeName: String { "dict_\(self.kind.rawValue)" }

    func items(_ run: Run) -> [Value] {
        switch self.kind {
        case .keys: self.dict.entries.map(\.key)
        case .values: self.dict.entries.map(\.value)
        case .items: self.dict.entries.map { .tuple(Value.Tuple([$0.key, $0.value])) }
        }
    }

    override func length(_ run: Run) throws(JinjaError) -> Int? { self.dict.entries.count }

    override func iterate(_ run: Run) throws(JinjaError) -> Iterator? {
        try run.check(count: self.dict.entries.count)
        return ArrayIterator(self.items(run), "dict_\(self.kind.rawValue.dropLast())iterator", dict: self.dict)
    }

    override func attribute(_ name: String, _ run: Run) throws(JinjaError) -> Value? {
        name == "isdisjoint" && self.kind != .values ? run.kept(BoundMethod(.object(self), name)) : nil
    }
}

final class SliceObject: Value.Object {
    override var typeName: String { "slice" }
}

final class NamespaceObject: Value.Object {
    let members: Value.Dict

    init(_ members: Value.Dict) { self.members = members }

    override var typeName: String { "Namespace" }

    override func attribute(_ name: String, _ run: Run) throws(JinjaError) -> Value? {
        try run.member(name, of: self.members)
    }
}

final class CyclerObject: Value.Object {
    private var items: [Value]
    private var position = 0

    init(_ items: [Value]) { self.items = items }

    override var typeName: String { "Cycler" }
    override func forget() { self.items = [.null] }

    override func attribute(_ name: String, _ run: Run) throws(JinjaError) -> Value? {
        switch name {
        case "current": self.items[self.position]
        case "pos": .int(self.position)
        case "items": .tuple(Value.Tuple(self.items))
        case "next", "reset": run.kept(BoundMethod(.object(self), name))
        default: nil
        }
    }

    func next() -> Value {
        defer { self.position = (self.position + 1) % self.items.count }
        return self.items[self.position]
    }

    func reset() { self.position = 0 }
}

final class JoinerObject: Value.Object {
    private var separator: Value
    private var isUsed = false

    init(_ separator: Value) { self.separator = separator }

    override var typeName: String { "Joiner" }
    override func forget() { self.separator = .null }
    override var isCallable: Bool { true }

    override func attribute(_ name: String, _ run: Run) throws(JinjaError) -> Value? {
        switch name {
        case "sep": self.separator
        case "used": .bool(self.isUsed)
        default: nil
        }
    }

    override func call(_ arguments: Arguments, _ run: Run) throws(JinjaError) -> Value {
        try arguments.none("joiner", run)
        defer { self.isUsed = true }
        return self.isUsed ? self.separator : .string("")
    }
}

/// The variable `loop`.
final class LoopObject: Value.Object {
    private var iterator: Iterator
    private var items: Value?
    private let recursion: Recursion?
    private let depth: Int
    private var index = -1
    private var count: Int?
    private var current: Value?
    private var before: Value?
    /// Values that were taken from the iterator and are still to come.
    private var ahead: [Value] = []
    private var isAtEnd = false
    private var changed: [Value]?

    init(_ iterator: Iterator, _ items: Value?, _ recursion: Recursion?, depth: Int) {
        self.iterator = iterator
        self.items = items
        self.recursion = recursion
        self.depth = depth
    }

    override func forget() {
        self.iterator = ArrayIterator([])
        self.items = nil
        self.changed = nil
        self.current = nil
        self.before = nil
        self.ahead = []
    }

    override var typeName: String { "LoopContext" }
    override var isCallable: Bool { true }

    override func printed(_ run: Run) throws(JinjaError) -> String? {
        "<LoopContext \(self.index + 1)/\(try self.length(run) ?? 0)>"
    }

    func advance(_ run: Run) throws(JinjaError) -> Value? {
        guard let next = try self.peek(run) else { return nil }
        self.ahead.removeFirst()
        self.index += 1
        self.before = self.current
        self.current = next
        return next
    }

    private func peek(_ run: Run) throws(JinjaError) -> Value? {
        if self.ahead.isEmpty, !self.isAtEnd {
            if let next = try self.iterator.next(run) { self.ahead.append(next) } else { self.isAtEnd = true }
        }
        return self.ahead.first
    }

    override func length(_ run: Run) throws(JinjaError) -> Int? {
        if let count = self.count { return count }
        if let items = self.items, let count = try run.length(items) {
            self.count = count
            return count
        }
        while !self.isAtEnd {
            guard let next = try self.iterator.next(run) else {
                self.isAtEnd = true
                break
            }
            self.ahead.append(next)
            try run.check(count: self.ahead.count)
        }
        self.count = self.ahead.count + self.index + 1
        return self.count
    }

    override func attribute(_ name: String, _ run: Run) throws(JinjaError) -> Value? {
        switch name {
        case "index": return .int(self.index + 1)
        case "index0": return .int(self.index)
        case "first": return .bool(self.index == 0)
        case "last": return .bool(try self.peek(run) == nil)
        case "depth": return .int(self.depth + 1)
        case "depth0": return .int(self.depth)
        case "length": return .int(try self.length(run) ?? 0)
        case "revindex": return .int((try self.length(run) ?? 0) - self.index)
        case "revindex0": return .int((try self.length(run) ?? 0) - self.index - 1)
        case "previtem":
            return self.index == 0 ? run.undefined("there is no previous item") : self.before ?? .null
        case "nextitem": return try self.peek(run) ?? run.undefined("there is no next item")
        case "cycle", "changed": return run.kept(BoundMethod(.object(self), name))
        default: return nil
        }
    }

    func cycle(_ arguments: Arguments, _ run: Run) throws(JinjaError) -> Value {
        guard arguments.named.isEmpty else { throw run.error(.type, "cycle() got an unexpected keyword argument") }
        guard !arguments.positional.isEmpty else { throw run.error(.type, "no items for cycling given") }
        return arguments.positional[self.index % arguments.positional.count]
    }

    func change(_ arguments: Arguments, _ run: Run) throws(JinjaError) -> Value {
        guard arguments.named.isEmpty else { throw run.error(.type, "changed() got an unexpected keyword argument") }
        if let before = self.changed,
            try run.isEqual(.tuple(Value.Tuple(before)), .tuple(Value.Tuple(arguments.positional)))
        {
            return .bool(false)
        }
        self.changed = arguments.positional
        return .bool(true)
    }

    override func call(_ arguments: Arguments, _ run: Run) throws(JinjaError) -> Value {
        let items = try arguments.bound(to: ["iterable"], required: 1, "loop", run)
        guard let recursion = self.recursion else {
            throw run.error(.type, "The loop must have the 'recursive' marker to be called recursively.")
        }
        return try recursion.render(items[0] ?? .null, depth: self.depth + 1, run)
    }
}

final class MacroObject: Value.Object {
    private let code: MacroCode
    private let closure: Activation

    init(_ code: MacroCode, _ closure: Activation) {
        self.code = code
        self.closure = closure
    }

    override var typeName: String { "Macro" }
    override var isCallable: Bool { true }

    override func printed(_ run: Run) throws(JinjaError) -> String? {
        self.code.name.map { "<Macro \(PythonText.repr($0))>" } ?? "<Macro anonymous>"
    }

    override func attribute(_ name: String, _ run: Run) throws(JinjaError) -> Value? {
        switch name {
        case "name": self.code.name.map { .string($0) } ?? .null
        case "arguments": .tuple(Value.Tuple(self.code.names.map { .string($0) }))
        case "catch_kwargs": .bool(self.code.namedSlot != nil)
        case "catch_varargs": .bool(self.code.positionalSlot != nil)
        case "caller": .bool(self.code.takesCaller)
        case "explicit_caller": .bool(self.code.names.contains { isSame($0, "caller") })
        default: nil
        }
    }

    override func call(_ arguments: Arguments, _ run: Run) throws(JinjaError) -> Value {
        try run.enter(6)
        defer { run.leave(6) }
        let activation = Activation(self.code.code.slotCount, self.closure)
        run.keep(activation)
        try self.bind(arguments, activation, run)
        let before = run.activation
        defer { run.activation = before }
        run.activation = activation
        try run.begin(self.code.code)
        let first = self.code.names.count - self.code.defaults.count
        for (index, slot) in self.code.slots.enumerated() where activation.slots[slot] == nil {
            if index >= first {
                activation.slots[slot] = try run.evaluate(self.code.defaults[index - first])
            } else {
                activation.slots[slot] = run.undefined("parameter '\(self.code.names[index])' was not provided")
            }
        }
        let text = try run.captured { () throws(JinjaError) in _ = try run.execute(self.code.code.body) }
        return run.autoescapes ? .markup(text) : .string(text)
    }

    private func bind(_ arguments: Arguments, _ activation: Activation, _ run: Run) throws(JinjaError) {
        let name = self.code.name.map { "'\($0)'" } ?? "None"
        var named = arguments.named
        func take(_ name: String) -> Value? {
            named.firstIndex { isSame($0.name, name) }.map { named.remove(at: $0).value }
        }
        var foundCaller = self.code.names.contains { isSame($0, "caller") }
        for (index, slot) in self.code.slots.enumerated() {
            if index < arguments.positional.count {
                activation.slots[slot] = arguments.positional[index]
            } else {
                activation.slots[slot] = take(self.code.names[index])
            }
        }
        if self.code.takesCaller, !foundCaller {
            foundCaller = true
            var caller = take("caller")
            if caller?.isNone == true { caller = nil }
            if let slot = self.code.callerSlot {
                activation.slots[slot] = caller ?? run.undefined("No caller defined")
            }
        }
        if let slot = self.code.namedSlot {
            activation.slots[slot] = try run.makeDict(named.map { (.string($0.name), $0.value) })
        } else if let first = named.first {
            throw run.error(.type, "macro \(name) takes no keyword argument '\(first.name)'")
        }
        let rest = arguments.positional.dropFirst(self.code.names.count)
        if let slot = self.code.positionalSlot {
            activation.slots[slot] = try run.tuple(Array(rest))
        } else if !rest.isEmpty {
            throw run.error(.type, "macro \(name) takes not more than \(self.code.names.count) argument(s)")
        }
    }
}

/// The template's blocks by their names.
final class SelfObject: Value.Object {
    private let context: Context

    init(_ context: Context) { self.context = context }

    override var typeName: String { "TemplateReference" }
    override func printed(_ run: Run) throws(JinjaError) -> String? { "<TemplateReference None>" }

    override func attribute(_ name: String, _ run: Run) throws(JinjaError) -> Value? {
        run.program.blocks[ExactString(text: name)] == nil ? nil : .object(BlockObject(name, self.context))
    }
}

final class BlockObject: Value.Object {
    private let name: String
    private let context: Context

    init(_ name: String, _ context: Context) {
        self.name = name
        self.context = context
    }

    override var typeName: String { "BlockReference" }
    override var isCallable: Bool { true }

    override func attribute(_ name: String, _ run: Run) throws(JinjaError) -> Value? {
        switch name {
        case "super": run.undefined("there is no parent block called '\(self.name)'.")
        case "name": .string(self.name)
        default: nil
        }
    }

    override func call(_ arguments: Arguments, _ run: Run) throws(JinjaError) -> Value {
        try arguments.none(self.name, run)
        let text = try run.captured { () throws(JinjaError) in try run.block(self.name, self.context) }
        return run.autoescapes ? .markup(text) : .string(text)
    }
}

/// A method with what it belongs to.
final class BoundMethod: Value.Object {
    private(set) var owner: Value
    let name: String

    init(_ owner: Value, _ name: String) {
        self.owner = owner
        self.name = name
    }

    override var typeName: String { "builtin_function_or_method" }
    override func forget() { self.owner = .null }
    override var isCallable: Bool { true }

    override func call(_ arguments: Arguments, _ run: Run) throws(JinjaError) -> Value {
        try run.call(method: self.name, of: self.owner, arguments)
    }
}

/// What `probe` has in place of a variable.
final class UnknownObject: Value.Object {
    static let message = "a variable is not known"
    static var error: JinjaError { JinjaError(.unsupported, Self.message) }
    static func isUnknown(_ error: JinjaError) -> Bool { error.code == .unsupported && error.message == Self.message }
}

/// A function that Jinja gives to every template.
final class GlobalObject: Value.Object {
    private let name: String

    init(_ name: String) { self.name = name }

    override var typeName: String { self.isType ? "type" : "function" }
    override var isCallable: Bool { true }

    private var isType: Bool { ["range", "dict", "namespace", "cycler", "joiner"].contains(self.name) }

    override func printed(_ run: Run) throws(JinjaError) -> String? {
        switch self.name {
        case "range": run.isSandboxed ? nil : "<class 'range'>"
        case "dict": "<class 'dict'>"
        case "namespace": "<class 'jinja2.utils.Namespace'>"
        case "cycler": "<class 'jinja2.utils.Cycler'>"
        case "joiner": "<class 'jinja2.utils.Joiner'>"
        default: nil
        }
    }

    override func attribute(_ name: String, _ run: Run) throws(JinjaError) -> Value? {
        self.name == "dict" && name == "fromkeys" ? run.kept(BoundMethod(.object(self), name)) : nil
    }

    override func call(_ arguments: Arguments, _ run: Run) throws(JinjaError) -> Value {
        switch self.name {
        case "range": return try Globals.range(arguments, run)
        case "dict": return try Globals.dict(arguments, run)
        case "namespace":
            guard case .dict(let members) = try Globals.dict(arguments, run) else { return .null }
            let namespace = NamespaceObject(members)
            run.keep(namespace)
            return .object(namespace)
        case "cycler":
            guard arguments.named.isEmpty else { throw run.error(.type, "cycler() takes no keyword arguments") }
            guard !arguments.positional.isEmpty else {
                throw run.error(.runtime, "at least one item has to be provided")
            }
            return run.kept(CyclerObject(arguments.positional))
        case "joiner":
            let values = try arguments.bound(to: ["sep"], required: 0, "joiner", run)
            return run.kept(JoinerObject(values[0] ?? .string(", ")))
        case "raise_exception":
            let values = try arguments.bound(to: ["message"], required: 1, "raise_exception", run)
            throw run.error(.raised, try run.str(values[0] ?? .null))
        default:
            throw run.error(
                .unsupported, "\(self.name) gives another text each time, so that no prompt with it can be reproduced")
        }
    }
}

enum Globals {
    static func value(_ name: String, _ dialect: Template.Dialect) -> Value? {
        switch name {
        case "range", "dict", "lipsum", "cycler", "joiner", "namespace": .object(GlobalObject(name))
        case "raise_exception": dialect == .chat ? .object(GlobalObject(name)) : nil
        default: nil
        }
    }

    static func range(_ arguments: Arguments, _ run: Run) throws(JinjaError) -> Value {
        guard arguments.named.isEmpty else { throw run.error(.type, "range() takes no keyword arguments") }
        var bounds: [Int] = []
        for value in arguments.positional {
            if case .undefined(let undefined) = value {
                throw run.error(.type, "'Undefined' object cannot be interpreted as an integer (\(undefined.message))")
            }
            guard let number = Number.asInteger(value) else {
                throw run.error(.type, "'\(value.typeName)' object cannot be interpreted as an integer")
            }
            guard case .int(let int) = number else {
                throw run.error(.limit, "range() takes numbers of 64 bits here")
            }
            bounds.append(int)
        }
        guard (1...3).contains(bounds.count) else {
            throw run.error(.type, "range expected from 1 to 3 arguments, got \(bounds.count)")
        }
        let step = bounds.count == 3 ? bounds[2] : 1
        guard step != 0 else { throw run.error(.value, "range() arg 3 must not be zero") }
        let range = bounds.count == 1 ? RangeObject(0, bounds[0], 1) : RangeObject(bounds[0], bounds[1], step)
        if run.isSandboxed, range.count > 100_000 {
            throw run.error(.overflow, "Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).")
        }
        return .object(range)
    }

    static func dict(_ arguments: Arguments, _ run: Run) throws(JinjaError) -> Value {
        guard arguments.positional.count <= 1 else {
            throw run.error(.type, "dict expected at most 1 argument, got \(arguments.positional.count)")
        }
        let dict = Value.Dict(own: [])
        if let first = arguments.positional.first { try run.update(dict, with: first) }
        for (name, value) in arguments.named { try run.set(.string(name), value, in: dict) }
        run.keep(dict)
        return .dict(dict)
    }
}
