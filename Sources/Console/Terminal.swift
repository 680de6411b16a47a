internal import Glibc
public import TerminalText

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

/// A line that is rewritten in place on a terminal, and printed again when it changes enough elsewhere.
public struct ProgressLine {
    private let terminal: Terminal
    private var shown: PrintedText = ""
    private var plainMark: Int?

    public init(terminal: Terminal) { self.terminal = terminal }

    /// `percent` decides how often a piped reader gets a line: once every ten points.
    public mutating func show(_ text: PrintedText, percent: Int) {
        if self.terminal.isInteractive {
            let fitted = text.prefix(columns: max(self.terminal.width - 1, 1))
            guard fitted != self.shown else { return }
            Output.write("\r\u{1B}[K\(fitted)", to: 2)
            self.shown = fitted
        } else if self.plainMark.map({ percent / 10 != $0 / 10 }) ?? true {
            self.plainMark = percent
            Output.note(text)
        }
    }

    /// Leaves the line and begins a new one.
    public mutating func finish() {
        if self.terminal.isInteractive, !self.shown.isEmpty { Output.write("\r\u{1B}[K", to: 2) }
        self.shown = ""
    }
}

/// A rate and the time that is left, from points of progress.
public struct RateMeter: Sendable {
    private var points: [(seconds: Double, done: Double)] = []
    private let window: Double

    /// Looks back `window` seconds.
    public init(window: Double = 60) { self.window = window }

    public mutating func add(seconds: Double, done: Double) {
        self.points.append((seconds, done))
        while self.points.count > 2, seconds - self.points[1].seconds >= self.window { self.points.removeFirst() }
    }

    /// Units a second, once there are two points apart in time.
    public var rate: Double? {
        guard let first = self.points.first, let last = self.points.last else { return nil }
        let seconds = last.seconds - first.seconds
        guard seconds > 0, last.done > first.done else { return nil }
        return (last.done - first.done) / seconds
    }

    public static func describe(seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
        return "\(whole / 3600) h \(whole % 3600 / 60) min"
    }
}
