import Postgres
import SQL

extension PostgresJobQueue {
    public func deadClaims(among claims: [ClaimReference]) async throws(QueueError) -> Set<ClaimReference> {
        guard !claims.isEmpty else { return [] }
        let parameters: [(any PostgresEncodable)?] = [
            claims.map(\.run.text), claims.map(\.ordinal), claims.map(\.shard), claims.map(\.epoch.rawValue),
            claims.map(\.incarnation.uuid),
        ]
        return try await query(.findDeadClaims, parameters, to: "look for claims without a future") {
            rows throws(PostgresError) in
            var dead: Set<ClaimReference> = []
            for row in rows {
                dead.insert(claims[try row.decode("number", as: Int.self) - 1])
            }
            return dead
        }
    }
}
