public import PythonCompat

/// An expression as it stands in a template.
public indirect enum Syntax: Sendable {
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

/// A value that stands in a template.
public enum Constant: Sendable {
    case null
    case bool(Bool)
    case int(Int)
    case big(BigInteger)
    case float(Double)
    case string(String)
}

/// An operator of arithmetic.
public enum Arithmetic: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case floorDivide = "//"
    case modulo = "%"
    case power = "**"
}

/// An operator that asks for an order.
public enum Comparison: String, Sendable {
    case less = "<"
    case lessEqual = "<="
    case greater = ">"
    case greaterEqual = ">="
}

/// What chains of comparisons are made of.
public enum Comparing: Sendable {
    case equal, notEqual, isIn, isNotIn
    case order(Comparison)
}

/// An expression and its place.
public struct Expr: Sendable {
    public var syntax: Syntax
    public var place: Place
    /// How deep it nests, which bounds every recursion over it.
    public var depth: Int
}

public struct CallArguments: Sendable {
    public var positional: [Expr] = []
    public var named: [(name: String, value: Expr)] = []
    public var sequence: Expr?
    public var mapping: Expr?

    public var isEmpty: Bool {
        self.positional.isEmpty && self.named.isEmpty && self.sequence == nil && self.mapping == nil
    }

    public var expressions: [Expr] {
        self.positional + self.named.map(\.value) + [self.sequence, self.mapping].compactMap { $0 }
    }
}

/// A statement as it stands in a template.
public indirect enum Statement: Sendable {
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

    public enum Output: Sendable {
        case data(String)
        case value(Expr)
    }

    public struct Loop: Sendable {
        public var target: Expr
        public var items: Expr
        public var test: Expr?
        public var isRecursive: Bool
        public var body: [Stmt]
        public var other: [Stmt]
    }

    public struct Block: Sendable {
        public var name: String
        public var isScoped: Bool
        public var isRequired: Bool
        public var body: [Stmt]
    }
}

public struct Stmt: Sendable {
    public var statement: Statement
    public var place: Place
}

/// A macro's parameters; the last ones have defaults.
public struct Signature: Sendable {
    public var names: [String] = []
    public var defaults: [Expr] = []

    public init() {}
}

extension Expr {
    /// Whether Jinja computes it when it compiles a template, which shows where it forgives.
    public func isConstant(_ isVolatile: Bool) -> Bool {
        switch self.syntax {
        case .name, .namespaceMember, .call: return false
        case .filter(let operand, let name, _):
            let needsContext = ["map", "select", "reject", "selectattr", "rejectattr", "random"]
            if operand == nil || isVolatile || needsContext.contains(name) { return false }
        default: break
        }
        return self.children.allSatisfy { $0.isConstant(isVolatile) }
    }

    public var hasSlices: Bool {
        if case .slice = self.syntax { return true }
        return self.children.contains(where: \.hasSlices)
    }

    public var hasCalls: Bool {
        if case .call = self.syntax { return true }
        return self.children.contains(where: \.hasCalls)
    }

    /// Every expression directly within.
    public var children: [Expr] {
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

extension Stmt {
    /// Every list of statements directly within.
    public var bodies: [[Stmt]] {
        switch self.statement {
        case .output, .assign, .stop: []
        case .loop(let loop): [loop.body, loop.other]
        case .choice(let branches, let other): branches.map(\.body) + [other]
        case .capture(_, _, let body), .with(_, let body), .macro(_, _, let body), .callBlock(_, _, let body),
            .filterBlock(_, let body), .autoescape(_, let body), .generation(let body):
            [body]
        case .block(let block): [block.body]
        }
    }

    /// Every expression directly within that is evaluated.
    public var expressions: [Expr] {
        switch self.statement {
        case .output(let parts): parts.compactMap { if case .value(let value) = $0 { value } else { nil } }
        case .loop(let loop): [loop.items] + [loop.test].compactMap { $0 }
        case .choice(let branches, _): branches.map(\.test)
        case .assign(_, let value): [value]
        case .capture(_, let filter, _): [filter].compactMap { $0 }
        case .with(let values, _): values.map(\.value)
        case .macro(_, let signature, _): signature.defaults
        case .callBlock(let call, let signature, _): [call] + signature.defaults
        case .filterBlock(let filter, _): [filter]
        case .autoescape(let flag, _): [flag]
        case .block, .generation, .stop: []
        }
    }
}
