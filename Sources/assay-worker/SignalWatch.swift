internal import AssayRuntime
internal import Execution
internal import Glibc
internal import Logging
internal import UVEventLoop
internal import WorkerLogic

/// Does what signals ask for, on a thread with nothing else to do: whatever hangs in the process, it still hears.
actor SignalWatch {
    /// What is left to an abandoned worker for giving its shards back by itself; then it leaves the queue and ends.
    private static let grace: Duration = .seconds(6)
    /// Seconds after which the kernel ends the process, should even that hang.
    private static let deadline: UInt32 = 9

    private nonisolated let loop: EventLoop
    private let services: ProcessServices
    private let leaveAtOnce: @Sendable () async -> Void
    private let logger: Logger
    private var requests: StopRequests
    private var isEnding = false

    nonisolated var unownedExecutor: UnownedSerialExecutor { self.loop.asUnownedSerialExecutor() }

    /// - Parameter leaveAtOnce: Takes the worker out of the queue, whatever hangs in it.
    init(
        on loop: EventLoop, services: ProcessServices, isSupervised: Bool, logger: Logger,
        leaveAtOnce: @escaping @Sendable () async -> Void
    ) {
        self.loop = loop
        self.services = services
        self.leaveAtOnce = leaveAtOnce
        self.logger = logger
        self.requests = StopRequests(isSupervised: isSupervised)
    }

    func run(_ signals: AsyncStream<CInt>) async {
        for await signal in signals {
            switch self.requests.receive(signal) {
            case .drain:
                self.logger.notice("draining: the shard in hand is finished first", metadata: ["signal": "\(signal)"])
                self.services.drain()
            case .abandon: self.abandon(signal)
            case nil: break
            }
        }
    }

    private func abandon(_ signal: CInt) {
        guard !self.isEnding else { return }
        self.isEnding = true
        self.logger.warning("abandoning the shard in hand", metadata: ["signal": "\(signal)"])
        self.services.abandon()
        alarm(Self.deadline)
        Task {
            do {
                try await self.loop.sleep(for: Self.grace)
            } catch {
                // The loop ends before its time only when the process does: nothing hangs.
                return
            }
            self.logger.error(
                "something hangs; ending this process without it",
                metadata: ["running": "\(self.services.running.joined(separator: ", "))"])
            await self.leaveAtOnce()
            // Not exit(): what the libraries do at the end waits for the thread that hangs.
            _exit(128 + signal)
        }
    }
}
