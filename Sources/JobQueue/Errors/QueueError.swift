/// What went wrong in the queue, and what to do about it.
public struct QueueError: Error, Sendable, CustomStringConvertible {
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Name: String {
            case notFound, ambiguous, leaseLost, conflict, invalid, forbidden, unavailable, cancelled, schema,
                internalFailure
        }

        private let name: Name

        /// Nothing has this identifier.
        public static let notFound = Code(name: .notFound)
        /// A prefix fits several runs.
        public static let ambiguous = Code(name: .ambiguous)
        /// The worker was declared dead, or its lease ran out: it must stop and register again.
        public static let leaseLost = Code(name: .leaseLost)
        /// Something else exists under this name or identifier.
        public static let conflict = Code(name: .conflict)
        /// The request itself is wrong; repeating it does not help.
        public static let invalid = Code(name: .invalid)
        /// The role that is connected may not do this, or its project not with this priority.
        public static let forbidden = Code(name: .forbidden)
        /// The database can't be reached or gave up; repeating it later may help.
        public static let unavailable = Code(name: .unavailable)
        /// The calling task was cancelled.
        public static let cancelled = Code(name: .cancelled)
        /// The database's schema is missing, older, newer or other than this program expects.
        public static let schema = Code(name: .schema)
        /// The database answered something that no correct program would have asked for.
        public static let internalFailure = Code(name: .internalFailure)

        public var description: String { name.rawValue }
    }

    public var code: Code
    public var message: String
    /// The error below, where there is one.
    public var underlying: (any Error)?

    public init(_ code: Code, _ message: String, underlying: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.underlying = underlying
    }

    /// True when the same call may succeed later.
    public var isTransient: Bool { code == .unavailable }

    public var description: String { message }
}
