public import PythonCompat

// What can be asked of statements without running them.

extension [Stmt] {
    /// Which of the names are read before anything is assigned to them, within inner scopes too.
    public func undeclared(_ names: Set<String>) -> Set<String> {
        var finder = UndeclaredNames(names: Set(names.map { ExactText($0) }))
        finder.visit(self)
        return Set(finder.found.map(\.text))
    }

    /// Every block, whatever it stands in.
    public var blocks: [(block: Statement.Block, place: Place)] {
        var blocks: [(block: Statement.Block, place: Place)] = []
        for statement in self {
            if case .block(let block) = statement.statement { blocks.append((block, statement.place)) }
            for body in statement.bodies { blocks += body.blocks }
        }
        return blocks
    }
}

extension Statement.Loop {
    /// Where something is assigned to the name `loop`, which is the loop's own.
    public var storeOfLoop: Place? {
        var stores = LoopStores()
        stores.target(self.target)
        stores.visit(self.body)
        stores.visit(self.other)
        return stores.place
    }
}

/// Goes through statements for names that are read before anything of that name is declared.
private struct UndeclaredNames {
    var names: Set<ExactText>
    var found: Set<ExactText> = []

    private mutating func read(_ expression: Expr) {
        if case .name(let name) = expression.syntax, self.names.contains(ExactText(name)) {
            self.found.insert(ExactText(name))
        }
        for child in expression.children { self.read(child) }
    }

    private mutating func declare(_ target: Expr) {
        if case .name(let name) = target.syntax { self.names.remove(ExactText(name)) }
        for child in target.children { self.declare(child) }
    }

    private mutating func declare(_ signature: Signature) {
        for name in signature.names { self.names.remove(ExactText(name)) }
        for value in signature.defaults { self.read(value) }
    }

    mutating func visit(_ statements: [Stmt]) {
        for statement in statements {
            switch statement.statement {
            case .output(let parts): for case .value(let value) in parts { self.read(value) }
            case .loop(let loop):
                self.declare(loop.target)
                self.read(loop.items)
                self.visit(loop.body)
                self.visit(loop.other)
                if let test = loop.test { self.read(test) }
            case .choice(let branches, let other):
                for (test, body) in branches {
                    self.read(test)
                    self.visit(body)
                }
                self.visit(other)
            case .assign(let target, let value):
                self.declare(target)
                self.read(value)
            case .capture(let target, let filter, let body):
                self.declare(target)
                if let filter { self.read(filter) }
                self.visit(body)
            case .with(let values, let body):
                for (target, _) in values { self.declare(target) }
                for (_, value) in values { self.read(value) }
                self.visit(body)
            case .macro(_, let signature, let body):
                self.declare(signature)
                self.visit(body)
            case .callBlock(let call, let signature, let body):
                self.read(call)
                self.declare(signature)
                self.visit(body)
            case .filterBlock(let filter, let body):
                self.visit(body)
                self.read(filter)
            case .autoescape(let flag, let body):
                self.read(flag)
                self.visit(body)
            case .generation(let body): self.visit(body)
            case .block, .stop: break
            }
        }
    }
}

/// Finds where something is assigned to `loop`.
private struct LoopStores {
    var place: Place?

    mutating func target(_ target: Expr) {
        if case .name(let name) = target.syntax, name == "loop" { self.place = self.place ?? target.place }
        if case .tuple(let items) = target.syntax { for item in items { self.target(item) } }
    }

    mutating func visit(_ statements: [Stmt]) {
        for statement in statements {
            switch statement.statement {
            case .assign(let target, _), .capture(let target, _, _): self.target(target)
            case .loop(let loop): self.target(loop.target)
            default: break
            }
            for body in statement.bodies { self.visit(body) }
        }
    }
}

/// What a template declares anywhere, whatever scope that is in.
public struct DeclaredNames {
    /// Whatever is assigned to.
    public private(set) var variables: Set<ExactText> = []
    /// Members of namespaces and dictionaries, which may be macros.
    public private(set) var members: Set<ExactText> = []

    public init() {}

    public init(of statements: [Stmt]) { self.collect(statements) }

    private mutating func declare(_ target: Expr) {
        switch target.syntax {
        case .name(let name): self.variables.insert(ExactText(name))
        case .namespaceMember(_, let member): self.members.insert(ExactText(member))
        default: for child in target.children { self.declare(child) }
        }
    }

    private mutating func collect(_ expression: Expr) {
        if case .call(_, let arguments) = expression.syntax {
            for (name, _) in arguments.named { self.members.insert(ExactText(name)) }
        }
        if case .dict(let entries) = expression.syntax {
            for (key, _) in entries {
                if case .constant(.string(let name)) = key.syntax { self.members.insert(ExactText(name)) }
            }
        }
        for child in expression.children { self.collect(child) }
    }

    private mutating func collect(_ statements: [Stmt]) {
        for statement in statements {
            for expression in statement.expressions { self.collect(expression) }
            switch statement.statement {
            case .assign(let target, _), .capture(let target, _, _): self.declare(target)
            case .loop(let loop): self.declare(loop.target)
            case .with(let values, _): for (target, _) in values { self.declare(target) }
            case .macro(let name, let signature, _):
                self.variables.formUnion(([name] + signature.names).map { ExactText($0) })
            case .callBlock(_, let signature, _): self.variables.formUnion(signature.names.map { ExactText($0) })
            case .block(let block): self.members.insert(ExactText(block.name))
            default: break
            }
            for body in statement.bodies { self.collect(body) }
        }
    }
}
