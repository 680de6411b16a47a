internal import JinjaSyntax
internal import PythonCompat

/// One rendering: what it works on, and how much it may still do.
final class Run {
    let program: Program
    let dialect: Template.Dialect
    let limits: Limits
    private let stack = StackGuard()
    /// The values of names from outside, each looked up once.
    private let lookup: (String) -> Value?
    private var resolved: [Value??]
    private var steps: Int
    private(set) var depth = 0
    var output = ""
    var activation: Activation
    /// What blocks see of the template's variables.
    var context: Context
    var autoescapes = false
    /// Where the template is, for errors.
    var place = Place(line: 1, column: 1)
    /// Variables are not known.
    let probes: Bool
    /// What `evaluate` asks for: the values that were printed, as they were.
    var values: [Value]?
    /// The texts of the filter blocks that run.
    var filtered: [Value] = []
    /// Constants are evaluated as Jinja's compiler does.
    var isFolding = false
    /// What the next call gets as its caller.
    var caller: Value?
    /// Something that is no text was printed; as in Python, that is an error when the texts are put together.
    private var late: JinjaError?
    /// What can refer to itself, to be taken apart at the end: nothing else frees it, or only by deep recursion.
    private var kept: [() -> Void] = []

    init(
        _ program: Program, _ dialect: Template.Dialect, _ limits: Limits, probes: Bool = false,
        _ lookup: @escaping (String) -> Value?
    ) {
        self.program = program
        self.dialect = dialect
        self.limits = limits
        self.probes = probes
        self.lookup = lookup
        self.resolved = Array(repeating: nil, count: program.freeNames.count)
        self.steps = Int(clamping: limits.steps)
        self.activation = Activation(program.root.slotCount, nil)
        self.context = Context(parent: nil)
    }

    deinit {
        for release in self.kept.reversed() { release() }
        self.context.forget()
    }

    /// Runs the template; what it prints is in `output`, or in `values`.
    func run() throws(JinjaError) {
        let root = self.activation
        self.keep(root)
        try self.begin(self.program.root)
        _ = try self.execute(self.program.root.body)
        if let late = self.late { throw late }
    }

    var isSandboxed: Bool { self.dialect == .chat }

    func undefined(_ message: @autoclosure () -> String) -> Value {
        .undefined(Undefined(message(), isStrict: self.dialect == .task))
    }

    // MARK: Limits

    func charge(_ steps: Int) throws(JinjaError) {
        self.steps -= steps
        if self.steps < 0 {
            throw self.error(.limit, "the template does too much work (more than \(self.limits.steps) steps)")
        }
    }

    /// For bytes handled; texts longer than may be made are refused elsewhere.
    func charge(bytes: Int) throws(JinjaError) { if bytes >= 64 { try self.charge(bytes / 64) } }

    /// Of a value about to be made.
    func check(bytes: Int) throws(JinjaError) {
        if bytes > self.limits.bytes {
            throw self.error(
                .limit, "a value or the output is larger than the \(self.limits.bytes) bytes that it may have")
        }
    }

    /// Of a list about to be made, whose elements have 16 bytes each.
    func check(count: Int) throws(JinjaError) {
        try self.check(bytes: count.multipliedReportingOverflow(by: 16).overflow ? Int.max : count * 16)
        try self.charge(count / 16)
    }

    /// Every recursion counts what it takes of the stack, which may have only 512 KiB.
    func enter(_ levels: Int = 3) throws(JinjaError) {
        try self.checkStack()
        self.depth += levels
        if self.depth > Limits.maxDepth {
            self.depth -= levels
            throw self.error(
                .limit, "calls, blocks and values nest too deep here; does a macro call itself without end?")
        }
    }

    func leave(_ levels: Int = 3) { self.depth -= levels }

    func checkStack() throws(JinjaError) { try self.stack.check(at: self.place) }

    func error(_ code: JinjaError.Code, _ message: String) -> JinjaError {
        JinjaError(code, message, at: self.place)
    }

    func error(_ undefined: Undefined) -> JinjaError { self.error(undefined.code, undefined.message) }

    // MARK: What refers to other values

    func keep(_ activation: Activation) { self.kept.append { activation.slots = [] } }

    private func keep(_ list: Value.List, restoring items: [Value]) {
        list.isKept = true
        self.kept.append {
            list.items = items
            list.isKept = false
        }
    }

    private func keep(_ dict: Value.Dict, restoring entries: [(key: Value, value: Value)]) {
        dict.isKept = true
        self.kept.append {
            dict.entries = entries
            dict.index = nil
            dict.isKept = false
        }
    }

    func keep(_ dict: Value.Dict) {
        guard !dict.isKept, dict.entries.contains(where: { $0.value.isReference || $0.key.isReference }) else { return }
        self.keep(dict, restoring: [])
    }

    /// Always, since it is made to be changed.
    func keep(_ namespace: NamespaceObject) { self.keep(namespace.members, restoring: []) }

    /// An object that refers to others, however long the chain.
    func kept(_ object: Value.Object) -> Value {
        self.kept.append { object.forget() }
        return .object(object)
    }

    func willChange(_ list: Value.List) {
        if !list.isKept { self.keep(list, restoring: list.isGiven ? list.items : []) }
    }

    func willChange(_ dict: Value.Dict) {
        if !dict.isKept { self.keep(dict, restoring: dict.isGiven ? dict.entries : []) }
    }

    func list(_ items: [Value]) throws(JinjaError) -> Value {
        try self.check(count: items.count)
        let list = Value.List(own: items)
        if items.contains(where: \.isReference) { self.keep(list, restoring: []) }
        return .list(list)
    }

    func strings(_ items: [String]) throws(JinjaError) -> Value { try self.list(items.map { .string($0) }) }

    func tuple(_ items: [Value], isGroup: Bool = false) throws(JinjaError) -> Value {
        try self.check(count: items.count)
        let tuple = isGroup ? Value.Tuple(group: items) : Value.Tuple(items)
        if items.contains(where: \.isReference) { self.kept.append { tuple.items = [] } }
        return .tuple(tuple)
    }

    func string(_ text: String) throws(JinjaError) -> Value {
        try self.check(bytes: text.utf8.count)
        try self.charge(bytes: text.utf8.count)
        return .string(text)
    }

    // MARK: Names

    func load(_ loads: [Load]) {
        let activation = self.activation
        for load in loads {
            switch load {
            case .resolve(let slot, let name): activation.slots[slot] = self.resolve(name)
            case .alias(let slot, let reference): activation.slots[slot] = self.value(reference)
            case .undefined(let slot): activation.slots[slot] = nil
            }
        }
    }

    func begin(_ code: FunctionCode) throws(JinjaError) { self.load(code.loads) }

    func leave(_ slots: [Int]) { for slot in slots { self.activation.slots[slot] = nil } }

    private func resolve(_ index: Int) -> Value? {
        let name = self.program.freeNames[index]
        if let value = self.context.value(name) { return value }
        if let known = self.resolved[index] { return known }
        var value = self.lookup(name) ?? Globals.value(name, self.dialect)
        if value == nil, self.probes { value = .object(UnknownObject()) }
        self.resolved[index] = .some(value)
        return value
    }

    func value(_ reference: Reference) -> Value? { self.activation(reference.hops).slots[reference.slot] }

    func set(_ value: Value, _ reference: Reference) { self.activation(reference.hops).slots[reference.slot] = value }

    private func activation(_ hops: Int) -> Activation {
        var activation = self.activation
        for _ in 0..<hops { activation = activation.parent ?? activation }
        return activation
    }

    // MARK: Running

    func execute(_ body: Body) throws(JinjaError) -> Flow {
        for action in body.actions {
            self.steps -= 1
            if self.steps < 0 { try self.charge(0) }
            let flow = try action.execute(self)
            if flow != .goesOn { return flow }
        }
        return .goesOn
    }

    /// A body that is a level deeper than what runs.
    func inner(_ body: Body) throws(JinjaError) -> Flow {
        try self.enter(2)
        defer { self.leave(2) }
        return try self.execute(body)
    }

    func evaluate(_ root: Root) throws(JinjaError) -> Value {
        self.steps -= root.depth
        if self.steps < 0 { try self.charge(0) }
        try self.enter(root.depth)
        defer { self.leave(root.depth) }
        return try root.node.evaluate(self)
    }

    /// What `work` prints.
    func captured(_ work: () throws(JinjaError) -> Void) throws(JinjaError) -> String {
        let (before, values, late) = (self.output, self.values, self.late)
        self.output = ""
        self.values = nil
        self.late = nil
        defer {
            self.output = before
            self.values = values
            self.late = late
        }
        try work()
        if let late = self.late { throw late }
        return self.output
    }

    func write(_ text: String) throws(JinjaError) {
        self.output += text
        let count = self.output.utf8.count
        if count > self.limits.bytes { try self.check(bytes: count) }
    }

    /// What an action gives must be a text.
    func write(text value: Value) throws(JinjaError) {
        guard let text = value.text else {
            let name = if case .undefined(let undefined) = value { undefined.message } else { value.typeName }
            if self.late == nil { self.late = self.error(.type, "a text is printed here, not '\(name)'") }
            return
        }
        try self.write(text)
    }

    /// As a result of a block of text.
    func marked(_ text: String, _ escapes: Bool, _ isVolatile: Bool) -> Value {
        (isVolatile ? self.autoescapes : escapes) ? .markup(text) : .string(text)
    }
}

/// The variables of a function that runs.
final class Activation {
    let parent: Activation?
    var slots: [Value?]

    init(_ slotCount: Int, _ parent: Activation?) {
        self.parent = parent
        self.slots = Array(repeating: nil, count: slotCount)
    }
}

/// The template's variables as blocks see them.
final class Context {
    let parent: Context?
    private var variables: [ExactText: Value] = [:]

    init(parent: Context?) { self.parent = parent }

    func value(_ name: String) -> Value? {
        if self.variables.isEmpty, self.parent == nil { return nil }
        return self.variables[ExactText(name)] ?? self.parent?.value(name)
    }

    func set(_ name: String, _ value: Value) { self.variables[ExactText(name)] = value }

    func forget() { self.variables = [:] }
}

enum Flow { case goesOn, breaks, continues }

protocol Node: AnyObject, Sendable {
    func evaluate(_ run: Run) throws(JinjaError) -> Value
}

protocol Action: AnyObject, Sendable {
    func execute(_ run: Run) throws(JinjaError) -> Flow
}

/// What is assigned to.
indirect enum Target: Sendable {
    case nothing
    case variable(Reference)
    case member(any Node, String, Place)
    case tuple([Target], Place)
}

extension Run {
    func assign(_ value: Value, to target: Target) throws(JinjaError) {
        switch target {
        case .nothing: return
        case .variable(let reference): self.set(value, reference)
        case .member(let node, let name, let place):
            self.place = place
            switch try node.evaluate(self) {
            case .object(let object as NamespaceObject): try self.set(.string(name), value, in: object.members)
            case .dict(let dict): try self.set(.string(name), value, in: dict)
            case .list: throw self.error(.type, "list indices must be integers or slices, not str")
            case let other: throw self.error(.type, "'\(other.typeName)' object does not support item assignment")
            }
        case .tuple(let targets, let place): try self.unpack(value, targets, place)
        }
    }

    private func unpack(_ value: Value, _ targets: [Target], _ place: Place) throws(JinjaError) {
        self.place = place
        let values: [Value]
        switch value {
        case .tuple(let tuple): values = tuple.items
        case .list(let list): values = list.items
        default:
            var found: [Value] = []
            guard let iterator = try self.iterator(value) else {
                throw self.error(.type, "cannot unpack non-iterable \(value.typeName) object")
            }
            while found.count <= targets.count, let item = try iterator.next(self) { found.append(item) }
            values = found
        }
        guard values.count == targets.count else {
            throw self.error(
                .value,
                values.count > targets.count
                    ? "too many values to unpack (expected \(targets.count))"
                    : "not enough values to unpack (expected \(targets.count), got \(values.count))")
        }
        for (target, value) in zip(targets, values) { try self.assign(value, to: target) }
    }
}
