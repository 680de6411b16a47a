internal import UVEventLoop

/// Decides what becomes of a supervisor's child processes, without any process or clock.
struct SupervisorState {
    enum Action: Hashable {
        case start(Int)
        /// Start after a pause of this length at most.
        case startLater(Int, within: Duration)
        /// Ask to finish what is in hand and to leave.
        case drain(Int)
        /// Ask to leave at once.
        case abandon(Int)
        case kill(Int)
        /// The child is not started any more.
        case giveUp(Int, because: GivingUp)
    }

    enum GivingUp: Hashable {
        /// It ended soon after each of so many starts.
        case crashes(Int)
        /// It says that its command line is wrong, which another start does not change.
        case usage
    }

    private enum Child {
        case waiting, running, left, failed
    }

    private enum Stop: Int {
        case none, draining, abandoning, killing
    }

    /// A child that ran for less than this has not got to its work.
    static let quick: Duration = .seconds(10)
    static let pauseAfterStall: Duration = .seconds(60)
    /// An abandoned child has ended by then, unless even that hangs.
    static let abandonLimit: Duration = .seconds(15)
    /// So many quick ends in a row are enough.
    static let crashLimit = 5

    private var children: [Child]
    private var backoffs: [Backoff]
    private var stop = Stop.none

    init(children count: Int) {
        self.children = Array(repeating: .waiting, count: count)
        self.backoffs = Array(
            repeating: Backoff(first: .milliseconds(500), longest: .seconds(60)), count: count)
    }

    /// Nothing runs and nothing will be started.
    var isOver: Bool { self.children.allSatisfy { $0 == .left || $0 == .failed } }

    /// How many children did not end as they should.
    var failures: Int { self.children.count { $0 == .failed } }

    mutating func begin() -> [Action] { self.children.indices.flatMap { self.start($0) } }

    mutating func pauseEnded(_ child: Int) -> [Action] {
        self.children[child] == .waiting ? self.start(child) : []
    }

    /// - Parameters:
    ///   - termination: How it ended; nil when it could not be started.
    ///   - time: How long it ran.
    mutating func ended(_ child: Int, _ termination: ProcessTermination?, after time: Duration) -> [Action] {
        guard self.children[child] == .running else { return [] }
        if termination?.isSuccess == true {
            self.children[child] = .left
            return []
        }
        guard self.stop == .none else {
            // Before it listens for signals a child has nothing in hand.
            self.children[child] = termination == .signalled(Self.terminate) ? .left : .failed
            return []
        }
        if termination == .exited(status: Self.usage) { return self.giveUp(child, .usage) }
        // What hung may work again after a while, however long that takes.
        if termination == .exited(status: WorkerExit.stalled) {
            self.children[child] = .waiting
            return [.startLater(child, within: Self.pauseAfterStall)]
        }
        if time >= Self.quick { self.backoffs[child].reset() }
        let bound = self.backoffs[child].failed()
        guard self.backoffs[child].failures < Self.crashLimit else {
            return self.giveUp(child, .crashes(self.backoffs[child].failures))
        }
        self.children[child] = .waiting
        return [.startLater(child, within: bound)]
    }

    /// Somebody asks for the end: the first time all are drained, then abandoned, then killed.
    mutating func stopRequested() -> [Action] {
        self.stop = Stop(rawValue: self.stop.rawValue + 1) ?? .killing
        var actions: [Action] = []
        for (child, state) in self.children.enumerated() {
            switch (state, self.stop) {
            case (.waiting, _): self.children[child] = .left
            case (.running, .draining): actions.append(.drain(child))
            case (.running, .abandoning): actions.append(.abandon(child))
            case (.running, _): actions.append(.kill(child))
            case (.left, _), (.failed, _): break
            }
        }
        return actions
    }

    /// The time for abandoned children is over.
    mutating func abandonOverdue() -> [Action] {
        self.children.indices.filter { self.children[$0] == .running }.map { .kill($0) }
    }

    private mutating func start(_ child: Int) -> [Action] {
        self.children[child] = .running
        return [.start(child)]
    }

    private mutating func giveUp(_ child: Int, _ reason: GivingUp) -> [Action] {
        self.children[child] = .failed
        return [.giveUp(child, because: reason)]
    }

    /// SIGTERM.
    static let terminate: CInt = 15
    /// The exit status of every program here for a wrong command line.
    private static let usage = 2
}

/// The exit statuses by which a worker's process says more than that it failed.
public enum WorkerExit {
    /// Its work hung: a thread that waits for a device or a file server can't be ended, only its process.
    public static let stalled = 75
}
