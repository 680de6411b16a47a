internal import Glibc

/// What a standard stream is connected to.
public struct Terminal: Sendable {
    public var isInteractive: Bool
    /// Columns; 80 when unknown.
    public var width: Int
    public var usesColour: Bool

    public init(isInteractive: Bool, width: Int, usesColour: Bool) {
        self.isInteractive = isInteractive
        self.width = width
        self.usesColour = usesColour
    }

    public static func standardOutput(environment: [String: String]) -> Terminal {
        Terminal(descriptor: STDOUT_FILENO, environment: environment)
    }

    public static func standardError(environment: [String: String]) -> Terminal {
        Terminal(descriptor: STDERR_FILENO, environment: environment)
    }

    private init(descriptor: CInt, environment: [String: String]) {
        let isInteractive = isatty(descriptor) == 1 && environment["TERM"] != "dumb"
        var size = winsize()
        let isSized = isInteractive && ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        self.isInteractive = isInteractive
        self.width = isSized ? Int(size.ws_col) : 80
        self.usesColour = isInteractive && (environment["NO_COLOR"] ?? "").isEmpty
    }

    public enum Style: String, Sendable {
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
    }

    /// Data in a style, escaped.
    public func styled(_ data: String, _ style: Style) -> PrintedText { self.styled(PrintedText(data), style) }

    public func styled(_ text: PrintedText, _ style: Style) -> PrintedText {
        self.usesColour && !text.isEmpty ? text.styled(on: style.rawValue, off: "0") : text
    }
}
