internal import JinjaSyntax
internal import PythonCompat

/// A template ready to run.
struct Program: Sendable {
    /// The names that the template takes from outside, globals included.
    var freeNames: [String]
    var root: FunctionCode
    var blocks: [ExactText: BlockCode]
}

struct BlockCode: Sendable {
    var code: FunctionCode
    var isRequired: Bool
}

/// What runs with variables of its own: the template, a macro, a block, a recursive loop, a loop's condition.
struct FunctionCode: Sendable {
    var slotCount: Int
    var loads: [Load]
    var body: Body
}

/// How a variable gets its value where its scope begins.
enum Load: Sendable {
    /// From outside the template.
    case resolve(Int, name: Int)
    /// From the same name further out.
    case alias(Int, Reference)
    case undefined(Int)
}

/// Where a variable is: so many functions out, and which of that function's.
struct Reference: Sendable {
    var hops: Int
    var slot: Int
}

struct Body: Sendable {
    var actions: [any Action]
}

/// An expression with what its evaluation needs of the stack.
struct Root: Sendable {
    var node: any Node
    var depth: Int
    /// Calls may change more than they give.
    var hasCalls: Bool
}

/// Gives every name a variable, by the rules that Jinja's compiler has for scopes.
final class Compiler {
    static func program(_ statements: [Stmt], _ dialect: Template.Dialect) throws(JinjaError) -> Program {
        let compiler = Compiler(dialect)
        return try compiler.program(statements)
    }

    private let dialect: Template.Dialect
    private let stack = StackGuard()
    private var freeNames: [String] = []
    private var freeIndex: [ExactText: Int] = [:]
    private var blocks: [(block: Statement.Block, place: Place)] = []
    /// What `{% autoescape %}` says where the compiler is; `isVolatile` if only the run tells.
    private var autoescapes = false
    private var isVolatile = false

    private init(_ dialect: Template.Dialect) { self.dialect = dialect }

    /// Where the compiler is.
    private struct Frame {
        var scope: Scope
        var isTop = false
        /// Filters that are not there are found when they are used.
        var isSoft = false
        var isInLoop = false

        var soft: Frame {
            var frame = self
            frame.scope = self.scope.copy()
            frame.isSoft = true
            return frame
        }

        func inner(_ function: Scope.Function? = nil) -> Frame {
            Frame(
                scope: Scope(self.scope, function ?? self.scope.function),
                isInLoop: function == nil ? self.isInLoop : false)
        }
    }

    // MARK: Statements

    private func program(_ statements: [Stmt]) throws(JinjaError) -> Program {
        self.blocks = statements.blocks
        var names: Set<ExactText> = []
        for (block, place) in self.blocks {
            guard names.insert(ExactText(block.name)).inserted else {
                throw JinjaError(.syntax, "the block '\(block.name)' is given twice", at: place)
            }
        }
        let root = try self.function(statements, isTop: true, specials: ["self"], block: nil)
        var blocks: [ExactText: BlockCode] = [:]
        for (block, _) in self.blocks {
            let code = try self.function(block.body, isTop: false, specials: ["self", "super"], block: block.name)
            blocks[ExactText(block.name)] = BlockCode(code: code, isRequired: block.isRequired)
        }
        return Program(freeNames: self.freeNames, root: root, blocks: blocks)
    }

    /// The template or a block, which is a function of its own.
    private func function(
        _ body: [Stmt], isTop: Bool, specials: Set<String>, block: String?
    ) throws(JinjaError) -> FunctionCode {
        let function = Scope.Function(nil)
        var frame = Frame(scope: Scope(nil, function))
        frame.isTop = isTop
        let used = body.undeclared(specials)
        var actions: [any Action] = []
        for name in used.sorted() {
            let variable = frame.scope.parameter(name)
            actions.append(SpecialAction(slot: variable.slot, block: isSame(name, "super") ? block : nil))
        }
        frame.scope.visit(body)
        let loads = self.loads(frame)
        actions += try self.actions(body, frame)
        return FunctionCode(slotCount: function.slotCount, loads: loads, body: Body(actions: actions))
    }

    private func loads(_ frame: Frame) -> [Load] {
        frame.scope.loads.compactMap { load in
            switch load.kind {
            case .parameter: nil
            case .resolve(let name): .resolve(load.variable.slot, name: self.free(name))
            case .alias(let outer): .alias(load.variable.slot, self.reference(outer, from: frame))
            case .undefined: .undefined(load.variable.slot)
            }
        }
    }

    private func free(_ name: String) -> Int {
        let key = ExactText(name)
        if let index = self.freeIndex[key] { return index }
        self.freeIndex[key] = self.freeNames.count
        self.freeNames.append(name)
        return self.freeNames.count - 1
    }

    private func reference(_ variable: Scope.Variable, from frame: Frame) -> Reference {
        var hops = 0
        var function: Scope.Function? = frame.scope.function
        while let here = function, ObjectIdentifier(here) != variable.function {
            hops += 1
            function = here.parent
        }
        return Reference(hops: hops, slot: variable.slot)
    }

    /// What is left behind: every variable of a frame that ends.
    private func leaving(_ frame: Frame) -> [Int] { frame.scope.loads.map(\.variable.slot) }

    private func actions(_ body: [Stmt], _ frame: Frame) throws(JinjaError) -> [any Action] {
        var actions: [any Action] = []
        for statement in body { actions.append(contentsOf: try self.action(statement, frame)) }
        return actions
    }

    private func body(_ statements: [Stmt], _ frame: Frame) throws(JinjaError) -> Body {
        Body(actions: try self.actions(statements, frame))
    }

    private func action(_ statement: Stmt, _ frame: Frame) throws(JinjaError) -> [any Action] {
        let place = statement.place
        try self.stack.check(at: place)
        switch statement.statement {
        case .output(let parts):
            var actions: [any Action] = []
            for part in parts {
                switch part {
                case .data(let text): actions.append(TextAction(text))
                case .value(let value):
                    // What is constant is made safe as it is known to be when the template is compiled.
                    let isConstant = value.isConstant(self.isVolatile)
                    actions.append(
                        OutputAction(
                            try self.root(value, frame, isPrinted: true), escapes: self.autoescapes,
                            isVolatile: self.isVolatile && !isConstant, value.place))
                }
            }
            return actions
        case .loop(let loop): return [try self.loop(loop, place, frame)]
        case .choice(let branches, let other): return [try self.choice(branches, other, frame)]
        case .assign(let target, let value):
            return [
                AssignAction(
                    try self.target(target, frame), try self.root(value, frame),
                    namespaces: try self.namespaces(target, frame), exports: self.exports(target, frame), place)
            ]
        case .capture(let target, let filter, let body):
            let inner = frame.inner()
            inner.scope.visit(body)
            if let filter { inner.scope.visit(filter) }
            let loads = self.loads(inner)
            let code = try self.body(body, inner)
            return [
                CaptureAction(
                    try self.target(target, frame),
                    filter: try filter.map { (filter) throws(JinjaError) in try self.root(filter, inner) },
                    loads, code, leaving: self.leaving(inner), exports: self.exports(target, frame), place)
            ]
        case .with(let values, let body): return [try self.with(values, body, place, frame)]
        case .macro(let name, let signature, let body):
            let code = try self.macro(name, signature, body, place, frame)
            guard let variable = frame.scope.find(ExactText(name)) else { return [] }
            return [
                MacroAction(
                    code, self.reference(variable, from: frame),
                    exports: frame.isTop && !self.blocks.isEmpty ? name : nil)
            ]
        case .callBlock(let call, let signature, let body):
            let code = try self.macro(nil, signature, body, place, frame)
            return [CallBlockAction(code, try self.root(call, frame, forwardsCaller: true), place)]
        case .generation(let body):
            let code = try self.macro(nil, Signature(), body, place, frame)
            return [GenerationAction(code)]
        case .filterBlock(let filter, let body):
            let inner = frame.inner()
            inner.scope.visit(body)
            inner.scope.visit(filter)
            let loads = self.loads(inner)
            let code = try self.body(body, inner)
            return [
                FilterBlockAction(
                    try self.root(filter, inner), loads, code, leaving: self.leaving(inner),
                    escapes: self.autoescapes, isVolatile: self.isVolatile, place)
            ]
        case .block(let block): return [self.block(block, place, frame)]
        case .autoescape(let flag, let body): return [try self.autoescape(flag, body, place, frame)]
        case .stop(let continues):
            guard frame.isInLoop else {
                throw JinjaError(
                    .syntax, "'\(continues ? "continue" : "break")' stands outside of a loop", at: place)
            }
            return [StopAction(continues ? .continues : .breaks)]
        }
    }

    private func exports(_ target: Expr, _ frame: Frame) -> [(String, Reference)] {
        guard frame.isTop, !self.blocks.isEmpty else { return [] }
        switch target.syntax {
        case .name(let name):
            return frame.scope.find(ExactText(name)).map { [(name, self.reference($0, from: frame))] } ?? []
        case .tuple(let items): return items.flatMap { self.exports($0, frame) }
        default: return []
        }
    }

    private func namespaces(_ target: Expr, _ frame: Frame) throws(JinjaError) -> [any Node] {
        switch target.syntax {
        case .namespaceMember(let name, _): return [try self.name(name, target.place, frame)]
        case .tuple(let items):
            var nodes: [any Node] = []
            for item in items { nodes += try self.namespaces(item, frame) }
            return nodes
        default: return []
        }
    }

    private func target(_ target: Expr, _ frame: Frame) throws(JinjaError) -> Target {
        switch target.syntax {
        case .name(let name):
            guard let variable = frame.scope.find(ExactText(name)) else { return .nothing }
            return .variable(self.reference(variable, from: frame))
        case .namespaceMember(let name, let member):
            return .member(try self.name(name, target.place, frame), member, target.place)
        case .tuple(let items):
            var targets: [Target] = []
            for item in items { targets.append(try self.target(item, frame)) }
            return .tuple(targets, target.place)
        default: return .nothing
        }
    }

    private func loop(_ loop: Statement.Loop, _ place: Place, _ frame: Frame) throws(JinjaError) -> any Action {
        let isExtended =
            loop.isRecursive || !loop.body.undeclared(["loop"]).isEmpty
            || (loop.body + loop.other).blocks.contains(where: \.block.isScoped)
        if let place = loop.storeOfLoop {
            throw JinjaError(.syntax, "'loop' is the loop's own name; nothing can be assigned to it", at: place)
        }
        let function = loop.isRecursive ? Scope.Function(frame.scope.function) : nil
        var inner = frame.inner(function)
        inner.isInLoop = true
        let variable = isExtended ? inner.scope.parameter("loop") : nil
        inner.scope.store(loop.target, asParameter: true)
        inner.scope.visit(loop.body)
        var other: (Frame, Body, [Load])?
        if !loop.other.isEmpty {
            var frame = frame.inner(function)
            // In a recursive loop no outer one can be left.
            frame.isInLoop = function == nil && frame.isInLoop
            frame.scope.visit(loop.other)
            let loads = self.loads(frame)
            other = (frame, try self.body(loop.other, frame), loads)
        }
        let test = try loop.test.map { (test) throws(JinjaError) in
            try self.loopTest(test, loop.target, function, frame)
        }
        let loads = self.loads(inner)
        let target = try self.target(loop.target, inner)
        let body = try self.body(loop.body, inner)
        // All of this runs in the recursive loop's function, if there is one.
        let code = LoopCode(
            target: target, test: test, loads: loads, body: body, leaving: self.leaving(inner),
            loopSlot: variable?.slot,
            otherLoads: other?.2 ?? [], other: other?.1, otherLeaving: other.map { self.leaving($0.0) } ?? [],
            place: loop.target.place)
        let items = try self.root(loop.items, frame)
        guard let function else { return LoopAction(code, items, loop.items.place) }
        return RecursiveLoopAction(
            code, items, slotCount: function.slotCount, escapes: self.autoescapes, isVolatile: self.isVolatile, place)
    }

    /// A loop's condition, which has the loop's names but not its body's.
    private func loopTest(
        _ test: Expr, _ target: Expr, _ loopFunction: Scope.Function?, _ frame: Frame
    ) throws(JinjaError) -> LoopTest {
        let function = Scope.Function(loopFunction ?? frame.scope.function)
        let inner = frame.inner(function)
        inner.scope.store(target, asParameter: true)
        inner.scope.visit(test)
        let loads = self.loads(inner)
        let node = try self.root(test, inner)
        let names = try self.target(target, inner)
        return LoopTest(slotCount: function.slotCount, loads: loads, target: names, test: node)
    }

    private func choice(
        _ branches: [(test: Expr, body: [Stmt])], _ other: [Stmt], _ frame: Frame
    ) throws(JinjaError) -> any Action {
        let soft = frame.soft
        var compiled: [(test: Root, body: Body)] = []
        for (test, body) in branches { compiled.append((try self.root(test, soft), try self.body(body, soft))) }
        return ChoiceAction(compiled, other: try self.body(other, soft))
    }

    private func with(
        _ values: [(target: Expr, value: Expr)], _ body: [Stmt], _ place: Place, _ frame: Frame
    ) throws(JinjaError) -> any Action {
        let inner = frame.inner()
        for (target, _) in values { inner.scope.store(target, asParameter: true) }
        inner.scope.visit(body)
        let loads = self.loads(inner)
        var assignments: [(target: Target, value: Root)] = []
        for (target, value) in values {
            assignments.append((try self.target(target, inner), try self.root(value, frame)))
        }
        return WithAction(loads, assignments, try self.body(body, inner), leaving: self.leaving(inner), place)
    }

    private func macro(
        _ name: String?, _ signature: Signature, _ body: [Stmt], _ place: Place, _ frame: Frame
    ) throws(JinjaError) -> MacroCode {
        let function = Scope.Function(frame.scope.function)
        let inner = frame.inner(function)
        for name in signature.names { inner.scope.parameter(name) }
        for value in signature.defaults { inner.scope.visit(value) }
        inner.scope.visit(body)
        let used = body.undeclared(["caller", "kwargs", "varargs"])
        func special(_ name: String) -> Int? {
            guard used.contains(name), !signature.names.contains(where: { isSame($0, name) }) else { return nil }
            return inner.scope.parameter(name).slot
        }
        if used.contains("caller"), let index = signature.names.firstIndex(where: { isSame($0, "caller") }),
            index < signature.names.count - signature.defaults.count
        {
            throw JinjaError(.syntax, "the parameter 'caller' needs a value of its own, such as caller=none", at: place)
        }
        let (caller, named, positional) = (special("caller"), special("kwargs"), special("varargs"))
        // Once more, now that those names are known.
        for name in signature.names { inner.scope.parameter(name) }
        for value in signature.defaults { inner.scope.visit(value) }
        inner.scope.visit(body)
        let slots = signature.names.map {
            inner.scope.own(ExactText($0)).slot
        }
        var defaults: [Root] = []
        for value in signature.defaults { defaults.append(try self.root(value, inner)) }
        let loads = self.loads(inner)
        let code = try self.body(body, inner)
        return MacroCode(
            name: name, names: signature.names, slots: slots, defaults: defaults, callerSlot: caller, namedSlot: named,
            positionalSlot: positional, takesCaller: used.contains("caller"),
            code: FunctionCode(slotCount: function.slotCount, loads: loads, body: code))
    }

    private func block(_ block: Statement.Block, _ place: Place, _ frame: Frame) -> any Action {
        var locals: [(String, Reference)] = []
        if block.isScoped {
            var scope: Scope? = frame.scope
            var seen: Set<ExactText> = []
            while let here = scope {
                for name in here.stores where seen.insert(name).inserted {
                    if let variable = frame.scope.find(name) {
                        locals.append((name.text, self.reference(variable, from: frame)))
                    }
                }
                scope = here.parent
            }
        }
        return BlockAction(block.name, isScoped: block.isScoped, locals, place)
    }

    private func autoescape(
        _ flag: Expr, _ body: [Stmt], _ place: Place, _ frame: Frame
    ) throws(JinjaError) -> any Action {
        let inner = frame.inner()
        inner.scope.visit(flag)
        inner.scope.visit(body)
        let loads = self.loads(inner)
        let saved = (self.autoescapes, self.isVolatile)
        defer { (self.autoescapes, self.isVolatile) = saved }
        let root = try self.root(flag, inner)
        if case .constant(let constant) = flag.syntax {
            switch constant {
            case .null: self.autoescapes = false
            case .bool(let flag): self.autoescapes = flag
            case .int(let number): self.autoescapes = number != 0
            case .float(let number): self.autoescapes = number != 0
            case .string(let text): self.autoescapes = !text.isEmpty
            case .big: self.autoescapes = true
            }
        } else {
            self.isVolatile = true
        }
        return AutoescapeAction(root, loads, try self.body(body, inner), leaving: self.leaving(inner))
    }

    // MARK: Expressions

    private func root(
        _ expression: Expr, _ frame: Frame, forwardsCaller: Bool = false, isPrinted: Bool = false
    ) throws(JinjaError) -> Root {
        var node = try self.node(expression, frame, forwardsCaller: forwardsCaller)
        if isPrinted, expression.hasSlices, expression.isConstant(self.isVolatile) { node = FoldedNode(node) }
        return Root(
            node: node, depth: expression.depth,
            hasCalls: expression.hasCalls)
    }

    private func name(_ name: String, _ place: Place, _ frame: Frame) throws(JinjaError) -> any Node {
        guard let variable = frame.scope.find(ExactText(name)) else {
            throw JinjaError(.syntax, "the name '\(name)' can't be used here", at: place)
        }
        return NameNode(name, self.reference(variable, from: frame), place)
    }

    private func nodes(_ expressions: [Expr], _ frame: Frame) throws(JinjaError) -> [any Node] {
        var nodes: [any Node] = []
        for expression in expressions { nodes.append(try self.node(expression, frame)) }
        return nodes
    }

    private func node(_ expression: Expr, _ frame: Frame, forwardsCaller: Bool = false) throws(JinjaError) -> any Node {
        let place = expression.place
        try self.stack.check(at: place)
        switch expression.syntax {
        case .constant(let constant): return ConstantNode(constant)
        case .name(let name): return try self.name(name, place, frame)
        case .namespaceMember(let name, _): return try self.name(name, place, frame)
        case .list(let items): return ListNode(try self.nodes(items, frame), isTuple: false)
        case .tuple(let items): return ListNode(try self.nodes(items, frame), isTuple: true)
        case .dict(let entries):
            return DictNode(
                try self.nodes(entries.map(\.key), frame), try self.nodes(entries.map(\.value), frame), place)
        case .arithmetic: return try self.chain(expression, frame)
        case .and(let left, let right):
            return LogicNode(isAnd: true, try self.node(left, frame), try self.node(right, frame), place)
        case .or(let left, let right):
            return LogicNode(isAnd: false, try self.node(left, frame), try self.node(right, frame), place)
        case .not(let operand): return NotNode(try self.node(operand, frame), place)
        case .negative(let operand): return SignNode(isNegative: true, try self.node(operand, frame), place)
        case .positive(let operand): return SignNode(isNegative: false, try self.node(operand, frame), place)
        case .concat(let items):
            let isConstant = expression.isConstant(self.isVolatile)
            return ConcatNode(
                try self.nodes(items, frame), escapes: self.autoescapes && !self.isVolatile && !isConstant, place)
        case .compare(let first, let rest):
            return CompareNode(
                try self.node(first, frame), rest.map(\.operation), try self.nodes(rest.map(\.value), frame), place)
        case .condition(let test, let value, let other):
            let soft = frame.soft
            return ConditionNode(
                try self.node(test, soft), try self.node(value, soft),
                try other.map { (other) throws(JinjaError) in try self.node(other, soft) }, place)
        case .attribute(let operand, let name): return AttributeNode(try self.node(operand, frame), name, place)
        case .item(let operand, let index):
            if case .slice(let start, let stop, let step) = index.syntax {
                return SliceNode(
                    try self.node(operand, frame), try start.map { (e) throws(JinjaError) in try self.node(e, frame) },
                    try stop.map { (e) throws(JinjaError) in try self.node(e, frame) },
                    try step.map { (e) throws(JinjaError) in try self.node(e, frame) }, place)
            }
            return ItemNode(try self.node(operand, frame), try self.node(index, frame), place)
        case .slice(let start, let stop, let step):
            return SliceNode(
                nil, try start.map { (e) throws(JinjaError) in try self.node(e, frame) },
                try stop.map { (e) throws(JinjaError) in try self.node(e, frame) },
                try step.map { (e) throws(JinjaError) in try self.node(e, frame) }, place)
        case .call(let function, let arguments):
            return CallNode(
                try self.node(function, frame), try self.arguments(arguments, frame), forwardsCaller: forwardsCaller,
                place)
        case .filter(let operand, let name, let arguments):
            let filter = Filter.named(name, self.dialect)
            if filter == nil, !frame.isSoft {
                throw JinjaError(.syntax, "there is no filter '\(name)'", at: place)
            }
            return FilterNode(
                try operand.map { (e) throws(JinjaError) in try self.node(e, frame) }, name, filter,
                try self.arguments(arguments, frame), place)
        case .test(let operand, let name, let arguments):
            let test = JinjaTest.named(name)
            if test == nil, !frame.isSoft { throw JinjaError(.syntax, "there is no test '\(name)'", at: place) }
            return TestNode(
                try self.node(operand, frame), name, test, try self.arguments(arguments, frame), place)
        }
    }

    /// A chain of operators, whose left sides nest, without recursion: templates add up texts of a hundred parts.
    private func chain(_ expression: Expr, _ frame: Frame) throws(JinjaError) -> any Node {
        var first = expression
        var steps: [(operation: Arithmetic, right: Expr, isPowerFirst: Bool, place: Place)] = []
        while case .arithmetic(let operation, let left, let right) = first.syntax {
            // Jinja writes a negative constant without brackets, so that Python takes the power first.
            let isPowerFirst =
                operation == .power && left.isConstant(self.isVolatile) && !right.isConstant(self.isVolatile)
            steps.append((operation, right, isPowerFirst, first.place))
            first = left
        }
        var node = try self.node(first, frame)
        for step in steps.reversed() {
            node = ArithmeticNode(
                step.operation, node, try self.node(step.right, frame), isPowerFirst: step.isPowerFirst, step.place)
        }
        return node
    }

    private func arguments(_ arguments: CallArguments, _ frame: Frame) throws(JinjaError) -> ArgumentNodes {
        ArgumentNodes(
            positional: try self.nodes(arguments.positional, frame),
            names: arguments.named.map(\.name), named: try self.nodes(arguments.named.map(\.value), frame),
            sequence: try arguments.sequence.map { (e) throws(JinjaError) in try self.node(e, frame) },
            mapping: try arguments.mapping.map { (e) throws(JinjaError) in try self.node(e, frame) })
    }
}
