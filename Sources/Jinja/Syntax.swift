/// An expression as it stands in a template.
indirect enum Syntax: Sendable {
    case constant(Constant)
    case name(String)
    /// `name.attribute` where something is assigned to it.
    case namespaceMember(String, String)
    case list([Expr])
    case tuple([Expr])
    case dict([(key: Expr, value: Expr)])
    case arithmetic(Arithmetic, Expr, Expr)
    case and(Expr, Expr)
    case or(Expr, Expr)
    case not(Expr)
    case negative(Expr)
    case positive(Expr)
    case concat([Expr])
    case compare(Expr, [(operation: Comparing, value: Expr)])
    /// `value if test else other`.
    case condition(test: Expr, value: Expr, other: Expr?)
    case attribute(Expr, String)
    case item(Expr, Expr)
    case slice(Expr?, Expr?, Expr?)
    case call(Expr, CallArguments)
    /// No operand for a filter block's filter.
    case filter(Expr?, String, CallArguments)
    case test(Expr, String, CallArguments)
}

/// What chains of comparisons are made of.
enum Comparing: Sendable {
    case equal, notEqual, isIn, isNotIn
    case order(Comparison)
}

/// An expression and its place.
struct Expr: Sendable {
    var syntax: Syntax
    var place: Place
    /// How deep it nests, which bounds every recursion over it.
    var depth: Int
}

struct CallArguments: Sendable {
    var positional: [Expr] = []
    var named: [(name: String, value: Expr)] = []
    var sequence: Expr?
    var mapping: Expr?

    var isEmpty: Bool { self.positional.isEmpty && self.named.isEmpty && self.sequence == nil && self.mapping == nil }

    var expressions: [Expr] {
        self.positional + self.named.map(\.value) + [self.sequence, self.mapping].compactMap { $0 }
    }
}

/// A statement as it stands in a template.
indirect enum Statement: Sendable {
    case output([Output])
    case loop(Loop)
    case choice([(test: Expr, body: [Stmt])], other: [Stmt])
    case assign(Expr, Expr)
    /// `{% set x | filter %}...{% endset %}`
    case capture(Expr, filter: Expr?, [Stmt])
    case with([(target: Expr, value: Expr)], [Stmt])
    case macro(String, Signature, [Stmt])
    case callBlock(Expr, Signature, [Stmt])
    case filterBlock(Expr, [Stmt])
    case block(Block)
    case autoescape(Expr, [Stmt])
    /// transformers' tag around what the model said.
    case generation([Stmt])
    case stop(continues: Bool)

    enum Output: Sendable {
        case data(String)
        case value(Expr)
    }

    struct Loop: Sendable {
        var target: Expr
        var items: Expr
        var test: Expr?
        var isRecursive: Bool
        var body: [Stmt]
        var other: [Stmt]
    }

    struct Block: Sendable {
        var name: String
        var isScoped: Bool
        var isRequired: Bool
        var body: [Stmt]
    }
}

struct Stmt: Sendable {
    var statement: Statement
    var place: Place
}

/// A macro's parameters; the last ones have defaults.
struct Signature: Sendable {
    var names: [String] = []
    var defaults: [Expr] = []
}

extension Expr {
    /// Whether Jinja computes it when it compiles a template, which shows where it forgives.
    func isConstant(_ isVolatile: Bool) -> Bool {
        switch self.syntax {
        case .name, .namespaceMember, .call: return false
        case .filter(let operand, let name, _):
            let needsContext = ["map", "select", "reject", "selectattr", "rejectattr", "random"]
            if operand == nil || isVolatile || needsContext.contains(name) { return false }
        default: break
        }
        return self.children.allSatisfy { $0.isConstant(isVolatile) }
    }

    var hasSlices: Bool {
        if case .slice = self.syntax { return true }
        return self.children.contains(where: \.hasSlices)
    }

    var hasCalls: Bool {
        if case .call = self.syntax { return true }
        return self.children.contains(where: \.hasCalls)
    }

    /// Every expression directly within.
    var children: [Expr] {
        switch self.syntax {
        case .constant, .name, .namespaceMember: []
        case .list(let items), .tuple(let items), .concat(let items): items
        case .dict(let entries): entries.flatMap { [$0.key, $0.value] }
        case .arithmetic(_, let a, let b), .and(let a, let b), .or(let a, let b), .item(let a, let b): [a, b]
        case .not(let a), .negative(let a), .positive(let a), .attribute(let a, _): [a]
        case .compare(let first, let rest): [first] + rest.map(\.value)
        case .condition(let test, let value, let other): [test, value] + [other].compactMap { $0 }
        case .slice(let a, let b, let c): [a, b, c].compactMap { $0 }
        case .call(let function, let arguments): [function] + arguments.expressions
        case .filter(let operand, _, let arguments): [operand].compactMap { $0 } + arguments.expressions
        case .test(let operand, _, let arguments): [operand] + arguments.expressions
        }
    }
}
