/// What to start as a child process, and how.
public struct ProcessConfiguration: Sendable {
    /// Where the child's standard input comes from.
    public enum Input: Sendable {
        case null
        case inherit
        /// A descriptor of this process, which stays open here.
        case descriptor(CInt)
    }

    /// Where a stream that the child writes goes.
    public enum Output: Sendable {
        case null
        case inherit
        /// A descriptor of this process, which stays open here.
        case descriptor(CInt)
        /// Kept in memory: the last `limit` bytes.
        case capture(limit: Int)
    }

    /// The account that the child runs as; needs a privileged parent.
    public struct Identity: Sendable, Hashable {
        public var userID: UInt32
        public var groupID: UInt32

        public init(userID: UInt32, groupID: UInt32) {
            self.userID = userID
            self.groupID = groupID
        }
    }

    /// A path, or a name that is looked up in PATH.
    public var executable: String
    /// Without the program's name.
    public var arguments: [String]
    /// The whole environment; nil for this process's.
    public var environment: [String: String]?
    /// Nil for this process's.
    public var workingDirectory: String?
    public var standardInput: Input
    public var standardOutput: Output
    public var standardError: Output
    /// The child leads a new session and so a process group of its own, and does not get the terminal's signals.
    public var hasOwnGroup: Bool
    /// Nil for this process's.
    public var identity: Identity?

    public init(
        _ executable: String, _ arguments: [String] = [], environment: [String: String]? = nil,
        workingDirectory: String? = nil, standardInput: Input = .null, standardOutput: Output = .inherit,
        standardError: Output = .inherit, hasOwnGroup: Bool = false, identity: Identity? = nil
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.standardInput = standardInput
        self.standardOutput = standardOutput
        self.standardError = standardError
        self.hasOwnGroup = hasOwnGroup
        self.identity = identity
    }
}
