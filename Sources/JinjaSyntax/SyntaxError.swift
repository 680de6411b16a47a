internal import CStack

/// A template that can't be parsed.
public struct SyntaxError: Error, Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        /// The template's text is wrong.
        case syntax
        /// It is too long, or nests too deep.
        case limit
        /// Jinja has it and this parser does not; the message says why.
        case unsupported
    }

    public var kind: Kind
    public var message: String
    /// `nil` where the whole template is meant.
    public var place: Place?

    init(_ kind: Kind, _ message: String, at place: Place? = nil) {
        self.kind = kind
        self.message = message
        self.place = place
    }
}

/// Where something stands in a template: line and column, from 1; columns in code points.
public struct Place: Sendable, Hashable {
    public var line: Int32
    public var column: Int32

    public init(line: Int32, column: Int32) {
        self.line = line
        self.column = column
    }
}

/// Ends a recursion while its thread still has 128 KiB of its stack.
///
/// What is counted ends every recursion of an optimized build first, on threads of 512 KiB, too; without optimization calls
/// need many times the stack.
public struct StackGuard: Sendable {
    private static let least: UInt = 128 << 10

    /// What to say of a template whose recursion was ended.
    public static let message = "calls, blocks and values nest too deep here"

    public init() {}

    /// Whether less is left than a call may need.
    public var isLow: Bool { cstack_left() < Self.least }

    func check(at place: Place) throws(SyntaxError) {
        guard self.isLow else { return }
        throw SyntaxError(.limit, Self.message, at: place)
    }
}
