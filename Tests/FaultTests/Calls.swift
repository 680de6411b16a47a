import Postgres
import UVEventLoop

/// A worker's calls to the queue that a fault is to hit.
enum Call: String, CaseIterable, Sendable {
    case claim = "claim_shards"
    case commit = "commit_shards"
    case heartbeat

    /// Locks the row that the call needs, if it is there; claims need none, only that of their worker must be there.
    fileprivate var lock: String {
        switch self {
        case .claim: "SELECT 1 FROM worker WHERE pid = $1::int4 AND state = 'live'"
        case .heartbeat:
            "SELECT 1 FROM worker WHERE pid = $1::int4 AND state = 'live' FOR NO KEY UPDATE"
        case .commit:
            """
            SELECT 1 FROM shard s JOIN worker w USING (worker_id)
            WHERE w.pid = $1::int4 AND w.state = 'live' AND s.state = 'running' FOR NO KEY UPDATE OF s
            """
        }
    }

    /// What a claim reads when it has taken its shards already: it waits for no row, so the table is locked.
    fileprivate var tableLock: String? { self == .claim ? "LOCK TABLE pace IN ACCESS EXCLUSIVE MODE" : nil }
}

extension FaultBench {
    /// Holds up the worker's next such call in the server and runs `body` while it is under way there.
    ///
    /// - Returns: False when no such call has come in time, and `body` did not run.
    func holdingUp(
        _ call: Call, of worker: WorkerProcess, within limit: Duration = .seconds(8),
        _ body: () async throws -> Void
    ) async throws -> Bool {
        let connection = try await PostgresConnection.connect(self.pool.configuration, on: self.loop)
        var wasHit = false
        do {
            let deadline = ContinuousClock.now + limit
            let process = worker.processID
            while !wasHit, worker.child.result == nil, .now < deadline {
                try await connection.withTransaction { connection in
                    let locked = try await connection.query(
                        PostgresStatement(name: "lock", sql: call.lock), [process])
                    guard !locked.isEmpty else { return }
                    if let tableLock = call.tableLock { try await connection.execute(script: tableLock) }
                    guard try await self.isWaiting(worker, in: call) else { return }
                    wasHit = true
                    try await body()
                }
            }
        } catch is PostgresError where wasHit {
            // `body` has restarted the server, and the transaction with the lock is gone too.
        } catch {
            await connection.close()
            throw error
        }
        await connection.close()
        return wasHit
    }

    /// Waits for a moment until one of the worker's connections waits for a lock in the call.
    private func isWaiting(_ worker: WorkerProcess, in call: Call) async throws -> Bool {
        let sql = """
            pg_stat_activity WHERE application_name = $1::text AND wait_event_type = 'Lock'
                AND query LIKE '%' || $2::text || '(%'
            """
        // A worker renews its lease of three seconds every half second, and claims after every shard.
        return try await self.soon(within: .seconds(2)) {
            try await self.count(sql, worker.name, call.rawValue) > 0 ? true : nil
        } ?? false
    }
}
