public import PythonCompat

/// The names known in one part of a template, by the rules that Jinja's compiler has for scopes.
///
/// It is told of what stands there statement by statement, and then says which variable each name is.
public final class Scope {
    /// What runs with variables of its own: the template, a macro, a block, a recursive loop, a loop's condition.
    public final class Function {
        public let parent: Function?
        private var variables: [Variable.Name: Variable] = [:]

        public init(_ parent: Function?) { self.parent = parent }

        public var slotCount: Int { self.variables.count }

        fileprivate func variable(_ level: Int, _ name: ExactText) -> Variable {
            let key = Variable.Name(level: level, name: name)
            if let variable = self.variables[key] { return variable }
            let variable = Variable(self, self.variables.count)
            self.variables[key] = variable
            return variable
        }
    }

    public final class Variable {
        fileprivate struct Name: Hashable {
            var level: Int
            var name: ExactText
        }

        /// The function that has it; a reference would keep both of them for ever.
        public let function: ObjectIdentifier
        public let slot: Int

        fileprivate init(_ function: Function, _ slot: Int) {
            self.function = ObjectIdentifier(function)
            self.slot = slot
        }
    }

    /// How a variable gets its value where the scope begins.
    public enum Load {
        /// The caller gives it.
        case parameter
        /// From outside the template.
        case resolve(String)
        /// From the same name further out.
        case alias(Variable)
        case undefined
    }

    public let parent: Scope?
    private let level: Int
    public let function: Function
    private var variables: [ExactText: Variable] = [:]
    /// In the order in which they came.
    public private(set) var loads: [(variable: Variable, kind: Load)] = []
    /// What is assigned to here.
    public private(set) var stores: Set<ExactText> = []

    public init(_ parent: Scope?, _ function: Function) {
        self.parent = parent
        self.level = parent.map { $0.level + 1 } ?? 0
        self.function = function
    }

    private init(copying other: Scope) {
        self.parent = other.parent
        self.level = other.level
        self.function = other.function
        self.variables = other.variables
        self.loads = other.loads
        self.stores = other.stores
    }

    /// What becomes known in the copy is not known here.
    public func copy() -> Scope { Scope(copying: self) }

    /// The variable of a name, here or further out.
    public func find(_ name: ExactText) -> Variable? {
        var scope: Scope? = self
        while let here = scope {
            if let variable = here.variables[name] { return variable }
            scope = here.parent
        }
        return nil
    }

    /// The variable of this scope, whether it is known yet or not.
    public func own(_ name: ExactText) -> Variable { self.function.variable(self.level, name) }

    private func setLoad(_ variable: Variable, _ kind: Load) {
        if let place = self.loads.firstIndex(where: { $0.variable === variable }) {
            self.loads[place].kind = kind
        } else {
            self.loads.append((variable, kind))
        }
    }

    @discardableResult
    private func define(_ name: ExactText, _ kind: Load) -> Variable {
        let variable = self.own(name)
        self.variables[name] = variable
        self.setLoad(variable, kind)
        return variable
    }

    private func store(_ name: ExactText) {
        self.stores.insert(name)
        guard self.variables[name] == nil else { return }
        if let outer = self.parent?.find(name) {
            self.define(name, .alias(outer))
        } else {
            self.define(name, .undefined)
        }
    }

    @discardableResult
    public func parameter(_ name: String) -> Variable {
        let name = ExactText(name)
        self.stores.insert(name)
        return self.define(name, .parameter)
    }

    private func load(_ name: ExactText) { if self.find(name) == nil { self.define(name, .resolve(name.text)) } }

    /// Takes in what the branches of an `if` do.
    private func update(_ branches: [Scope]) {
        var stores: Set<ExactText> = []
        for branch in branches { stores.formUnion(branch.stores) }
        stores.subtract(self.stores)
        for branch in branches {
            for (name, variable) in branch.variables { self.variables[name] = variable }
            for load in branch.loads { self.setLoad(load.variable, load.kind) }
            self.stores.formUnion(branch.stores)
        }
        for name in stores {
            guard let variable = self.find(name) else { continue }
            if let outer = self.parent?.find(name) {
                self.setLoad(variable, .alias(outer))
            } else {
                self.setLoad(variable, .resolve(name.text))
            }
        }
    }

    // MARK: What stands in the scope

    /// An expression, which reads names.
    public func visit(_ expression: Expr) {
        switch expression.syntax {
        case .name(let name), .namespaceMember(let name, _): self.load(ExactText(name))
        default: for child in expression.children { self.visit(child) }
        }
    }

    /// Something that is assigned to, here or by the caller.
    public func store(_ target: Expr, asParameter: Bool = false) {
        switch target.syntax {
        case .name(let name): if asParameter { self.parameter(name) } else { self.store(ExactText(name)) }
        case .namespaceMember(let name, _): self.load(ExactText(name))
        case .tuple(let items): for item in items { self.store(item, asParameter: asParameter) }
        default: break
        }
    }

    /// Statements, without what stands in inner scopes.
    public func visit(_ body: [Stmt]) { for statement in body { self.visit(statement) } }

    private func visit(_ statement: Stmt) {
        switch statement.statement {
        case .output(let parts): for case .value(let value) in parts { self.visit(value) }
        case .loop(let loop): self.visit(loop.items)
        case .choice(let branches, let other): self.visit(branches[...], other)
        case .assign(let target, let value):
            self.visit(value)
            self.store(target)
        case .capture(let target, _, _): self.store(target)
        case .with(let values, _): for (_, value) in values { self.visit(value) }
        case .macro(let name, _, _): self.store(ExactText(name))
        case .callBlock(let call, _, _): self.visit(call)
        case .filterBlock(let filter, _): self.visit(filter)
        case .block, .autoescape, .generation, .stop: break
        }
    }

    /// The first branch's test is seen by the scope itself, as is what the branches do together.
    private func visit(_ branches: ArraySlice<(test: Expr, body: [Stmt])>, _ other: [Stmt]) {
        guard let first = branches.first else { return }
        self.visit(first.test)
        let body = self.copy()
        body.visit(first.body)
        let rest = self.copy()
        for (test, branch) in branches.dropFirst() {
            rest.visit(test)
            let body = rest.copy()
            body.visit(branch)
            rest.update([body, rest.copy(), rest.copy()])
        }
        let last = self.copy()
        last.visit(other)
        self.update([body, rest, last])
    }
}
