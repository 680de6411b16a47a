internal import CPostgres
public import Logging
public import UVEventLoop

/// A connection to PostgreSQL that lives on an event loop and never blocks it.
///
/// It runs one operation at a time, in the order of the calls; while a transaction is open, operations from outside it
/// wait. When a task is cancelled, its statement is cancelled on the server and the connection stays usable.
///
/// Reference: https://www.postgresql.org/docs/current/libpq-async.html
public actor PostgresConnection {
    enum State {
        case connecting
        case open(LibpqHandle)
        case ended(PostgresError)
    }

    public nonisolated let configuration: PostgresConfiguration
    public nonisolated let loop: EventLoop
    nonisolated let logger: Logger?

    public nonisolated var unownedExecutor: UnownedSerialExecutor { self.loop.asUnownedSerialExecutor() }

    var state = State.connecting
    var gate = ConnectionGate()
    var gateWaiters: [ConnectionGate.Ticket: PendingResult<Void>] = [:]
    var transactionCount = 0
    var prepared = PreparedStatements()
    /// False behind a pooler in transaction mode.
    public internal(set) var keepsSession = true
    var listeners = Listeners()
    /// The pool listens on it and goes on lending it.
    var isShared = false
    var notificationPump: Task<Void, Never>?

    init(_ configuration: PostgresConfiguration, on loop: EventLoop, logger: Logger?) {
        self.configuration = configuration
        self.loop = loop
        self.logger = logger
    }

    /// Connects, within the configuration's `connectTimeout`.
    public static func connect(
        _ configuration: PostgresConfiguration, on loop: EventLoop, logger: Logger? = nil
    ) async throws(PostgresError) -> PostgresConnection {
        let connection = PostgresConnection(configuration, on: loop, logger: logger)
        try await connection.open()
        return connection
    }

    /// The connection is open as far as is known.
    public var isUsable: Bool {
        guard case .open(let handle) = self.state else { return false }
        return !handle.isBad
    }

    /// The number of the server process, as pg_stat_activity shows it; nil when closed.
    public var serverProcessID: Int32? {
        guard case .open(let handle) = self.state else { return nil }
        return PQbackendPID(handle.pointer)
    }

    /// Closes the connection once the running operation, or transaction of other tasks, has ended.
    public func close() async {
        await Task { await self.closeWhenIdle(TransactionToken.held) }.value
    }

    private func closeWhenIdle(_ held: Set<TransactionToken>) async {
        guard (try? await self.acquire(held)) != nil else { return }
        self.end(PostgresError(.connectionLost, "the connection has been closed"))
        self.release()
    }

    /// Gives the connection up: later operations and listeners get to know.
    func end(_ error: PostgresError) {
        if case .ended = self.state { return }
        // Its wait for the socket ends here and now, before the socket is closed.
        self.notificationPump?.cancel()
        self.notificationPump = nil
        self.listeners.finishAll()
        self.state = .ended(error)
    }

    func handle() throws(PostgresError) -> LibpqHandle {
        switch self.state {
        case .open(let handle): return handle
        case .ended(let error): throw error
        case .connecting: throw PostgresError(.usage, "the connection is not open yet")
        }
    }
}
