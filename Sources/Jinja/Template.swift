internal import PythonCompat

/// What one rendering may use; templates are not trusted.
public struct Limits: Sendable, Hashable {
    /// Units of work: about one for each node evaluated and for each 64 bytes or elements handled.
    public var steps: UInt64
    /// Bytes of the output and of any value made on the way; an element of a list counts as 16.
    public var bytes: Int

    public init(steps: UInt64 = 2_000_000, bytes: Int = 16 << 20) {
        self.steps = steps
        self.bytes = max(0, bytes)
    }

    /// How deep calls, blocks, expressions and values may nest together, so that 512 KiB of stack are enough.
    static let maxDepth = 400
}

/// A parsed Jinja template, with the meaning that Jinja 3.1 gives it in Python.
///
/// It never changes, and can be rendered on any thread.
public struct Template: Sendable {
    /// What a template is for, which decides how it is read.
    public enum Dialect: Sendable {
        /// A task file's, as lm-eval reads it: undefined values may be tested with `is defined` and replaced with
        /// `default()`, and nothing else; a newline at the end is kept.
        case task
        /// A model's chat template, as transformers reads it: lines with a tag alone are trimmed, undefined values are
        /// empty, and nothing that is given to it can be changed.
        case chat
    }

    private let source: String
    private let dialect: Dialect
    private let program: Program

    /// Parses `source`.
    ///
    /// - Throws: `JinjaError` with the place in the template.
    public init(_ source: String, dialect: Dialect = .task) throws(JinjaError) {
        self.source = source
        self.dialect = dialect
        self.program = try Compiler.program(try Parser.parse(source, dialect), dialect)
    }

    /// The names that the template takes from outside, but for those that every template has.
    public var names: [String] {
        self.program.freeNames.filter { Globals.value($0, self.dialect) == nil }
    }

    /// Renders to text.
    ///
    /// - Parameter variables: Gives a variable's value, `nil` for none; it is asked once for each name that is used.
    public func render(
        limits: Limits = Limits(), _ variables: @escaping (String) -> Value?
    ) throws(JinjaError) -> String {
        let run = Run(self.program, self.dialect, limits, variables)
        try run.run()
        return run.output
    }

    /// The value of the template's one expression.
    ///
    /// White space and statements that print nothing may stand around the expression.
    public func evaluate(
        limits: Limits = Limits(), _ variables: @escaping (String) -> Value?
    ) throws(JinjaError) -> Value {
        let run = Run(self.program, self.dialect, limits, variables)
        run.values = []
        try run.run()
        guard let values = run.values, values.count == 1, run.output.unicodeScalars.allSatisfy(PythonText.isSpace)
        else {
            throw JinjaError(.value, "the template must give one value, as {{ expression }} with no other text")
        }
        return try run.copy(values[0])
    }

    /// Goes through the template as far as that is possible without knowing the variables.
    ///
    /// - Throws: `JinjaError` for what fails whatever the variables are, such as a method that nothing has.
    public func probe(limits: Limits = Limits()) throws(JinjaError) {
        var probe = Probe(self.dialect)
        try probe.visit(try Parser.parse(self.source, self.dialect))
        let run = Run(self.program, self.dialect, limits, probes: true) { _ in nil }
        do throws(JinjaError) {
            try run.run()
        } catch  where UnknownObject.isUnknown(error) {
            return
        }
    }
}

extension Run {
    /// A value that holds nothing of the run, which is about to take apart what it made.
    func copy(_ value: Value) throws(JinjaError) -> Value {
        try self.charge(1)
        switch value {
        case .list(let list):
            try self.enter()
            defer { self.leave() }
            var items: [Value] = []
            for item in list.items { items.append(try self.copy(item)) }
            return Value(list: items)
        case .tuple(let tuple):
            try self.enter()
            defer { self.leave() }
            var items: [Value] = []
            for item in tuple.items { items.append(try self.copy(item)) }
            return Value(tuple: items)
        case .dict(let dict):
            try self.enter()
            defer { self.leave() }
            var entries: [(key: Value, value: Value)] = []
            for (key, value) in dict.entries { entries.append((try self.copy(key), try self.copy(value))) }
            return Value(dict: entries)
        case .undefined(let undefined):
            if undefined.isStrict { throw self.error(undefined) }
            return value
        case .object:
            // What Python would print, so that a range or a view is seen as what it is.
            return .string(try self.repr(value))
        default: return value
        }
    }
}

/// Looks for what can't work in a template, whatever is given to it.
private struct Probe {
    private let dialect: Template.Dialect
    /// Whatever is assigned to anywhere in the template.
    private var assigned: Set<ExactString> = []
    /// Members of namespaces, which may be macros.
    private var members: Set<ExactString> = []

    init(_ dialect: Template.Dialect) { self.dialect = dialect }

    private static let attributes: Set<String> = StringMethod.names.union(ListMethods.names).union(DictMethods.names)
        .union([
            "unescape", "striptags", "isdisjoint", "conjugate", "as_integer_ratio", "is_integer", "hex", "bit_length",
            "bit_count", "cycle", "changed", "next", "reset", "super", "current", "sep", "grouper", "to_bytes",
            "from_bytes", "fromhex",
        ])

    mutating func visit(_ statements: [Stmt]) throws(JinjaError) {
        self.collect(statements)
        try self.check(statements)
    }

    private mutating func declare(_ target: Expr) {
        switch target.syntax {
        case .name(let name): self.assigned.insert(ExactString(text: name))
        case .namespaceMember(_, let member): self.members.insert(ExactString(text: member))
        default: for child in target.children { self.declare(child) }
        }
    }

    private mutating func collect(_ expression: Expr) {
        if case .call(_, let arguments) = expression.syntax {
            for (name, _) in arguments.named { self.members.insert(ExactString(text: name)) }
        }
        if case .dict(let entries) = expression.syntax {
            for (key, _) in entries {
                if case .constant(.string(let name)) = key.syntax { self.members.insert(ExactString(text: name)) }
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
                self.assigned.formUnion(([name] + signature.names).map { ExactString(text: $0) })
            case .callBlock(_, let signature, _):
                self.assigned.formUnion(signature.names.map { ExactString(text: $0) })
            case .block(let block): self.members.insert(ExactString(text: block.name))
            default: break
            }
            for body in statement.bodies { self.collect(body) }
        }
    }

    private func check(_ statements: [Stmt]) throws(JinjaError) {
        for statement in statements {
            for expression in statement.expressions { try self.check(expression) }
            for body in statement.bodies { try self.check(body) }
        }
    }

    private func check(_ expression: Expr) throws(JinjaError) {
        switch expression.syntax {
        case .call(let function, _):
            switch function.syntax {
            case .name(let name):
                guard
                    self.assigned.contains(ExactString(text: name)) || Globals.value(name, self.dialect) != nil
                        || ["loop", "caller", "super", "self", "varargs", "kwargs", "strftime_now"].contains(name)
                else { throw JinjaError(.undefined, "there is no function '\(name)'", at: function.place) }
            case .attribute(_, let name):
                guard Self.attributes.contains(name) || self.members.contains(ExactString(text: name)) else {
                    throw JinjaError(.undefined, "nothing has a method '\(name)'", at: function.place)
                }
            default: break
            }
        case .filter(_, let name, _):
            if Filter.named(name, self.dialect) == nil {
                throw JinjaError(.runtime, "there is no filter '\(name)'", at: expression.place)
            }
            if name == "random" {
                throw JinjaError(
                    .unsupported, "'random' gives another value each time, so that no prompt with it can be reproduced",
                    at: expression.place)
            }
        case .test(_, let name, _):
            if JinjaTest.named(name) == nil {
                throw JinjaError(.runtime, "there is no test '\(name)'", at: expression.place)
            }
        default: break
        }
        for child in expression.children { try self.check(child) }
    }
}

extension Stmt {
    /// Every expression directly within that is evaluated.
    var expressions: [Expr] {
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
