/// Takes the signals that a worker gets for what their sender meant.
public struct StopRequests: Sendable {
    public enum Request: Sendable, Hashable {
        /// Finish what is in hand, then leave.
        case drain
        /// Give back what is in hand, and leave.
        case abandon
    }

    /// SIGINT, SIGQUIT and SIGTERM.
    public static let signals: [CInt] = [2, 3, 15]

    private let isSupervised: Bool
    private var isDraining = false

    /// - Parameter isSupervised: A batch system may send the same signal to the worker and to its supervisor, who passes it
    ///   on: then only SIGQUIT abandons, which is what a supervisor sends.
    public init(isSupervised: Bool) { self.isSupervised = isSupervised }

    /// What a signal asks for; nil when it says nothing new.
    public mutating func receive(_ signal: CInt) -> Request? {
        if signal == 3 { return .abandon }
        if self.isDraining { return self.isSupervised ? nil : .abandon }
        self.isDraining = true
        return .drain
    }
}
