internal import FoundationEssentials
public import Logging
public import UVEventLoop
public import WorkerLogic

/// Keeps worker processes running, one or more for each device, until they have nothing left to do or are told to stop.
public struct Supervisor: Sendable {
    /// A process to keep running.
    public struct Child: Sendable {
        /// For the log: "cuda:1".
        public var device: String
        /// Tells the processes of a device apart, from 0.
        public var number: Int
        /// Its standard output is taken for a ``WorkerSummary`` in JSON.
        public var configuration: ProcessConfiguration

        public init(device: String, number: Int, configuration: ProcessConfiguration) {
            self.device = device
            self.number = number
            self.configuration = configuration
        }
    }

    /// What the children came to.
    public struct Outcome: Sendable, Hashable {
        /// All that they did, as far as they lived to tell.
        public var summary = WorkerSummary()
        /// How many did not end as they should.
        public var failures = 0
    }

    private enum Event {
        case ended(Int, ProcessResult?, after: Duration)
        case pauseEnded(Int)
        case abandonOverdue
        case stop(CInt)
    }

    /// SIGTERM asks a worker to drain, SIGQUIT to abandon.
    private static let (drain, abandon, kill): (CInt, CInt, CInt) = (15, 3, 9)

    private let children: [Child]
    private let loop: EventLoop
    private let logger: Logger
    private let events: AsyncStream<Event>
    private let report: AsyncStream<Event>.Continuation

    public init(_ children: [Child], on loop: EventLoop, logger: Logger) {
        self.children = children
        self.loop = loop
        self.logger = logger
        (self.events, self.report) = AsyncStream.makeStream()
    }

    /// Runs the children to their end; the first of `signals` drains them, a second one makes them abandon their work, a
    /// third one kills them.
    ///
    /// When the task is cancelled they are killed.
    public func run(signals: AsyncStream<CInt>) async -> Outcome {
        let report = self.report
        let watch = Task {
            for await signal in signals { report.yield(.stop(signal)) }
        }
        defer { watch.cancel() }
        var state = SupervisorState(children: self.children.count)
        var processes: [Int: ChildProcess] = [:]
        var outcome = Outcome()
        await self.perform(state.begin(), &processes)
        if !state.isOver {
            for await event in self.events {
                let actions = self.actions(for: event, &state, &processes, &outcome)
                await self.perform(actions, &processes)
                if state.isOver { break }
            }
        }
        for process in processes.values { try? await process.send(signal: Self.kill, toGroup: true) }
        outcome.failures = state.failures
        return outcome
    }

    private func actions(
        for event: Event, _ state: inout SupervisorState, _ processes: inout [Int: ChildProcess],
        _ outcome: inout Outcome
    ) -> [SupervisorState.Action] {
        switch event {
        case .stop(let signal):
            let actions = state.stopRequested()
            self.logger.notice("asked to stop", metadata: ["signal": "\(signal)", "workers": "\(actions.count)"])
            return actions
        case .pauseEnded(let index):
            return state.pauseEnded(index)
        case .abandonOverdue:
            return state.abandonOverdue()
        case .ended(let index, let result, let time):
            processes[index] = nil
            if let output = result?.standardOutput, let summary = WorkerSummary(json: output.bytes) {
                outcome.summary.add(summary)
            }
            if let result, !result.termination.isSuccess {
                let isStalled = result.termination == .exited(status: WorkerExit.stalled)
                self.logger(of: index).error(
                    isStalled ? "worker ended itself because its work hung; see its last messages" : "worker crashed",
                    metadata: ["end": "\(result.termination)", "after": "\(time.rounded)"])
            }
            return state.ended(index, result?.termination, after: time)
        }
    }

    private func perform(_ actions: [SupervisorState.Action], _ processes: inout [Int: ChildProcess]) async {
        if actions.contains(where: { if case .abandon = $0 { true } else { false } }) { self.killLater() }
        for action in actions {
            switch action {
            case .start(let index): processes[index] = await self.start(index)
            case .startLater(let index, let bound): self.startLater(index, within: bound)
            case .drain(let index): try? await processes[index]?.send(signal: Self.drain)
            case .abandon(let index): try? await processes[index]?.send(signal: Self.abandon)
            case .kill(let index):
                self.logger(of: index).warning("worker is killed: it did not end when it was asked to")
                try? await processes[index]?.send(signal: Self.kill, toGroup: true)
            case .giveUp(let index, because: .crashes(let count)):
                self.logger(of: index).error(
                    """
                    giving up on this worker: it ended within seconds of each of its last \(count) starts; see its \
                    messages above, or run assay-worker for this device alone
                    """)
            case .giveUp(let index, because: .usage):
                self.logger(of: index).error("giving up on this worker: it does not take its command line")
            }
        }
    }

    private func start(_ index: Int) async -> ChildProcess? {
        let report = self.report
        let child: ChildProcess
        do {
            child = try await self.loop.spawn(self.children[index].configuration)
        } catch {
            self.logger(of: index).error("worker can't be started", metadata: ["error": "\(error)"])
            report.yield(.ended(index, nil, after: .zero))
            return nil
        }
        self.logger(of: index).info("worker started", metadata: ["pid": "\(child.processID)"])
        let start = ContinuousClock.now
        Task {
            let result = try? await child.waitForExit()
            report.yield(.ended(index, result, after: .now - start))
        }
        return child
    }

    private func startLater(_ index: Int, within bound: Duration) {
        let (report, loop) = (self.report, self.loop)
        let pause = bound * Double.random(in: 0.5...1)
        self.logger(of: index).notice("worker is started again", metadata: ["in": "\(pause.rounded)"])
        Task {
            try? await loop.sleep(for: pause)
            report.yield(.pauseEnded(index))
        }
    }

    private func killLater() {
        let (report, loop) = (self.report, self.loop)
        Task {
            try? await loop.sleep(for: SupervisorState.abandonLimit)
            report.yield(.abandonOverdue)
        }
    }

    private func logger(of index: Int) -> Logger {
        var logger = self.logger
        logger[metadataKey: "device"] = "\(self.children[index].device)"
        logger[metadataKey: "process"] = "\(self.children[index].number)"
        return logger
    }
}

/// Decides what to do with a supervisor's child processes, without any process or clock.
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

/// A device that a supervised worker computes on.
public struct DeviceAssignment: Sendable, Hashable {
    /// For people: "cuda:3" or "cpu".
    public var name: String
    /// What CUDA_VISIBLE_DEVICES is to be for the worker; nil leaves it alone.
    public var visibleDevices: String?

    /// One device for each GPU; the CPU where there is none.
    ///
    /// - Parameters:
    ///   - gpus: How many GPUs this process sees.
    ///   - visible: CUDA_VISIBLE_DEVICES as it stands, which lists those GPUs.
    public static func all(gpus: Int, visible: String?) -> [DeviceAssignment] {
        guard gpus > 0 else { return [DeviceAssignment(name: "cpu", visibleDevices: nil)] }
        let listed = (visible ?? "").split(separator: ",").map { $0.drop { $0 == " " } }
        return (0..<gpus).map { index in
            // A GPU is known by its number, or by the name that the list gives it.
            let entry = index < listed.count ? String(listed[index]) : "\(index)"
            return DeviceAssignment(name: "cuda:\(entry)", visibleDevices: entry)
        }
    }
}

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
