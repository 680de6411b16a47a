internal import CPostgres
public import Logging
internal import Threads
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

extension PostgresConnection {
    func open() async throws(PostgresError) {
        do throws(PostgresError) {
            let handle = try await self.connectToAny()
            self.state = .open(handle)
            try await self.beginSession(handle)
        } catch {
            self.end(error)
            throw error
        }
    }

    /// Tries the servers one after the other, each with its part of the time that is left.
    private func connectToAny() async throws(PostgresError) -> LibpqHandle {
        let servers = self.configuration.parameters
        let deadline = ContinuousClock.now + self.configuration.connectTimeout
        var errors: [PostgresError] = []
        for (index, server) in servers.enumerated() {
            do throws(PostgresError) {
                let left = max(.zero, deadline - .now)
                return try await self.connect(to: server, until: .now + left / (servers.count - index))
            } catch {
                errors.append(error)
                guard error.mayLieElsewhere else { throw error }
            }
        }
        throw PostgresError(connecting: errors)
    }

    private func connect(
        to server: [String: String], until deadline: ContinuousClock.Instant
    ) async throws(PostgresError) -> LibpqHandle {
        guard !Task.isCancelled else { throw PostgresError(.cancelled, "cancelled before connecting") }
        let logger = self.logger
        let result = await onOwnThread { () -> Result<LibpqHandle, PostgresError> in
            do throws(PostgresError) {
                return .success(try LibpqHandle(starting: server, logger: logger))
            } catch {
                return .failure(error)
            }
        }
        let handle = try result.get()
        try await self.finishConnecting(handle, until: deadline)
        return handle
    }

    private func finishConnecting(
        _ handle: LibpqHandle, until deadline: ContinuousClock.Instant
    ) async throws(PostgresError) {
        var status = handle.isBad ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING
        while status != PGRES_POLLING_OK {
            guard status == PGRES_POLLING_READING || status == PGRES_POLLING_WRITING else {
                throw PostgresError(connecting: handle.errorMessage, to: self.configuration)
            }
            do throws(PostgresError) {
                // The socket may be another one after each poll.
                _ = try await self.wait(
                    handle, for: status == PGRES_POLLING_READING ? .readable : .writable, until: deadline)
            } catch {
                guard error.code == .timedOut else { throw error }
                throw PostgresError(
                    .timedOut, "no connection to \(self.configuration) within \(self.configuration.connectTimeout)",
                    hint: "check host, port and firewall, or raise the connect time-out")
            }
            status = PQconnectPoll(handle.pointer)
        }
        PQsetErrorVerbosity(handle.pointer, PQERRORS_DEFAULT)
        guard PQsetnonblocking(handle.pointer, 1) == 0 else {
            throw PostgresError(.connectionFailed, handle.errorMessage)
        }
    }

    /// Waits for the connection's socket; the deadline's end is a `.timedOut` error.
    func wait(
        _ handle: LibpqHandle, for events: Readiness, until deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> Readiness {
        let timeout = deadline.map { max(.zero, $0 - .now) }
        do {
            return try await self.loop.waitUntilReady(handle.socket, for: events, timeout: timeout)
        } catch is CancellationError {
            throw PostgresError(.cancelled, "cancelled")
        } catch let error as EventLoopError {
            switch error.code {
            case .timedOut: throw PostgresError(.timedOut, "timed out")
            case .shutDown: throw PostgresError(.shutDown, "the event loop was shut down")
            case .system: throw PostgresError(.connectionLost, error.description)
            }
        } catch {
            throw PostgresError(.connectionLost, "\(error)")
        }
    }
}

extension PostgresError {
    static let startHint = "start the server with `assay up` if it is the embedded one, or correct ASSAY_DATABASE_URL"

    /// libpq's verbose message of a failed attempt, with SQLSTATE and advice taken out of it.
    init(connecting message: String, to configuration: PostgresConfiguration) {
        var state: String?
        var lines: [Substring] = []
        for line in message.split(separator: "\n") where !line.hasPrefix("LOCATION:") {
            var line = line
            // "FATAL:  57P03: the database system is starting up"
            if let match = line.firstMatch(of: #/:  ([0-9A-Z]{5}): /#) {
                state = state ?? String(match.1)
                line.replaceSubrange(match.range, with: ": ")
            }
            lines.append(line.drop(while: \.isWhitespace))
        }
        let hint: String? =
            switch state {
            case "3D000": "create the database, or name another one"
            case "28P01", "28000": "check the user and its password or the server's pg_hba.conf"
            case "08P01" where message.contains("unsupported startup parameter"):
                "a pooler refuses it: leave it out of the connection string"
            case "53300":
                "too many connections: raise max_connections, or put a PgBouncer before the server; `assay doctor` counts"
            case "57P03": "the server is starting up or shutting down; try again"
            case nil where message.contains("no password supplied"):
                "give it in ~/.pgpass, PGPASSWORD, or the URL in ASSAY_DATABASE_URL"
            case nil:
                configuration.isLocal ? Self.startHint : "check that the server runs there and can be reached from here"
            default: nil
            }
        self.init(
            .connectionFailed, "cannot connect to \(configuration): \(lines.joined(separator: "; "))",
            sqlState: state, hint: hint)
    }

    /// What several servers said, in one error.
    fileprivate init(connecting errors: [PostgresError]) {
        self = errors.last ?? PostgresError(.connectionFailed, "no server to connect to")
        guard errors.count > 1 else { return }
        var messages: [String] = []
        for error in errors where !messages.contains(error.message) { messages.append(error.message) }
        self.message = messages.joined(separator: "; ")
    }

    /// Another server of the list may do: this one is away, starting, or a standby.
    ///
    /// A refused password is not tried elsewhere.
    fileprivate var mayLieElsewhere: Bool {
        guard self.code == .connectionFailed || self.code == .timedOut else { return false }
        return self.sqlState.map { $0.hasPrefix("57P0") || $0.hasPrefix("53") } ?? true
    }
}

extension PostgresConnection {
    /// Finds out whether the connection keeps its server process, makes the session's settings if it does, and fails
    /// where they can't hold.
    func beginSession(_ handle: LibpqHandle) async throws(PostgresError) {
        try self.checkEncoding(handle)
        let settings = self.configuration.sessionSettings
        // No server process has this number.
        let announced: Int32? =
            switch self.configuration.pooler {
            case .session: nil
            case .automatic: PQbackendPID(handle.pointer)
            case .transaction: -1
            }
        self.keepsSession = self.configuration.pooler != .transaction
        let isPathChosen = !self.configuration.searchPath.isEmpty
        let parameters: [(any PostgresEncodable)?] = [
            announced, settings.map(\.name), settings.map(\.value), settings.map { $0.replaced ?? "" }, !isPathChosen,
        ]
        let facts: SessionFacts
        do throws(PostgresError) {
            facts = try SessionFacts(try await self.query(SessionFacts.statement, parameters))
        } catch {
            throw error.explainingSettings()
        }
        self.keepsSession = facts.keepsSession
        guard self.keepsSession || !isPathChosen else {
            throw PostgresError(
                .usage, "a search path needs a session, which a pooler in transaction mode does not keep",
                hint: "set the search path of the role or the database instead")
        }
        try facts.check(settings, isPathChosen: isPathChosen)
    }

    /// Texts that can't be stored are found out when the work is done: a failed shard whose message has a character that
    /// the database lacks.
    private func checkEncoding(_ handle: LibpqHandle) throws(PostgresError) {
        guard let name = PQparameterStatus(handle.pointer, "server_encoding").map({ String(cString: $0) }),
            name != "UTF8"
        else { return }
        let database = PQdb(handle.pointer).map { String(cString: $0) } ?? ""
        throw PostgresError(
            .usage,
            "the database \"\(database)\" has the encoding \(name), which can't hold all texts; it must be UTF8",
            hint: "CREATE DATABASE name TEMPLATE template0 ENCODING 'UTF8', and use that one; "
                + "pg_dump and psql move what is in this one")
    }
}

extension PostgresError {
    /// A setting that a superuser has made for the role, and only one can unmake.
    fileprivate func explainingSettings() -> PostgresError {
        guard self.sqlState == "42501" else { return self }
        var error = self
        error.code = .usage
        error.hint = "as a superuser: ALTER ROLE ... RESET the setting, or ALTER DATABASE ... RESET it"
        return error
    }
}

extension PostgresConnection {
    /// Looks whether the server has hung up on an idle connection, without asking it.
    func isAlive() -> Bool {
        guard case .open(let handle) = self.state else { return false }
        // A statement that runs, such as the end of somebody's listening, finds out by itself.
        guard !self.gate.isBusy else { return !handle.isBad }
        // The first read may take a farewell, the second one sees the end of the stream.
        for _ in 0..<2 where !self.consume(handle) {
            _ = self.lost(handle)
            return false
        }
        return true
    }

    /// From now on a listener is no reason against lending the connection to others.
    func keepListening() { self.isShared = true }

    /// Nothing of the last user is left: no transaction, no running statement, no listener but the pool's own.
    func isClean() -> Bool {
        guard case .open(let handle) = self.state, !handle.isBad else { return false }
        // On a shared connection somebody's listening may just be ending.
        return (handle.transactionStatus == PQTRANS_IDLE || self.isShared && self.gate.isBusy)
            && self.gate.transaction == nil && (self.isShared || self.listeners.isEmpty)
    }
}

/// Names a transaction, so that its statements can be told from others on the same connection.
struct TransactionToken: Hashable, Sendable {
    /// The transactions that the current task works in, on different connections.
    @TaskLocal static var held: Set<TransactionToken> = []

    private let connection: ObjectIdentifier
    private let number: Int

    init(_ connection: AnyObject, number: Int) {
        self.connection = ObjectIdentifier(connection)
        self.number = number
    }
}

/// Decides who may use the connection: one operation at a time, first come first served, and while a transaction is
/// open only operations of that transaction.
struct ConnectionGate {
    typealias Ticket = Int

    enum Admission: Equatable {
        case admitted
        /// The ticket will be handed out by ``release()``.
        case queued(Ticket)
    }

    private(set) var isBusy = false
    private(set) var transaction: TransactionToken?
    private var queue: [(ticket: Ticket, held: Set<TransactionToken>)] = []
    private var lastTicket = 0

    mutating func request(_ held: Set<TransactionToken>) -> Admission {
        if !self.isBusy, self.admits(held) {
            self.isBusy = true
            return .admitted
        }
        self.lastTicket += 1
        self.queue.append((self.lastTicket, held))
        return .queued(self.lastTicket)
    }

    /// Ends the running operation; the next one, if any, runs from now on.
    mutating func release() -> Ticket? {
        self.isBusy = false
        guard let index = self.queue.firstIndex(where: { self.admits($0.held) }) else { return nil }
        self.isBusy = true
        return self.queue.remove(at: index).ticket
    }

    /// Forgets a queued operation; false when it is not queued any more, that is, it runs.
    mutating func withdraw(_ ticket: Ticket) -> Bool {
        guard let index = self.queue.firstIndex(where: { $0.ticket == ticket }) else { return false }
        self.queue.remove(at: index)
        return true
    }

    /// The running operation has opened a transaction.
    mutating func beginTransaction(_ token: TransactionToken) { self.transaction = token }

    /// The running operation has ended the transaction.
    mutating func endTransaction() { self.transaction = nil }

    private func admits(_ held: Set<TransactionToken>) -> Bool {
        self.transaction.map { held.contains($0) } ?? true
    }
}

extension PostgresConnection {
    /// Waits for this operation's turn; each success must be followed by ``release()``.
    func acquire(_ held: Set<TransactionToken> = TransactionToken.held) async throws(PostgresError) {
        guard !Task.isCancelled else { throw PostgresError.cancelledBeforeStart }
        guard case .queued(let ticket) = self.gate.request(held) else { return }
        let turn = PendingResult<Void>()
        self.gateWaiters[ticket] = turn
        do {
            try await turn.value {}
        } catch {
            if self.gate.withdraw(ticket) {
                self.gateWaiters[ticket] = nil
            } else if self.gateWaiters.removeValue(forKey: ticket) == nil {
                // The turn had been handed out when the cancellation won.
                self.release()
            }
            throw PostgresError.cancelledBeforeStart
        }
    }

    func release() {
        guard let next = self.gate.release() else { return }
        // A waiter that was cancelled meanwhile passes its turn on by itself.
        self.gateWaiters.removeValue(forKey: next)?.finish(.success(()))
    }
}

extension PostgresError {
    static let cancelledBeforeStart = PostgresError(.cancelled, "cancelled before the statement was sent")
}
