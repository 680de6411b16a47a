internal import PythonCompat

// What Jinja gives to every template, and what that makes.

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
        let range = bounds.count == 1 ? PythonRange(0, bounds[0]) : PythonRange(bounds[0], bounds[1], step)
        if run.isSandboxed, range.count > 100_000 {
            throw run.error(.overflow, "Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).")
        }
        return .object(RangeObject(range))
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
