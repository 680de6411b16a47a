internal import CPostgres

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
