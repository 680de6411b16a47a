internal import JinjaSyntax
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

        fileprivate func parse(_ source: String) throws(JinjaError) -> [Stmt] {
            do throws(SyntaxError) {
                return try Parser.parse(source, SyntaxOptions(trims: self == .chat, hasChatTags: self == .chat))
            } catch {
                throw JinjaError(error)
            }
        }
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
        self.program = try Compiler.program(try dialect.parse(source), dialect)
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
        try probe.visit(try self.dialect.parse(self.source))
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
