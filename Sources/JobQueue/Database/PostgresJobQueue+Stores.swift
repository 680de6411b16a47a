public import FoundationEssentials
import Postgres
import SQL

extension PostgresJobQueue {
    public func databaseIdentity() async throws(QueueError) -> DatabaseIdentity {
        try await query(.databaseIdentity, to: "find out which store the database belongs to") {
            rows throws(PostgresError) in try DatabaseIdentity(try rows.only())
        }
    }

    public func adoptStore(
        _ store: UUID, path: String, user: String, onlyFirst: Bool
    ) async throws(QueueError) -> StoreAdoption {
        try checkAdoption(path: path, user: user)
        try await query(.adoptStore, [store, path, user, onlyFirst], to: "adopt the store") { _ in }
        guard let adoption = try await databaseIdentity().adoption else {
            throw QueueError(.internalFailure, "the store's adoption was not kept")
        }
        return adoption
    }

    public func verdicts(on claims: [ClaimReference]) async throws(QueueError) -> [ClaimReference: ClaimVerdict] {
        guard !claims.isEmpty else { return [:] }
        let parameters: [(any PostgresEncodable)?] = [
            claims.map(\.run.text), claims.map(\.ordinal), claims.map(\.shard), claims.map(\.epoch.rawValue),
            claims.map(\.incarnation.uuid),
        ]
        return try await query(.judgeClaims, parameters, to: "find out which claims are dead") {
            rows throws(PostgresError) in
            var verdicts: [ClaimReference: ClaimVerdict] = [:]
            for row in rows {
                verdicts[claims[try row.decode("number", as: Int.self) - 1]] = try row.name("verdict")
            }
            return verdicts
        }
    }

    public func withdraw(
        _ results: [ResultWithdrawal], of job: JobID, user: String, again: Bool
    ) async throws(QueueError) -> [Int] {
        for result in results { try result.validate() }
        try check(user, "the user's name", 1...200)
        let parameters: [(any PostgresEncodable)?] = [
            job.run.text, job.ordinal, results.map(\.shard), results.map(\.epoch.rawValue),
            results.map(\.incarnation.uuid), results.map(\.reason), user, again,
        ]
        let withdrawn: [Int]?
        do {
            withdrawn = try await query(.withdrawResults, parameters, to: "take results of job \(job) out") {
                rows throws(PostgresError) in try rows.only().decode("withdrawn", as: [Int]?.self)
            }
        } catch  where error.code == .conflict {
            throw QueueError.isArchived(job.run)
        }
        guard let withdrawn else {
            throw QueueError.jobNotFound(job.name)
        }
        return withdrawn
    }

    public func withdrawnResults(of job: JobID) async throws(QueueError) -> [WithdrawnResult] {
        try await query(.listWithdrawnResults, [job.number], to: "list what was taken out of job \(job)") {
            rows throws(PostgresError) in
            var results: [WithdrawnResult] = []
            for row in rows {
                results.append(try WithdrawnResult(row))
            }
            return results
        }
    }

    @discardableResult
    public func restore(_ run: RunID) async throws(QueueError) -> Bool {
        let restored = try await query(.restoreRun, [run.text], to: "bring run \(run) back from the archive") {
            rows throws(PostgresError) in try rows.only().decode("restored", as: Bool?.self)
        }
        guard let restored else {
            throw QueueError.runNotFound(run.text)
        }
        return restored
    }

    public func namedHashes() async throws(QueueError) -> Set<String> {
        try await query(.listNamedHashes, to: "list the data sets in use") { rows throws(PostgresError) in
            var hashes: Set<String> = []
            for row in rows {
                hashes.insert(try row.decode("sha256", as: String.self))
            }
            return hashes
        }
    }
}

func checkAdoption(path: String, user: String) throws(QueueError) {
    try check(path, "the store's path", 1...4096)
    try check(user, "the user's name", 1...200)
}

extension DatabaseIdentity {
    fileprivate init(_ row: PostgresRow) throws(PostgresError) {
        self.init(
            systemIdentifier: try row.decode("system_identifier"), databaseOID: try row.decode("database_oid"),
            databaseName: try row.decode("database_name"), adoption: nil)
        guard let store = try row.decode("store_uuid", as: UUID?.self) else { return }
        adoption = StoreAdoption(
            store: store, database: try row.decode("database_uuid"),
            systemIdentifier: try row.decode("adopted_system"), databaseOID: try row.decode("adopted_oid"),
            path: try row.decode("path"), user: try row.decode("adopted_by"), adoptedAt: try row.date("adopted_at"))
    }
}

extension WithdrawnResult {
    fileprivate init(_ row: PostgresRow) throws(PostgresError) {
        self.init(
            shard: try row.decode("shard_no"), epoch: Epoch(try row.decode("epoch")), path: try row.decode("path"),
            bytes: try row.decode("bytes"), sha256: try row.decode("sha256"), digest: try row.decode("digest"),
            reason: try row.decode("reason"), user: try row.decode("withdrawn_by"),
            withdrawnAt: try row.date("withdrawn_at"))
    }
}
