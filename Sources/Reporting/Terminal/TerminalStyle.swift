/// Whether a text for the terminal may use bold and dim.
public enum TerminalStyle: Sendable, Hashable {
    case plain
    case ansi

    /// The style for an output: `ansi` on a terminal, unless NO_COLOR is set or TERM is "dumb".
    public static func detect(isTerminal: Bool, environment: [String: String]) -> TerminalStyle {
        // https://no-color.org: present and not empty, whatever its value.
        guard isTerminal, environment["NO_COLOR", default: ""].isEmpty, environment["TERM"] != "dumb" else {
            return .plain
        }
        return .ansi
    }
}
