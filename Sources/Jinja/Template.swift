internal import CJinja

/// A parsed Jinja template, with the meaning it has in Python under StrictUndefined.
///
/// An undefined name or member may be tested with `is defined` or replaced with `default()`; any other use is an
/// error. A newline at the end is kept, and white space around blocks is only trimmed where the template says so.
public final class Template: Sendable {
    // Safety: C++ never changes a template after parsing it, and the reference is released once, in deinit.
    private nonisolated(unsafe) let parsed: OpaquePointer

    /// What a template is for, which decides how it is read.
    public enum Dialect: Sendable {
        /// A task file's: as in Python under StrictUndefined.
        case task
        /// A model's chat template, as transformers reads it: trim_blocks, lstrip_blocks, undefined values are empty.
        case chat
    }

    /// Parses `source`.
    ///
    /// - Throws: `JinjaError` with the place in the template.
    public init(_ source: String, dialect: Dialect = .task) throws(JinjaError) {
        var source = source
        var result = cjinja_result()
        let parsed = source.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) {
                cjinja_parse($0.baseAddress, $0.count, dialect == .chat ? 1 : 0, &result)
            }
        }
        guard let parsed else { throw JinjaError.taking(result, .syntax) }
        self.parsed = parsed
    }

    deinit { cjinja_release(self.parsed) }

    /// Renders to text.
    ///
    /// - Parameter variables: A JSON object's text.
    public func render(_ variables: String, limits: Limits = Limits()) throws(JinjaError) -> String {
        try self.run(variables, limits, cjinja_render)
    }

    /// The value of the template's one expression, as JSON text.
    ///
    /// White space and statements that print nothing may stand around the expression.
    /// - Parameter variables: A JSON object's text.
    public func evaluate(_ variables: String, limits: Limits = Limits()) throws(JinjaError) -> String {
        try self.run(variables, limits, cjinja_evaluate)
    }

    /// Goes through the template as far as that is possible without knowing the variables.
    ///
    /// - Throws: `JinjaError` for what is not there in these templates (such as a method), whatever the variables are.
    public func probe(limits: Limits = Limits()) throws(JinjaError) {
        _ = try self.run("{}", limits, probes: true, cjinja_render)
    }

    private func run(
        _ variables: String, _ limits: Limits, probes: Bool = false,
        _ function: (OpaquePointer?, UnsafePointer<CChar>?, Int, cjinja_limits, UnsafeMutablePointer<cjinja_result>?)
            -> Void
    ) throws(JinjaError) -> String {
        var variables = variables
        var result = cjinja_result()
        let bounds = cjinja_limits(
            steps: limits.steps, bytes: max(0, limits.bytes), probes: probes ? 1 : 0)
        variables.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) { function(self.parsed, $0.baseAddress, $0.count, bounds, &result) }
        }
        guard result.failed == 0, let text = result.text else { throw JinjaError.taking(result, .rendering) }
        defer { cjinja_free(text) }
        return String(decoding: UnsafeRawBufferPointer(start: text, count: result.length), as: UTF8.self)
    }
}

extension JinjaError {
    /// The error in `result`, whose text is freed.
    fileprivate static func taking(_ result: cjinja_result, _ code: Code) -> JinjaError {
        guard let text = result.text else { return JinjaError(.outOfMemory, "memory ran out") }
        defer { cjinja_free(text) }
        let message = String(decoding: UnsafeRawBufferPointer(start: text, count: result.length), as: UTF8.self)
        return JinjaError(
            code, message, line: result.line > 0 ? result.line : nil, column: result.column > 0 ? result.column : nil)
    }
}
