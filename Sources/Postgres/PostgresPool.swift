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

extension PostgresPool {
    /// Lends a connection to `body`.
    ///
    /// It goes back to the pool afterwards; if it is broken, in a transaction or listening, it is replaced.
    public nonisolated func withConnection<Value>(
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let leased = try await self.lease()
        do {
            let value = try await body(leased.connection)
            await self.giveBack(leased)
            return value
        } catch {
            await self.giveBack(leased)
            throw error
        }
    }

    /// Runs `body` in a transaction on a connection of the pool.
    ///
    /// It runs again when it lost against another transaction (40001, 40P01), or when the connection was lost before
    /// COMMIT was sent. A connection lost during COMMIT is a `.commitUnknown` error.
    public nonisolated func withTransaction<Value>(
        isolation: PostgresIsolation = .readCommitted, readOnly: Bool = false, retry: PostgresRetry = .default,
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        var attempt = 1
        while true {
            do {
                return try await self.withConnection { connection in
                    try await connection.withTransaction(isolation: isolation, readOnly: readOnly, retry: retry, body)
                }
            } catch let error as PostgresError where error.isLossInUse && attempt < retry.maxAttempts {
                try await self.loop.sleep(for: retry.pause(afterAttempt: attempt))
                attempt += 1
            }
        }
    }

    /// Runs one statement on a connection of the pool.
    ///
    /// It is not repeated when the connection is lost, because it may have been executed.
    public nonisolated func query(
        _ statement: PostgresStatement, _ parameters: [(any PostgresEncodable)?] = [], timeout: Duration? = nil
    ) async throws(PostgresError) -> PostgresRows {
        let leased: Leased
        do throws(PostgresError) { leased = try await self.lease() } catch { throw error.naming(statement.name) }
        do throws(PostgresError) {
            let rows = try await leased.connection.query(statement, parameters, timeout: timeout)
            await self.giveBack(leased)
            return rows
        } catch {
            await self.giveBack(leased)
            throw error
        }
    }
}

extension PostgresPool {
    /// The payloads of a channel's notifications from now on, on a connection that is lent to others all the same.
    ///
    /// Ends when that connection does. Nil where notifications don't come through (a pooler in between): poll instead.
    public func listen(_ channel: String) async throws(PostgresError) -> AsyncStream<String>? {
        if let slot = self.state.preferred, let connection = self.connections[slot],
            await connection.isUsable
        {
            return try await connection.listen(channel)
        }
        let leased = try await self.lease()
        do throws(PostgresError) {
            guard try await leased.connection.verifyNotifications() else {
                await self.giveBack(leased)
                return nil
            }
            let stream = try await leased.connection.listen(channel)
            await leased.connection.keepListening()
            self.state.preferred = leased.slot
            await self.giveBack(leased)
            return stream
        } catch {
            await self.giveBack(leased)
            throw error
        }
    }
}

extension PostgresError {
    /// An open connection broke before anything was committed.
    fileprivate var isLossInUse: Bool {
        self.code == .connectionLost || (self.code == .server && self.isConnectionFailure)
    }
}

extension PostgresPool {
    /// A connection that belongs to the caller until ``giveBack(_:_:)``.
    struct Leased: Sendable {
        let slot: PoolState.Slot
        let connection: PostgresConnection
    }

    func lease() async throws(PostgresError) -> Leased {
        guard !Task.isCancelled else { throw PostgresError(.cancelled, "cancelled before a connection was free") }
        switch self.state.request() {
        case .refused: throw PostgresError.poolShutDown
        case .lease(let lease): return try await self.redeem(lease)
        case .wait(let ticket): return try await self.redeem(self.waitForTurn(ticket))
        }
    }

    func giveBack(_ leased: Leased) async {
        let isClean = await leased.connection.isClean()
        guard isClean, !self.state.isShutDown else {
            self.forget(leased.slot)
            await leased.connection.close()
            self.follow(self.state.discard(leased.slot))
            return
        }
        self.lastUse[leased.slot] = .now
        self.follow(self.state.giveBack(leased.slot))
        await self.closeUnused(besides: leased.slot)
    }

    /// The slot's next user opens a new connection.
    private func forget(_ slot: PoolState.Slot) {
        self.connections[slot] = nil
        if self.state.preferred == slot { self.state.preferred = nil }
    }

    /// A server has room for so many connections only; those of a busy hour are not kept through a quiet night.
    private func closeUnused(besides current: PoolState.Slot) async {
        let limit = ContinuousClock.now - self.options.idleTimeout
        var closing: [PostgresConnection] = []
        for slot in self.state.idleSlots where slot != self.state.preferred && slot != current {
            guard let last = self.lastUse[slot], last < limit, self.state.retire(slot) else { continue }
            if let connection = self.connections[slot] { closing.append(connection) }
            self.forget(slot)
        }
        for connection in closing { await connection.close() }
    }

    private func follow(_ handover: PoolState.Handover) {
        var handover = handover
        while case .give(let lease, let ticket) = handover {
            if self.waiters.removeValue(forKey: ticket)?.finish(.success(lease)) == true { break }
            // That caller was cancelled, or timed out, a moment ago.
            switch lease {
            case .use(let slot): handover = self.state.giveBack(slot)
            case .open(let slot): handover = self.state.discard(slot)
            }
        }
        self.leaseEnded()
    }

    private func waitForTurn(_ ticket: PoolState.Ticket) async throws(PostgresError) -> PoolState.Lease {
        let turn = PendingResult<PoolState.Lease>()
        self.waiters[ticket] = turn
        let alarm = self.options.leaseTimeout.map { timeout in
            let (loop, size) = (self.loop, self.options.size)
            return Task {
                guard (try? await loop.sleep(for: timeout)) != nil else { return }
                turn.finish(
                    .failure(
                        PostgresError(
                            .timedOut, "no database connection became free within \(timeout); all \(size) are in use",
                            hint: "use a larger pool, or don't hold connections while doing something else")))
            }
        }
        defer { alarm?.cancel() }
        do {
            return try await turn.value {}
        } catch {
            self.abandon(ticket)
            throw error as? PostgresError ?? PostgresError(.cancelled, "cancelled while waiting for a connection")
        }
    }

    /// The caller was cancelled or timed out; a lease that was on its way goes to the next one.
    private func abandon(_ ticket: PoolState.Ticket) {
        if self.state.withdraw(ticket) { self.waiters[ticket] = nil }
    }

    private func redeem(_ lease: PoolState.Lease) async throws(PostgresError) -> Leased {
        switch lease {
        case .use(let slot):
            if let connection = self.connections[slot] {
                if await connection.isAlive() { return Leased(slot: slot, connection: connection) }
                self.forget(slot)
                await connection.close()
                self.logger?.debug("replacing a broken database connection")
            }
            return try await self.open(slot)
        case .open(let slot):
            return try await self.open(slot)
        }
    }

    private func open(_ slot: PoolState.Slot) async throws(PostgresError) -> Leased {
        do throws(PostgresError) {
            let connection = try await self.connectPatiently()
            self.connections[slot] = connection
            self.hasConnected = true
            return Leased(slot: slot, connection: connection)
        } catch {
            self.follow(self.state.discard(slot))
            throw error
        }
    }

    /// Tries until the server is back, if it has been there before or says that it is starting.
    private func connectPatiently() async throws(PostgresError) -> PostgresConnection {
        let deadline = ContinuousClock.now + self.options.reconnectTimeout
        let retry = PostgresRetry(initialPause: .milliseconds(100), maxPause: .seconds(3))
        var attempt = 1
        while true {
            do throws(PostgresError) {
                return try await PostgresConnection.connect(self.configuration, on: self.loop, logger: self.logger)
            } catch {
                let mayPass = error.isConnectionFailure && (error.sqlState ?? "57P03").hasPrefix("57P0")
                let isKnown = self.hasConnected || error.sqlState == "57P03"
                let pause = retry.pause(afterAttempt: attempt)
                guard mayPass, isKnown, !self.state.isShutDown, .now + pause < deadline else { throw error }
                self.logger?.debug("database not reachable, trying again", metadata: ["error": "\(error.message)"])
                guard (try? await self.loop.sleep(for: pause)) != nil else {
                    throw PostgresError(.cancelled, "cancelled while connecting: \(error.message)")
                }
                attempt += 1
            }
        }
    }
}

/// The pool's bookkeeping, without connections or tasks.
///
/// Every slot is idle, in use, or being opened; slots in use or being opened belong to one caller.
struct PoolState {
    typealias Slot = Int
    typealias Ticket = Int

    enum Lease: Equatable {
        /// An idle connection; the caller checks it.
        case use(Slot)
        /// The caller opens a connection for this slot.
        case open(Slot)
    }

    enum Answer: Equatable {
        case lease(Lease)
        case wait(Ticket)
        case refused
    }

    /// What follows from a slot's return.
    enum Handover: Equatable {
        /// The longest waiting caller gets the lease.
        case give(Lease, to: Ticket)
        case none
    }

    let size: Int
    /// The most recently used one is at the end and goes first, so that the others can be closed.
    private var idle: [Slot] = []
    private var leased: Set<Slot> = []
    private var waiters: [Ticket] = []
    private var lastTicket = 0
    private(set) var isShutDown = false
    /// Goes before the most recently used one: the slot whose connection is kept open in any case.
    var preferred: Slot?

    init(size: Int) { self.size = max(1, size) }

    var leasedCount: Int { self.leased.count }
    var idleSlots: [Slot] { self.idle }
    var waiterCount: Int { self.waiters.count }

    mutating func request() -> Answer {
        if self.isShutDown { return .refused }
        if self.waiters.isEmpty, let lease = self.nextLease() { return .lease(lease) }
        self.lastTicket += 1
        self.waiters.append(self.lastTicket)
        return .wait(self.lastTicket)
    }

    /// A connection comes back in good order.
    mutating func giveBack(_ slot: Slot) -> Handover {
        guard self.leased.remove(slot) != nil else { return .none }
        self.idle.append(slot)
        return self.handOver()
    }

    /// A leased connection is gone, or could not be opened.
    mutating func discard(_ slot: Slot) -> Handover {
        guard self.leased.remove(slot) != nil else { return .none }
        return self.handOver()
    }

    /// Takes an idle slot out of use; false when it is not idle any more.
    mutating func retire(_ slot: Slot) -> Bool {
        guard let index = self.idle.firstIndex(of: slot) else { return false }
        self.idle.remove(at: index)
        return true
    }

    /// A caller waits no longer; false when it has been given a lease already.
    mutating func withdraw(_ ticket: Ticket) -> Bool {
        guard let index = self.waiters.firstIndex(of: ticket) else { return false }
        self.waiters.remove(at: index)
        return true
    }

    /// Refuses from now on; returns the idle slots to close and the callers to turn away.
    mutating func shutDown() -> (idle: [Slot], waiters: [Ticket]) {
        self.isShutDown = true
        defer {
            self.idle = []
            self.waiters = []
        }
        return (self.idle, self.waiters)
    }

    private mutating func handOver() -> Handover {
        guard !self.waiters.isEmpty, let lease = self.nextLease() else { return .none }
        return .give(lease, to: self.waiters.removeFirst())
    }

    private mutating func nextLease() -> Lease? {
        if let slot = self.preferred.flatMap({ self.retire($0) ? $0 : nil }) ?? self.idle.popLast() {
            self.leased.insert(slot)
            return .use(slot)
        }
        guard let slot = (0..<self.size).first(where: { !self.leased.contains($0) && !self.idle.contains($0) })
        else { return nil }
        self.leased.insert(slot)
        return .open(slot)
    }
}
