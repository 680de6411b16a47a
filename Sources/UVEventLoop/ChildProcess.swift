internal import Synchronization

/// A child process that an event loop watches; it outlives this value and the tasks that wait for it.
public final class ChildProcess: Sendable {
    private enum State {
        case running(waiters: [PendingResult<ProcessResult>])
        case ended(Result<ProcessResult, EventLoopError>)
    }

    public let processID: CInt
    private let loop: EventLoop
    private let name: String
    private let state = Mutex(State.running(waiters: []))

    init(processID: CInt, name: String, on loop: EventLoop) {
        self.processID = processID
        self.name = name
        self.loop = loop
    }

    /// How the process ended, or nil while it runs.
    public var result: ProcessResult? {
        self.state.withLock { state in
            guard case .ended(.success(let result)) = state else { return nil }
            return result
        }
    }

    /// Waits for the end of the process; any number of tasks may.
    ///
    /// Throws `CancellationError` when the waiting task is cancelled, which leaves the process alone, and
    /// ``EventLoopError`` when the loop ends first.
    public func waitForExit() async throws -> ProcessResult {
        let pending = PendingResult<ProcessResult>()
        let ended = self.state.withLock { state -> Result<ProcessResult, EventLoopError>? in
            switch state {
            case .running(let waiters):
                state = .running(waiters: waiters + [pending])
                return nil
            case .ended(let result):
                return result
            }
        }
        if let ended { return try ended.get() }
        return try await pending.value {
            self.state.withLock { state in
                guard case .running(let waiters) = state else { return }
                state = .running(waiters: waiters.filter { $0 !== pending })
            }
        }
    }

    /// Sends a signal to the process, or to its whole group if it has its own; nothing happens when it has ended.
    public func send(signal: CInt, toGroup: Bool = false) async throws(EventLoopError) {
        let name = "send signal \(signal) to \(self.name) (process \(self.processID))"
        try await self.loop.call { loop throws(EventLoopError) in
            guard loop.confined.isOpen else { throw EventLoopError(.shutDown, name) }
            try loop.confined.processes[self.processID]?.send(signal, toGroup: toGroup, name)
        }
    }

    func end(_ result: Result<ProcessResult, EventLoopError>) {
        let waiters = self.state.withLock { state -> [PendingResult<ProcessResult>] in
            guard case .running(let waiters) = state else { return [] }
            state = .ended(result)
            return waiters
        }
        for waiter in waiters { waiter.finish(result.mapError { $0 }) }
    }
}
