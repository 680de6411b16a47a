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

final class SliceObject: Value.Object {
    override var typeName: String { "slice" }
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
        run.program.blocks[ExactText(name)] == nil ? nil : .object(BlockObject(name, self.context))
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
