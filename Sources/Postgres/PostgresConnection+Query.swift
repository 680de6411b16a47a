internal import CPostgres
internal import Threads
internal import UVEventLoop

extension PostgresConnection {
    /// Runs one statement and returns its rows.
    ///
    /// Parameters are sent out of band. `timeout` is shorter than the configuration's limit, or nil for that alone.
    public func query(
        _ statement: PostgresStatement, _ parameters: [(any PostgresEncodable)?] = [], timeout: Duration? = nil
    ) async throws(PostgresError) -> PostgresRows {
        let encoded = try EncodedParameters(parameters, statement: statement.name)
        do throws(PostgresError) {
            try await self.acquire()
            defer { self.release() }
            let result = try await self.run(statement, encoded, deadline: self.deadline(timeout))
            return PostgresRows(result, statement: statement.name)
        } catch {
            throw error.naming(statement.name).suspectingPooler()
        }
    }

    /// Runs a script of several statements without parameters, such as a migration.
    ///
    /// They form one transaction unless the script says otherwise; the first error ends it and names the line. The
    /// configuration's `statementTimeout` holds for each statement, `timeout` for the whole script.
    public func execute(
        script: String, name: String = "script", timeout: Duration? = nil
    ) async throws(PostgresError) {
        guard !script.utf8.contains(0) else {
            throw PostgresError(.usage, "the script contains a NUL character", statement: name)
        }
        do throws(PostgresError) {
            try await self.acquire()
            defer { self.release() }
            _ = try await self.exchange(
                PostgresStatement(name: name, sql: script), deadline: timeout.map { .now + $0 }
            ) { PQsendQuery($0, script) }
        } catch {
            throw error.naming(name)
        }
    }

    /// The client's own limit lies behind the server's, so that the server's error normally comes first.
    func deadline(_ timeout: Duration?) -> ContinuousClock.Instant? {
        let limit = self.configuration.statementTimeout
        // Without session settings the server knows no limit.
        let grace = self.keepsSession ? Duration.seconds(5) : .zero
        switch (timeout, limit.map { $0 + grace }) {
        case (nil, nil): return nil
        case (let only?, nil), (nil, let only?): return .now + only
        case (let one?, let other?): return .now + min(one, other)
        }
    }

    private func run(
        _ statement: PostgresStatement, _ parameters: EncodedParameters, deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> ResultHandle {
        let key = PreparedStatements.Key(statement: statement, types: parameters.types)
        let plan = self.keepsSession ? self.prepared.plan(key) : .direct
        switch plan {
        case .direct:
            return try await self.exchange(statement, deadline: deadline) { pointer in
                parameters.withPointers { values, lengths, formats in
                    PQsendQueryParams(
                        pointer, statement.sql, parameters.count, parameters.types, values, lengths, formats, 0)
                }
            }
        case .prepare(let name):
            _ = try await self.exchange(statement, deadline: deadline) { pointer in
                PQsendPrepare(pointer, name, statement.sql, parameters.count, parameters.types)
            }
            self.prepared.didPrepare(key, as: name)
            return try await self.runPrepared(name, statement, parameters, deadline)
        case .use(let name):
            return try await self.runOrPrepareAgain(name, key, parameters, deadline)
        }
    }

    private func runPrepared(
        _ name: String, _ statement: PostgresStatement, _ parameters: EncodedParameters,
        _ deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> ResultHandle {
        try await self.exchange(statement, deadline: deadline) { pointer in
            parameters.withPointers { values, lengths, formats in
                PQsendQueryPrepared(pointer, name, parameters.count, values, lengths, formats, 0)
            }
        }
    }

    private func runOrPrepareAgain(
        _ name: String, _ key: PreparedStatements.Key, _ parameters: EncodedParameters,
        _ deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> ResultHandle {
        do throws(PostgresError) {
            return try await self.runPrepared(name, key.statement, parameters, deadline)
        } catch {
            // 26000: the statement is gone (DISCARD ALL). 0A000: its result type has changed (a migration).
            guard error.sqlState == "26000" || error.sqlState == "0A000" else { throw error }
            self.prepared.forget(key)
            // Neither has done anything; outside a transaction it can be tried again, this time freshly prepared.
            guard try self.handle().transactionStatus == PQTRANS_IDLE else { throw error }
            return try await self.run(key.statement, parameters, deadline: deadline)
        }
    }
}

extension PostgresConnection {
    /// Sends a command and takes its results; the last one is returned, an error in any of them is thrown.
    ///
    /// Returns early with a COPY_IN result. When the task is cancelled or the deadline passes, the command is cancelled
    /// on the server first.
    func exchange(
        _ statement: PostgresStatement, deadline: ContinuousClock.Instant?, _ send: (OpaquePointer) -> CInt
    ) async throws(PostgresError) -> ResultHandle {
        let handle = try self.handle()
        let start = ContinuousClock.now
        guard send(handle.pointer) == 1 else { throw self.lost(handle) }
        let outcome: Outcome
        do throws(PostgresError) {
            try await self.flush(handle, until: deadline)
            outcome = try await self.collect(handle, until: deadline)
        } catch {
            throw await self.giveUp(error, on: handle)
        }
        if let failure = outcome.failure {
            if handle.isBad { throw self.lost(handle, failure: failure, statement) }
            var error = PostgresError(failure, statement: statement.name, sql: statement.sql)
            if error.sqlState == "57014", let limit = self.configuration.statementTimeout,
                ContinuousClock.now - start >= limit
            {
                error.code = .timedOut
            }
            throw error
        }
        guard let result = outcome.last else { throw self.lost(handle) }
        return result
    }

    /// What a command's results came to.
    struct Outcome {
        var last: ResultHandle?
        /// The first result that is an error.
        var failure: ResultHandle?

        /// False when the command waits for more, that is, for the data of a COPY.
        mutating func take(_ result: ResultHandle) -> Bool {
            switch result.status {
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                self.last = result
                return false
            case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE:
                self.failure = self.failure ?? result
            default:
                self.last = result
            }
            return true
        }
    }

    /// Sends what libpq has buffered, and reads meanwhile, so that neither side waits for the other.
    func flush(_ handle: LibpqHandle, until deadline: ContinuousClock.Instant?) async throws(PostgresError) {
        while true {
            let status = PQflush(handle.pointer)
            if status == 0 { return }
            guard status > 0 else { throw self.lost(handle) }
            let ready = try await self.wait(handle, for: .either, until: deadline)
            if ready.contains(.readable), !self.consume(handle) { return }
        }
    }

    /// Takes results until there are no more, or a COPY begins.
    func collect(
        _ handle: LibpqHandle, until deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> Outcome {
        var outcome = Outcome()
        while true {
            while PQisBusy(handle.pointer) != 0, !handle.isBad {
                _ = try await self.wait(handle, for: .readable, until: deadline)
                // The server's last words are among the results, so those are looked at in any case.
                guard self.consume(handle) else { break }
            }
            guard let pointer = PQgetResult(handle.pointer) else {
                // What came behind the last result was read with it, and no event tells of it any more.
                self.deliverNotifications(handle)
                return outcome
            }
            guard outcome.take(ResultHandle(pointer)) else { return outcome }
        }
    }

    /// Reads what has arrived and hands notifications on; false when the connection is broken.
    func consume(_ handle: LibpqHandle) -> Bool {
        let isAlive = PQconsumeInput(handle.pointer) == 1
        self.deliverNotifications(handle)
        return isAlive && !handle.isBad
    }

    private func deliverNotifications(_ handle: LibpqHandle) {
        while let (channel, payload) = handle.nextNotification() { self.listeners.yield(payload, on: channel) }
    }

    /// Ends the connection because it is broken.
    func lost(
        _ handle: LibpqHandle, failure: ResultHandle? = nil, _ statement: PostgresStatement? = nil
    ) -> PostgresError {
        var error = PostgresError(.connectionLost, "the connection was lost: \(handle.errorMessage)")
        if let failure, let statement {
            let reason = PostgresError(failure, statement: statement.name, sql: statement.sql)
            error.sqlState = reason.sqlState
            error.message = "the connection was lost: \(reason.message)"
        }
        error.hint = "a new connection may work; look at the server's log for the cause"
        self.end(error)
        return error
    }
}

/// Which statements a connection has prepared on the server.
struct PreparedStatements {
    /// A statement is prepared for one list of parameter types.
    struct Key: Hashable {
        let statement: PostgresStatement
        let types: [UInt32]

        /// Made from the content (FNV-1a, 64 bits): where a pooler mixes up server processes unnoticed, a name can be
        /// missing, but it never stands for another statement.
        var name: String {
            let hash = (Array(self.statement.sql.utf8) + self.types.flatMap { "/\($0)".utf8 })
                .reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
            return "assay_\(String(hash, radix: 16))"
        }
    }

    enum Plan: Equatable {
        /// Send the text: a statement is worth preparing only from its second use on.
        case direct
        /// Prepare under this name first.
        case prepare(String)
        case use(String)
    }

    /// More different statements than this point to names made up at run time; those are not worth keeping.
    static let capacity = 256

    private var seen: Set<Key> = []
    private var names: [Key: String] = [:]
    private var forgotten: [Key: Int] = [:]

    mutating func plan(_ key: Key) -> Plan {
        if let name = self.names[key] { return .use(name) }
        guard self.seen.contains(key) else {
            if self.seen.count < Self.capacity { self.seen.insert(key) }
            return .direct
        }
        return .prepare(self.forgotten[key].map { "\(key.name)_\($0)" } ?? key.name)
    }

    mutating func didPrepare(_ key: Key, as name: String) { self.names[key] = name }

    /// The server does not know the statement any more, or its tables have changed.
    mutating func forget(_ key: Key) {
        self.names[key] = nil
        self.forgotten[key, default: 0] += 1
    }
}

/// Parameters in the arrays that libpq wants.
struct EncodedParameters {
    let types: [UInt32]
    private var bytes: [UInt8] = []
    private var offsets: [Int?] = []
    private var lengths: [CInt] = []
    private var formats: [CInt] = []

    /// The wire protocol counts parameters in 16 bits.
    static let limit = 65535

    init(_ values: [(any PostgresEncodable)?], statement: String) throws(PostgresError) {
        guard values.count <= Self.limit else {
            throw PostgresError(
                .usage, "\(values.count) parameters, at most \(Self.limit) are possible; pass arrays, or use COPY",
                statement: statement)
        }
        var types: [UInt32] = []
        for (index, value) in values.enumerated() {
            guard let parameter = value?.postgresParameter else {
                types.append(0)
                self.offsets.append(nil)
                self.lengths.append(0)
                self.formats.append(0)
                continue
            }
            if parameter.form == .text, parameter.bytes.contains(0) {
                throw PostgresError(
                    .usage, "parameter $\(index + 1) contains a NUL character, which PostgreSQL's text can't hold",
                    hint: "remove it, or store bytes in a bytea column", statement: statement)
            }
            guard let length = CInt(exactly: parameter.bytes.count), length < 1_000_000_000 else {
                throw PostgresError(
                    .usage, "parameter $\(index + 1) has \(parameter.bytes.count) bytes, at most 1 GB is possible",
                    statement: statement)
            }
            types.append(parameter.typeOID)
            self.offsets.append(self.bytes.count)
            self.lengths.append(length)
            self.formats.append(parameter.form == .bytes ? 1 : 0)
            self.bytes += parameter.bytes
            self.bytes.append(0)
        }
        self.types = types
    }

    var count: CInt { CInt(self.offsets.count) }

    /// Calls `send` with values, lengths and formats.
    func withPointers(
        _ send: (UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<CInt>?, UnsafePointer<CInt>?) -> CInt
    ) -> CInt {
        self.bytes.withUnsafeBytes { bytes in
            let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            let values = self.offsets.map { offset in offset.flatMap { start?.advanced(by: $0) } }
            return values.withUnsafeBufferPointer { values in
                self.lengths.withUnsafeBufferPointer { lengths in
                    self.formats.withUnsafeBufferPointer { formats in
                        send(values.baseAddress, lengths.baseAddress, formats.baseAddress)
                    }
                }
            }
        }
    }
}

extension PostgresConnection {
    /// Ends a statement that is not waited for any longer; returns the error to throw.
    ///
    /// The connection is usable afterwards, or has ended.
    func giveUp(_ error: PostgresError, on handle: LibpqHandle) async -> PostgresError {
        guard error.code == .cancelled || error.code == .timedOut else {
            self.end(error)
            return error
        }
        // A task of its own, because this one may be cancelled.
        await Task { await self.cancelStatement(on: handle) }.value
        var error = error
        error.message =
            error.code == .cancelled
            ? "cancelled; the statement was cancelled on the server" : "timed out; the statement was cancelled"
        return error
    }

    private func cancelStatement(on handle: LibpqHandle) async {
        let limit = self.configuration.cancelTimeout
        let deadline = ContinuousClock.now + limit
        guard limit > .zero, await self.requestCancel(on: handle, within: limit) else {
            self.end(PostgresError(.connectionLost, "given up with a statement that was not waited for any longer"))
            return
        }
        do throws(PostgresError) {
            var isOver = false
            while !isOver {
                try await self.flush(handle, until: deadline)
                let outcome = try await self.collect(handle, until: deadline)
                isOver = outcome.last?.status != PGRES_COPY_IN
                if !isOver { PQputCopyEnd(handle.pointer, "cancelled") }
            }
            if handle.isBad { _ = self.lost(handle) }
        } catch {
            self.end(PostgresError(.connectionLost, "a cancelled statement did not end: \(error.message)"))
        }
    }

    /// Asks the server to end what runs; false when the request does not get through in time.
    ///
    /// PQcancel connects and waits for the server, so that no late request can hit the next statement; on a dead
    /// network it may wait for long, on a thread that is then left to it.
    private func requestCancel(on handle: LibpqHandle, within limit: Duration) async -> Bool {
        guard let cancel = PQgetCancel(handle.pointer) else { return true }
        let request = CancelRequest(pointer: cancel)
        let sent = PendingResult<Void>()
        let sending = Task {
            await onOwnThread { request.send() }
            sent.finish(.success(()))
        }
        let loop = self.loop
        let alarm = Task {
            try? await loop.sleep(for: limit)
            sent.finish(.failure(CancellationError()))
        }
        defer {
            sending.cancel()
            alarm.cancel()
        }
        return (try? await sent.value {}) != nil
    }
}

/// A cancel request for the statement that runs.
///
/// Safety: used by one thread at a time; PQcancel is made for use from another thread.
private struct CancelRequest: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Sends the request, waits until the server has taken it, and frees it.
    func send() {
        var message = [CChar](repeating: 0, count: 256)
        PQcancel(self.pointer, &message, CInt(message.count))
        PQfreeCancel(self.pointer)
    }
}

/// SQL text with a name that errors and the cache of prepared statements use.
///
/// Values never belong in the text: they are sent as parameters ($1, $2, ...).
public struct PostgresStatement: Sendable, Hashable {
    /// What errors call the statement, such as "claim_shards".
    public var name: String
    public var sql: String

    public init(name: String, sql: String) {
        self.name = name
        self.sql = sql
    }
}
