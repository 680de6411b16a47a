internal import UVEventLoop

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
