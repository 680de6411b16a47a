/// Whether a text for the terminal may use bold and dim.
public enum TerminalStyle: Sendable, Hashable {
    case plain
    case ansi
}
