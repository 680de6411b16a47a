internal import FoundationEssentials
public import Logging
public import UVEventLoop

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
