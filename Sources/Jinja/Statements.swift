// What statements do; Compiler.swift makes them.

internal import JinjaSyntax
internal import PythonCompat

final class TextAction: Action {
    private let text: String
    init(_ text: String) { self.text = text }

    func execute(_ run: Run) throws(JinjaError) -> Flow {
        try run.write(self.text)
        return .goesOn
    }
}

final class OutputAction: Action {
    private let root: Root
    private let escapes: Bool
    private let isVolatile: Bool
    private let place: Place

    init(_ root: Root, escapes: Bool, isVolatile: Bool, _ place: Place) {
        self.root = root
        self.escapes = escapes
        self.isVolatile = isVolatile
        self.place = place
    }

    func execute(_ run: Run) throws(JinjaError) -> Flow {
        let value: Value
        do throws(JinjaError) {
            value = try run.evaluate(self.root)
        } catch {
            // What is not known prints what is not known; but a call might have done more.
            guard run.probes, UnknownObject.isUnknown(error), !self.root.hasCalls else { throw error }
            return .goesOn
        }
        run.place = self.place
        if run.values != nil {
            run.values?.append(value)
        } else if self.isVolatile ? run.autoescapes : self.escapes {
            try run.write(try run.escaped(value))
        } else if case .string(let text) = value {
            try run.write(text)
        } else {
            try run.write(try run.str(value))
        }
        return .goesOn
    }
}

final class AssignAction: Action {
    private let target: Target
    private let value: Root
    private let namespaces: [any Node]
    private let exports: [(String, Reference)]
    private let place: Place

    init(
        _ target: Target, _ value: Root, namespaces: [any Node], exports: [(String, Reference)], _ place: Place
    ) {
        self.target = target
        self.value = value
        self.namespaces = namespaces
        self.exports = exports
        self.place = place
    }

    func execute(_ run: Run) throws(JinjaError) -> Flow {
        for node in self.namespaces {
            run.place = self.place
            let value = try? node.evaluate(run)
            if case .object(let object)? = value, object is NamespaceObject || object is UnknownObject { continue }
            throw run.error(.runtime, "cannot assign attribute on non-namespace object")
        }
        let value: Value
        do throws(JinjaError) {
            value = try run.evaluate(self.value)
        } catch {
            guard run.probes, UnknownObject.isUnknown(error), case .variable = self.target, !self.value.hasCalls else {
                throw error
            }
            value = .object(UnknownObject())
        }
        run.place = self.place
        try run.assign(value, to: self.target)
        for (name, reference) in self.exports { if let value = run.value(reference) { run.context.set(name, value) } }
        return .goesOn
    }
}

final class CaptureAction: Action {
    private let target: Target
    private let filter: Root?
    private let loads: [Load]
    private let body: Body
    private let leaving: [Int]
    private let exports: [(String, Reference)]
    private let place: Place

    init(
        _ target: Target, filter: Root?, _ loads: [Load], _ body: Body, leaving: [Int],
        exports: [(String, Reference)], _ place: Place
    ) {
        self.target = target
        self.filter = filter
        self.loads = loads
        self.body = body
        self.leaving = leaving
        self.exports = exports
        self.place = place
    }

    func execute(_ run: Run) throws(JinjaError) -> Flow {
        run.load(self.loads)
        var flow = Flow.goesOn
        let text = try run.captured { () throws(JinjaError) in flow = try run.inner(self.body) }
        guard flow == .goesOn else { return flow }
        run.place = self.place
        var value = Value.string(text)
        if let filter = self.filter {
            run.filtered.append(.string(text))
            defer { run.filtered.removeLast() }
            value = try run.evaluate(filter)
        }
        if run.autoescapes { value = .markup(try run.str(value)) }
        try run.assign(value, to: self.target)
        for (name, reference) in self.exports { if let value = run.value(reference) { run.context.set(name, value) } }
        run.leave(self.leaving)
        return .goesOn
    }
}

final class ChoiceAction: Action {
    private let branches: [(test: Root, body: Body)]
    private let other: Body

    init(_ branches: [(test: Root, body: Body)], other: Body) {
        self.branches = branches
        self.other = other
    }

    func execute(_ run: Run) throws(JinjaError) -> Flow {
        for (test, body) in self.branches {
            if try run.isTrue(try run.evaluate(test)) { return try run.inner(body) }
        }
        return try run.inner(self.other)
    }
}

final class WithAction: Action {
    private let loads: [Load]
    private let values: [(target: Target, value: Root)]
    private let body: Body
    private let leaving: [Int]
    private let place: Place

    init(_ loads: [Load], _ values: [(target: Target, value: Root)], _ body: Body, leaving: [Int], _ place: Place) {
        self.loads = loads
        self.values = values
        self.body = body
        self.leaving = leaving
        self.place = place
    }

    func execute(_ run: Run) throws(JinjaError) -> Flow {
        run.load(self.loads)
        for (target, value) in self.values { try run.assign(try run.evaluate(value), to: target) }
        let flow = try run.inner(self.body)
        if flow == .goesOn { run.leave(self.leaving) }
        return flow
    }
}

final class AutoescapeAction: Action {
    private let flag: Root
    private let loads: [Load]
    private let body: Body
    private let leaving: [Int]

    init(_ flag: Root, _ loads: [Load], _ body: Body, leaving: [Int]) {
        self.flag = flag
        self.loads = loads
        self.body = body
        self.leaving = leaving
    }

    func execute(_ run: Run) throws(JinjaError) -> Flow {
        run.load(self.loads)
        let before = run.autoescapes
        defer { run.autoescapes = before }
        run.autoescapes = try run.isTrue(try run.evaluate(self.flag))
        let flow = try run.inner(self.body)
        if flow == .goesOn { run.leave(self.leaving) }
        return flow
    }
}

final class FilterBlockAction: Action {
    private let filter: Root
    private let loads: [Load]
    private let body: Body
    private let leaving: [Int]
    private let escapes: Bool
    private let isVolatile: Bool
    private let place: Place

    init(
        _ filter: Root, _ loads: [Load], _ body: Body, leaving: [Int], escapes: Bool, isVolatile: Bool, _ place: Place
    ) {
        self.filter = filter
        self.loads = loads
        self.body = body
        self.leaving = leaving
        self.escapes = escapes
        self.isVolatile = isVolatile
        self.place = place
    }

    func execute(_ run: Run) throws(JinjaError) -> Flow {
        run.load(self.loads)
        var flow = Flow.goesOn
        let text = try run.captured { () throws(JinjaError) in flow = try run.inner(self.body) }
        guard flow == .goesOn else { return flow }
        run.filtered.append(run.marked(text, self.escapes, self.isVolatile))
        defer { run.filtered.removeLast() }
        let value = try run.evaluate(self.filter)
        run.place = self.place
        try run.write(text: value)
        run.leave(self.leaving)
        return .goesOn
    }
}

final class StopAction: Action {
    private let flow: Flow
    init(_ flow: Flow) { self.flow = flow }
    func execute(_ run: Run) throws(JinjaError) -> Flow { self.flow }
}

/// Gives `self` or `super` its value.
final class SpecialAction: Action {
    private let slot: Int
    private let block: String?

    init(slot: Int, block: String?) {
        self.slot = slot
        self.block = block
    }

    func execute(_ run: Run) throws(JinjaError) -> Flow {
        if let block = self.block {
            run.activation.slots[self.slot] = run.undefined("there is no parent block called '\(block)'.")
        } else {
            run.activation.slots[self.slot] = .object(SelfObject(run.context))
        }
        return .goesOn
    }
}

final class BlockAction: Action {
    private let name: String
    private let isScoped: Bool
    private let locals: [(String, Reference)]
    private let place: Place

    init(_ name: String, isScoped: Bool, _ locals: [(String, Reference)], _ place: Place) {
        self.name = name
        self.isScoped = isScoped
        self.locals = locals
        self.place = place
    }

    func execute(_ run: Run) throws(JinjaError) -> Flow {
        run.place = self.place
        var context = run.context
        if self.isScoped {
            context = Context(parent: context)
            for (name, reference) in self.locals { if let value = run.value(reference) { context.set(name, value) } }
        }
        if run.program.blocks[ExactText(self.name)]?.isRequired == true {
            throw run.error(.runtime, "Required block '\(self.name)' not found")
        }
        try run.block(self.name, context)
        return .goesOn
    }
}

extension Run {
    func block(_ name: String, _ context: Context) throws(JinjaError) {
        guard let block = self.program.blocks[ExactText(name)] else { return }
        try self.enter(6)
        defer { self.leave(6) }
        let (before, outer) = (self.activation, self.context)
        defer {
            self.activation = before
            self.context = outer
        }
        self.activation = Activation(block.code.slotCount, nil)
        self.keep(self.activation)
        self.context = context
        try self.begin(block.code)
        _ = try self.execute(block.code.body)
    }
}

// MARK: Loops

/// The condition of a loop.
struct LoopTest: Sendable {
    var slotCount: Int
    var loads: [Load]
    var target: Target
    var test: Root
}

struct LoopCode: Sendable {
    var target: Target
    var test: LoopTest?
    var loads: [Load]
    var body: Body
    var leaving: [Int]
    /// Of the variable `loop`, if it is used.
    var loopSlot: Int?
    var otherLoads: [Load]
    var other: Body?
    var otherLeaving: [Int]
    var place: Place
}

final class LoopAction: Action {
    private let code: LoopCode
    private let items: Root
    private let place: Place

    init(_ code: LoopCode, _ items: Root, _ place: Place) {
        self.code = code
        self.items = items
        self.place = place
    }

    func execute(_ run: Run) throws(JinjaError) -> Flow {
        let items = try run.evaluate(self.items)
        run.place = self.place
        return try run.loop(self.code, items, recursion: nil, depth: 0)
    }
}

final class RecursiveLoopAction: Action {
    let code: LoopCode
    private let items: Root
    let slotCount: Int
    let escapes: Bool
    let isVolatile: Bool
    private let place: Place

    init(_ code: LoopCode, _ items: Root, slotCount: Int, escapes: Bool, isVolatile: Bool, _ place: Place) {
        self.code = code
        self.items = items
        self.slotCount = slotCount
        self.escapes = escapes
        self.isVolatile = isVolatile
        self.place = place
    }

    func execute(_ run: Run) throws(JinjaError) -> Flow {
        let items = try run.evaluate(self.items)
        run.place = self.place
        let recursion = Recursion(self, run.activation)
        try run.write(text: try recursion.render(items, depth: 0, run))
        return .goesOn
    }
}

/// A recursive loop's body as a function.
final class Recursion {
    private let action: RecursiveLoopAction
    private let closure: Activation

    init(_ action: RecursiveLoopAction, _ closure: Activation) {
        self.action = action
        self.closure = closure
    }

    func render(_ items: Value, depth: Int, _ run: Run) throws(JinjaError) -> Value {
        try run.enter(6)
        defer { run.leave(6) }
        let before = run.activation
        defer { run.activation = before }
        run.activation = Activation(self.action.slotCount, self.closure)
        run.keep(run.activation)
        let text = try run.captured { () throws(JinjaError) in
            _ = try run.loop(self.action.code, items, recursion: self, depth: depth)
        }
        return run.marked(text, self.action.escapes, self.action.isVolatile)
    }
}

extension Run {
    func loop(_ code: LoopCode, _ items: Value, recursion: Recursion?, depth: Int) throws(JinjaError) -> Flow {
        guard var iterator = try self.iterator(items) else {
            throw self.error(.type, "'\(items.typeName)' object is not iterable")
        }
        if let test = code.test {
            iterator = FilteredIterator(test, iterator, self.activation)
        }
        let loop = code.loopSlot.map { _ in
            LoopObject(iterator, code.test == nil ? items : nil, recursion, depth: depth)
        }
        let loopValue = loop.map { self.kept($0) }
        var isElse = true
        while let item = loop == nil ? try iterator.next(self) : try loop?.advance(self) {
            try self.charge(1)
            try self.assign(item, to: code.target)
            if let slot = code.loopSlot { self.activation.slots[slot] = loopValue }
            self.load(code.loads)
            let flow = try self.inner(code.body)
            if flow == .breaks { break }
            // As in Python, a round that was cut short does not count.
            if flow == .goesOn { isElse = false }
        }
        self.leave(code.leaving)
        guard isElse, let other = code.other else { return .goesOn }
        self.load(code.otherLoads)
        let flow = try self.inner(other)
        self.leave(code.otherLeaving)
        return flow
    }
}

/// What a loop's condition lets through.
final class FilteredIterator: Iterator {
    private let test: LoopTest
    private let source: Iterator
    private let activation: Activation
    private var hasBegun = false

    init(_ test: LoopTest, _ source: Iterator, _ closure: Activation) {
        self.test = test
        self.source = source
        self.activation = Activation(test.slotCount, closure)
        super.init(depth: source.depth + 1)
    }

    override func next(_ run: Run) throws(JinjaError) -> Value? {
        let before = run.activation
        defer { run.activation = before }
        run.activation = self.activation
        if !self.hasBegun {
            run.keep(self.activation)
            run.load(self.test.loads)
            self.hasBegun = true
        }
        while let item = try self.source.next(run) {
            try run.charge(1)
            try run.assign(item, to: self.test.target)
            if try run.isTrue(try run.evaluate(self.test.test)) { return item }
        }
        return nil
    }
}

// MARK: Macros

struct MacroCode: Sendable {
    /// `nil` for a caller's.
    var name: String?
    var names: [String]
    var slots: [Int]
    /// Of the last parameters.
    var defaults: [Root]
    var callerSlot: Int?
    var namedSlot: Int?
    var positionalSlot: Int?
    var takesCaller: Bool
    var code: FunctionCode
}

final class MacroAction: Action {
    private let code: MacroCode
    private let reference: Reference
    private let exports: String?

    init(_ code: MacroCode, _ reference: Reference, exports: String?) {
        self.code = code
        self.reference = reference
        self.exports = exports
    }

    func execute(_ run: Run) throws(JinjaError) -> Flow {
        let macro = Value.object(MacroObject(self.code, run.activation))
        run.set(macro, self.reference)
        if let name = self.exports { run.context.set(name, macro) }
        return .goesOn
    }
}

final class CallBlockAction: Action {
    private let code: MacroCode
    private let call: Root
    private let place: Place

    init(_ code: MacroCode, _ call: Root, _ place: Place) {
        self.code = code
        self.call = call
        self.place = place
    }

    func execute(_ run: Run) throws(JinjaError) -> Flow {
        let before = run.caller
        run.caller = .object(MacroObject(self.code, run.activation))
        defer { run.caller = before }
        let value = try run.evaluate(self.call)
        run.place = self.place
        try run.write(text: value)
        return .goesOn
    }
}

final class GenerationAction: Action {
    private let code: MacroCode
    init(_ code: MacroCode) { self.code = code }

    func execute(_ run: Run) throws(JinjaError) -> Flow {
        try run.write(text: try MacroObject(self.code, run.activation).call(Arguments(), run))
        return .goesOn
    }
}
