public import Logging
public import UVEventLoop

/// A few connections shared by many tasks.
///
/// Connections are opened when needed, checked before use, replaced when broken and closed when nobody has used them for
/// a while. Tasks get theirs in the order in which they asked.
public actor PostgresPool {
    /// How a pool deals with a busy or absent server.
    public struct Options: Sendable, Hashable {
        /// The number of connections at most.
        public var size = 4
        /// The longest wait for a connection in use by others; nil waits for ever.
        public var leaseTimeout: Duration? = .seconds(60)
        /// How long a server that was there before is waited for, such as through a restart.
        public var reconnectTimeout = Duration.seconds(30)
        /// How long a connection is kept that nobody has used; looked at whenever another one is given back.
        public var idleTimeout = Duration.seconds(60)

        public init() {}
    }

    public nonisolated let configuration: PostgresConfiguration
    public nonisolated let loop: EventLoop
    nonisolated let options: Options
    nonisolated let logger: Logger?

    public nonisolated var unownedExecutor: UnownedSerialExecutor { self.loop.asUnownedSerialExecutor() }

    var state: PoolState
    var connections: [PoolState.Slot: PostgresConnection] = [:]
    var lastUse: [PoolState.Slot: ContinuousClock.Instant] = [:]
    var waiters: [PoolState.Ticket: PendingResult<PoolState.Lease>] = [:]
    /// A server that has answered once is worth waiting for.
    var hasConnected = false
    private var drainWaiters: [CheckedContinuation<Void, Never>] = []

    /// Makes a pool; no connection is opened before one is needed.
    public init(
        _ configuration: PostgresConfiguration, on loop: EventLoop, options: Options = Options(), logger: Logger? = nil
    ) {
        self.configuration = configuration
        self.loop = loop
        self.options = options
        self.logger = logger
        self.state = PoolState(size: options.size)
    }

    public init(_ configuration: PostgresConfiguration, on loop: EventLoop, size: Int, logger: Logger? = nil) {
        var options = Options()
        options.size = size
        self.init(configuration, on: loop, options: options, logger: logger)
    }

    /// Refuses new work, lets the running work end, and closes all connections.
    public func shutDown() async {
        let (idle, tickets) = self.state.shutDown()
        for ticket in tickets {
            self.waiters.removeValue(forKey: ticket)?.finish(.failure(PostgresError.poolShutDown))
        }
        for slot in idle { await self.connections.removeValue(forKey: slot)?.close() }
        while self.state.leasedCount > 0 {
            await withCheckedContinuation { self.drainWaiters.append($0) }
        }
    }

    func leaseEnded() {
        guard self.state.isShutDown, self.state.leasedCount == 0 else { return }
        let waiters = self.drainWaiters
        self.drainWaiters = []
        for waiter in waiters { waiter.resume() }
    }
}

extension PostgresError {
    static let poolShutDown = PostgresError(.shutDown, "the connection pool has been shut down")
}
