internal import CPostgres
internal import UVEventLoop

extension PostgresConnection {
    /// Runs `body` in a transaction, and again when it lost against another one (40001, 40P01).
    ///
    /// `body` may therefore run several times. It commits when it returns; when it throws, or the task is cancelled
    /// before COMMIT is sent, the transaction is rolled back. Statements of other tasks on this connection wait.
    public nonisolated func withTransaction<Value>(
        isolation: PostgresIsolation = .readCommitted, readOnly: Bool = false, retry: PostgresRetry = .default,
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        var attempt = 1
        while true {
            do {
                return try await self.attemptTransaction(isolation, readOnly, body)
            } catch let error as PostgresError where error.isSerializationFailure && attempt < retry.maxAttempts {
                try await self.loop.sleep(for: retry.pause(afterAttempt: attempt))
                attempt += 1
            }
        }
    }

    private nonisolated func attemptTransaction<Value>(
        _ isolation: PostgresIsolation, _ readOnly: Bool, _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let token = try await self.begin(isolation, readOnly)
        let value: Value
        do {
            value = try await TransactionToken.$held.withValue(TransactionToken.held.union([token])) {
                try await body(self)
            }
            if Task.isCancelled {
                throw PostgresError(.cancelled, "cancelled before COMMIT; the transaction was rolled back")
            }
        } catch {
            await Task { await self.rollBack(token) }.value
            throw error
        }
        try await Task { try await self.commit(token) }.value
        return value
    }

    private func begin(
        _ isolation: PostgresIsolation, _ readOnly: Bool
    ) async throws(PostgresError) -> TransactionToken {
        if let open = self.gate.transaction, TransactionToken.held.contains(open) {
            throw PostgresError(
                .usage, "a transaction is open on this connection already",
                hint: "work in the outer transaction instead of beginning another one")
        }
        self.transactionCount += 1
        let token = TransactionToken(self, number: self.transactionCount)
        let sql = "BEGIN ISOLATION LEVEL \(isolation.rawValue) \(readOnly ? "READ ONLY" : "READ WRITE")"
        let statement = PostgresStatement(name: "begin", sql: sql)
        do throws(PostgresError) {
            try await self.acquire()
            defer { self.release() }
            do throws(PostgresError) {
                _ = try await self.exchange(statement, deadline: self.deadline(nil)) { PQsendQuery($0, sql) }
                self.gate.beginTransaction(token)
            } catch {
                // A cancelled BEGIN may have been executed.
                await Task { await self.leaveTransaction() }.value
                throw error
            }
        } catch {
            throw error.naming(statement.name)
        }
        return token
    }

    /// Runs in a task that nobody cancels: once COMMIT is sent, its answer matters.
    private func commit(_ token: TransactionToken) async throws(PostgresError) {
        try await self.acquire([token])
        defer { self.release() }
        defer { self.gate.endTransaction() }
        let statement = PostgresStatement(name: "commit", sql: "COMMIT")
        do throws(PostgresError) {
            let limit = ContinuousClock.now + (self.configuration.statementTimeout ?? .seconds(60)) + .seconds(5)
            let result = try await self.exchange(statement, deadline: limit) { PQsendQuery($0, "COMMIT") }
            guard result.commandTag == "COMMIT" else {
                throw PostgresError(
                    .transactionAborted, "the transaction was rolled back: one of its statements had failed before",
                    hint: "let the error of that statement leave the transaction's body", statement: statement.name)
            }
        } catch {
            var error = error.naming(statement.name)
            if error.code == .connectionLost || error.code == .timedOut {
                if error.code == .timedOut { self.end(error) }
                error.code = .commitUnknown
                error.hint = "whether the transaction was committed has to be looked up"
            }
            throw error
        }
    }

    /// Runs in a task that nobody cancels.
    private func rollBack(_ token: TransactionToken) async {
        guard (try? await self.acquire([token])) != nil else { return }
        defer { self.release() }
        await self.leaveTransaction()
        self.gate.endTransaction()
    }

    /// Ends an open transaction, or else the connection.
    private func leaveTransaction() async {
        guard case .open(let handle) = self.state, handle.transactionStatus != PQTRANS_IDLE else { return }
        do throws(PostgresError) {
            let statement = PostgresStatement(name: "rollback", sql: "ROLLBACK")
            _ = try await self.exchange(statement, deadline: .now + .seconds(30)) { PQsendQuery($0, "ROLLBACK") }
        } catch {
            self.end(PostgresError(.connectionLost, "the transaction could not be rolled back: \(error.message)"))
        }
    }
}

/// What a transaction sees of others.
public enum PostgresIsolation: String, Sendable, Hashable, CaseIterable {
    case readCommitted = "READ COMMITTED"
    case repeatableRead = "REPEATABLE READ"
    case serializable = "SERIALIZABLE"
}

/// How often and how soon something is tried again.
public struct PostgresRetry: Sendable, Hashable {
    /// The number of attempts, the first one included.
    public var maxAttempts: Int
    /// The upper bound of the first pause; it doubles with every further one.
    public var initialPause: Duration
    public var maxPause: Duration

    public init(maxAttempts: Int = 8, initialPause: Duration = .milliseconds(20), maxPause: Duration = .seconds(2)) {
        self.maxAttempts = maxAttempts
        self.initialPause = initialPause
        self.maxPause = maxPause
    }

    public static let `default` = PostgresRetry()
    /// One attempt only.
    public static let never = PostgresRetry(maxAttempts: 1)

    /// The pause after a failed attempt (from 1): uniform between zero and the bound, so that rivals part.
    public func pause(afterAttempt attempt: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        let doublings = min(max(0, attempt - 1), 30)
        let bound = min(self.maxPause, self.initialPause * (1 << doublings))
        return bound * Double.random(in: 0...1, using: &generator)
    }

    func pause(afterAttempt attempt: Int) -> Duration {
        var generator = SystemRandomNumberGenerator()
        return self.pause(afterAttempt: attempt, using: &generator)
    }
}
