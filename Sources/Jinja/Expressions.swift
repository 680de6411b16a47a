// What expressions give; Compiler.swift makes them.

internal import JinjaSyntax

extension Constant {
    var value: Value {
        switch self {
        case .null: .null
        case .bool(let flag): .bool(flag)
        case .int(let number): .int(number)
        case .big(let number): .big(number)
        case .float(let number): .float(number)
        case .string(let text): .string(text)
        }
    }
}

final class ConstantNode: Node {
    private let constant: Constant
    init(_ constant: Constant) { self.constant = constant }
    func evaluate(_ run: Run) throws(JinjaError) -> Value { self.constant.value }
}

/// What Jinja computes when it compiles a template: a slice of what has none is then undefined.
final class FoldedNode: Node {
    private let node: any Node
    init(_ node: any Node) { self.node = node }

    func evaluate(_ run: Run) throws(JinjaError) -> Value {
        run.isFolding = true
        defer { run.isFolding = false }
        do throws(JinjaError) {
            let value = try self.node.evaluate(run)
            _ = try run.str(value)
            return value
        } catch {
            guard error.code != .limit else { throw error }
        }
        run.isFolding = false
        return try self.node.evaluate(run)
    }
}

final class NameNode: Node {
    private let name: String
    private let reference: Reference
    private let place: Place

    init(_ name: String, _ reference: Reference, _ place: Place) {
        self.name = name
        self.reference = reference
        self.place = place
    }

    func evaluate(_ run: Run) throws(JinjaError) -> Value {
        run.place = self.place
        guard let value = run.value(self.reference) else {
            if run.dialect == .chat, isSame(self.name, "strftime_now") {
                return .undefined(
                    Undefined(
                        "strftime_now can't be used: a prompt that changes with the day can't be reproduced",
                        isStrict: false, code: .unsupported))
            }
            return run.undefined("'\(self.name)' is undefined")
        }
        if run.probes, case .object(let object) = value, object is UnknownObject { throw UnknownObject.error }
        return value
    }
}

final class ListNode: Node {
    private let items: [any Node]
    private let isTuple: Bool

    init(_ items: [any Node], isTuple: Bool) {
        self.items = items
        self.isTuple = isTuple
    }

    func evaluate(_ run: Run) throws(JinjaError) -> Value {
        try run.checkStack()
        var values: [Value] = []
        values.reserveCapacity(self.items.count)
        for item in self.items { values.append(try item.evaluate(run)) }
        return self.isTuple ? try run.tuple(values) : try run.list(values)
    }
}

final class DictNode: Node {
    private let keys: [any Node]
    private let values: [any Node]
    private let place: Place

    init(_ keys: [any Node], _ values: [any Node], _ place: Place) {
        self.keys = keys
        self.values = values
        self.place = place
    }

    func evaluate(_ run: Run) throws(JinjaError) -> Value {
        try run.checkStack()
        var pairs: [(key: Value, value: Value)] = []
        for (key, value) in zip(self.keys, self.values) {
            pairs.append((try key.evaluate(run), try value.evaluate(run)))
        }
        run.place = self.place
        return try run.makeDict(pairs)
    }
}

final class ArithmeticNode: Node {
    private let operation: Arithmetic
    private let left: any Node
    private let right: any Node
    private let isPowerFirst: Bool
    private let place: Place

    /// - Parameter isPowerFirst: A sign on the left is put before the power.
    init(
        _ operation: Arithmetic, _ left: any Node, _ right: any Node, isPowerFirst: Bool = false, _ place: Place
    ) {
        self.operation = operation
        self.left = left
        self.right = right
        self.isPowerFirst = isPowerFirst
        self.place = place
    }

    func evaluate(_ run: Run) throws(JinjaError) -> Value {
        try run.checkStack()
        let left = try self.left.evaluate(run)
        let right = try self.right.evaluate(run)
        run.place = self.place
        if self.isPowerFirst, Number.isNegative(left) {
            return try run.negated(try run.arithmetic(.power, try run.negated(left), right))
        }
        return try run.arithmetic(self.operation, left, right)
    }
}

final class LogicNode: Node {
    private let isAnd: Bool
    private let left: any Node
    private let right: any Node
    private let place: Place

    init(isAnd: Bool, _ left: any Node, _ right: any Node, _ place: Place) {
        self.isAnd = isAnd
        self.left = left
        self.right = right
        self.place = place
    }

    func evaluate(_ run: Run) throws(JinjaError) -> Value {
        try run.checkStack()
        let left = try self.left.evaluate(run)
        run.place = self.place
        return try run.isTrue(left) == self.isAnd ? try self.right.evaluate(run) : left
    }
}

final class NotNode: Node {
    private let operand: any Node
    private let place: Place

    init(_ operand: any Node, _ place: Place) {
        self.operand = operand
        self.place = place
    }

    func evaluate(_ run: Run) throws(JinjaError) -> Value {
        try run.checkStack()
        let value = try self.operand.evaluate(run)
        run.place = self.place
        return .bool(!(try run.isTrue(value)))
    }
}

final class SignNode: Node {
    private let isNegative: Bool
    private let operand: any Node
    private let place: Place

    init(isNegative: Bool, _ operand: any Node, _ place: Place) {
        self.isNegative = isNegative
        self.operand = operand
        self.place = place
    }

    func evaluate(_ run: Run) throws(JinjaError) -> Value {
        try run.checkStack()
        let value = try self.operand.evaluate(run)
        run.place = self.place
        return self.isNegative ? try run.negated(value) : try run.plus(value)
    }
}

final class ConcatNode: Node {
    private let items: [any Node]
    private let escapes: Bool
    private let place: Place

    init(_ items: [any Node], escapes: Bool, _ place: Place) {
        self.items = items
        self.escapes = escapes
        self.place = place
    }

    func evaluate(_ run: Run) throws(JinjaError) -> Value {
        try run.checkStack()
        var values: [Value] = []
        for item in self.items { values.append(try item.evaluate(run)) }
        run.place = self.place
        guard self.escapes else {
            var text = ""
            for value in values {
                text += try run.str(value)
                try run.check(bytes: text.utf8.count)
            }
            return try run.string(text)
        }
        var texts: [Value] = []
        for value in values { texts.append(value.text == nil ? .string(try run.str(value)) : value) }
        let isMarkup = texts.contains { if case .markup = $0 { true } else { false } }
        var text = ""
        for value in texts {
            text += isMarkup ? try run.escaped(value) : value.text ?? ""
            try run.check(bytes: text.utf8.count)
        }
        return isMarkup ? .markup(text) : .string(text)
    }
}

final class CompareNode: Node {
    private let first: any Node
    private let operations: [Comparing]
    private let operands: [any Node]
    private let place: Place

    init(_ first: any Node, _ operations: [Comparing], _ operands: [any Node], _ place: Place) {
        self.first = first
        self.operations = operations
        self.operands = operands
        self.place = place
    }

    func evaluate(_ run: Run) throws(JinjaError) -> Value {
        try run.checkStack()
        var left = try self.first.evaluate(run)
        for (operation, operand) in zip(self.operations, self.operands) {
            let right = try operand.evaluate(run)
            run.place = self.place
            guard try self.holds(operation, left, right, run) else { return .bool(false) }
            left = right
        }
        return .bool(true)
    }

    private func holds(
        _ operation: Comparing, _ left: Value, _ right: Value, _ run: Run
    ) throws(JinjaError) -> Bool {
        switch operation {
        case .equal: try run.isEqual(left, right)
        case .notEqual: !(try run.isEqual(left, right))
        case .isIn: try run.contains(right, left)
        case .isNotIn: !(try run.contains(right, left))
        case .order(let comparison): try run.compare(comparison, left, right)
        }
    }
}

final class ConditionNode: Node {
    private let test: any Node
    private let value: any Node
    private let other: (any Node)?
    private let place: Place

    init(_ test: any Node, _ value: any Node, _ other: (any Node)?, _ place: Place) {
        self.test = test
        self.value = value
        self.other = other
        self.place = place
    }

    func evaluate(_ run: Run) throws(JinjaError) -> Value {
        try run.checkStack()
        let test = try self.test.evaluate(run)
        run.place = self.place
        if try run.isTrue(test) { return try self.value.evaluate(run) }
        if let other = self.other { return try other.evaluate(run) }
        return .undefined(
            Undefined(
                "the inline if-expression evaluated to false and no else section was defined", isStrict: false))
    }
}

final class AttributeNode: Node {
    let operand: any Node
    let name: String
    /// A dictionary's method of that name would hide a member.
    private let isPlain: Bool
    private let place: Place

    init(_ operand: any Node, _ name: String, _ place: Place) {
        self.operand = operand
        self.name = name
        self.isPlain = !DictMethods.names.contains(name) && name.utf8.first != UInt8(ascii: "_")
        self.place = place
    }

    func evaluate(_ run: Run) throws(JinjaError) -> Value {
        try run.checkStack()
        let value = try self.operand.evaluate(run)
        run.place = self.place
        if self.isPlain, case .dict(let dict) = value, let member = try run.member(self.name, of: dict) {
            return member
        }
        return try run.attribute(self.name, of: value)
    }
}

final class ItemNode: Node {
    private let operand: any Node
    private let index: any Node
    private let place: Place

    init(_ operand: any Node, _ index: any Node, _ place: Place) {
        self.operand = operand
        self.index = index
        self.place = place
    }

    func evaluate(_ run: Run) throws(JinjaError) -> Value {
        try run.checkStack()
        let value = try self.operand.evaluate(run)
        let index = try self.index.evaluate(run)
        run.place = self.place
        return try run.item(index, of: value)
    }
}

final class SliceNode: Node {
    /// `nil` for a slice among other indices.
    private let operand: (any Node)?
    private let start: (any Node)?
    private let stop: (any Node)?
    private let step: (any Node)?
    private let place: Place

    init(
        _ operand: (any Node)?, _ start: (any Node)?, _ stop: (any Node)?, _ step: (any Node)?, _ place: Place
    ) {
        self.operand = operand
        self.start = start
        self.stop = stop
        self.step = step
        self.place = place
    }

    func evaluate(_ run: Run) throws(JinjaError) -> Value {
        try run.checkStack()
        let value = try self.operand?.evaluate(run)
        let start = try self.start?.evaluate(run) ?? .null
        let stop = try self.stop?.evaluate(run) ?? .null
        let step = try self.step?.evaluate(run) ?? .null
        run.place = self.place
        guard let value else { return .object(SliceObject()) }
        do throws(JinjaError) {
            return try run.slice(value, start, stop, step)
        } catch {
            guard run.isFolding, error.code == .type else { throw error }
            return run.undefined(error.message)
        }
    }
}

struct ArgumentNodes: Sendable {
    var positional: [any Node]
    var names: [String]
    var named: [any Node]
    var sequence: (any Node)?
    var mapping: (any Node)?

    func evaluate(_ run: Run) throws(JinjaError) -> Arguments {
        var arguments = Arguments()
        for node in self.positional { arguments.positional.append(try node.evaluate(run)) }
        if let sequence = self.sequence {
            let value = try sequence.evaluate(run)
            guard let iterator = try run.iterator(value) else {
                throw run.error(.type, "argument after * must be an iterable, not \(value.typeName)")
            }
            while let item = try iterator.next(run) {
                try run.charge(1)
                arguments.positional.append(item)
            }
        }
        for (name, node) in zip(self.names, self.named) { arguments.named.append((name, try node.evaluate(run))) }
        if let mapping = self.mapping { try self.add(try mapping.evaluate(run), to: &arguments, run) }
        return arguments
    }

    private func add(_ mapping: Value, to arguments: inout Arguments, _ run: Run) throws(JinjaError) {
        let dict: Value.Dict
        switch mapping {
        case .dict(let found): dict = found
        case .undefined(let undefined) where undefined.isStrict: throw run.error(undefined)
        default: throw run.error(.type, "argument after ** must be a mapping, not \(mapping.typeName)")
        }
        for (key, value) in dict.entries {
            guard let name = key.text else { throw run.error(.type, "keywords must be strings") }
            guard !arguments.named.contains(where: { isSame($0.name, name) }) else {
                throw run.error(.type, "got multiple values for keyword argument '\(name)'")
            }
            arguments.named.append((name, value))
        }
    }
}

final class CallNode: Node {
    private let function: any Node
    /// Where a member is called that is a method of texts.
    private let method: (AttributeNode, StringMethod)?
    private let arguments: ArgumentNodes
    private let forwardsCaller: Bool
    private let place: Place

    init(_ function: any Node, _ arguments: ArgumentNodes, forwardsCaller: Bool, _ place: Place) {
        self.function = function
        if !forwardsCaller, let attribute = function as? AttributeNode,
            let method = StringMethod.named(attribute.name, isMarkup: false)
        {
            self.method = (attribute, method)
        } else {
            self.method = nil
        }
        self.arguments = arguments
        self.forwardsCaller = forwardsCaller
        self.place = place
    }

    func evaluate(_ run: Run) throws(JinjaError) -> Value {
        try run.checkStack()
        if let (attribute, method) = self.method, !run.isSandboxed {
            // Most calls are methods of texts, which need no object that holds both.
            let owner = try attribute.operand.evaluate(run)
            if case .string(let text) = owner {
                let arguments = try self.arguments.evaluate(run)
                run.place = self.place
                return try run.call(method, text, isMarkup: false, arguments)
            }
            run.place = self.place
            return try self.call(try run.attribute(attribute.name, of: owner), run)
        }
        return try self.call(try self.function.evaluate(run), run)
    }

    private func call(_ function: Value, _ run: Run) throws(JinjaError) -> Value {
        var arguments = try self.arguments.evaluate(run)
        run.place = self.place
        if self.forwardsCaller, let caller = run.caller {
            guard !arguments.named.contains(where: { isSame($0.name, "caller") }) else {
                throw run.error(.syntax, "keyword argument repeated: caller")
            }
            arguments.named.append(("caller", caller))
            run.caller = nil
        }
        return try run.call(function, arguments)
    }
}

final class FilterNode: Node {
    /// `nil` where a block's text is filtered.
    private let operand: (any Node)?
    private let name: String
    private let filter: Filter?
    private let arguments: ArgumentNodes
    private let place: Place

    init(_ operand: (any Node)?, _ name: String, _ filter: Filter?, _ arguments: ArgumentNodes, _ place: Place) {
        self.operand = operand
        self.name = name
        self.filter = filter
        self.arguments = arguments
        self.place = place
    }

    func evaluate(_ run: Run) throws(JinjaError) -> Value {
        try run.checkStack()
        let value = try self.operand?.evaluate(run) ?? run.filtered.last ?? .string("")
        let arguments = try self.arguments.evaluate(run)
        run.place = self.place
        guard let filter = self.filter else { throw run.error(.runtime, "No filter named '\(self.name)' found.") }
        return try filter.apply(value, arguments, run)
    }
}

final class TestNode: Node {
    private let operand: any Node
    private let name: String
    private let test: JinjaTest?
    private let arguments: ArgumentNodes
    private let place: Place

    init(_ operand: any Node, _ name: String, _ test: JinjaTest?, _ arguments: ArgumentNodes, _ place: Place) {
        self.operand = operand
        self.name = name
        self.test = test
        self.arguments = arguments
        self.place = place
    }

    func evaluate(_ run: Run) throws(JinjaError) -> Value {
        try run.checkStack()
        let value = try self.operand.evaluate(run)
        let arguments = try self.arguments.evaluate(run)
        run.place = self.place
        guard let test = self.test else { throw run.error(.runtime, "No test named '\(self.name)' found.") }
        return .bool(try test.holds(value, arguments, run))
    }
}
