internal import JinjaSyntax

/// A template that can't be parsed or rendered.
public struct JinjaError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of thing went wrong.
    ///
    /// Where Python raises an exception of its own, the code names its class.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The template's text is wrong.
        case syntax
        /// A name, an attribute or an element that is not there is used (`UndefinedError`).
        case undefined
        /// A value is of the wrong type, or arguments do not fit (`TypeError`).
        case type
        /// A value is of the right type and can't be used (`ValueError`).
        case value
        /// A key or an element is missing where Python raises `KeyError` or `IndexError`.
        case lookup
        /// `AttributeError`.
        case attribute
        /// Division by zero.
        case division
        /// A number is too large (`OverflowError`).
        case overflow
        /// The sandbox of chat templates forbids it (`SecurityError`).
        case security
        /// What the template itself raised with `raise_exception`.
        case raised
        /// Jinja's own `TemplateRuntimeError` and the like.
        case runtime
        /// The template does more work, makes larger values or nests deeper than `Limits` allow.
        case limit
        /// Jinja has it and this module does not; the message says why.
        case unsupported
    }

    public var code: Code
    public var message: String
    /// The line in the template, from 1; `nil` where none can be named.
    public var line: Int?
    /// The column in that line, from 1, in Unicode code points.
    public var column: Int?

    public init(_ code: Code, _ message: String, line: Int? = nil, column: Int? = nil) {
        self.code = code
        self.message = message
        self.line = line
        self.column = column
    }

    init(_ code: Code, _ message: String, at place: Place) {
        self.init(code, message, line: Int(place.line), column: Int(place.column))
    }

    init(_ error: SyntaxError) {
        let code: Code =
            switch error.kind {
            case .syntax: .syntax
            case .limit: .limit
            case .unsupported: .unsupported
            }
        self.init(
            code, error.message, line: (error.place?.line).map { Int($0) },
            column: (error.place?.column).map { Int($0) })
    }

    /// The message with the place in the template.
    public var description: String {
        guard let line else { return self.message }
        guard let column else { return "line \(line) of the template: \(self.message)" }
        return "line \(line), column \(column) of the template: \(self.message)"
    }
}

extension StackGuard {
    /// - Throws: Where less is left than a call may need.
    func check(at place: Place) throws(JinjaError) {
        guard self.isLow else { return }
        throw JinjaError(.limit, Self.message, at: place)
    }
}
