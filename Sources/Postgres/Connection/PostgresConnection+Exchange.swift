internal import CPostgres
internal import UVEventLoop

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
