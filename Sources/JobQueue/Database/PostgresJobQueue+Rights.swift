import Postgres
import SQL

extension PostgresJobQueue {
    /// What the role of this queue's connections may do.
    ///
    /// - Throws: `forbidden` when it was granted nothing at all.
    public func rights() async throws(QueueError) -> RoleRights {
        try await query(.listAbilities, to: "find out what this role may do") { rows throws(PostgresError) in
            var rights = RoleRights(role: try rows.first?.decode("role") ?? "")
            for row in rows where try row.decode("has", as: Bool.self) {
                let name = try row.decode("ability", as: String.self)
                if name == "owner" { rights.isOwner = true }
                if let ability = Ability(rawValue: name) { rights.abilities.insert(ability) }
            }
            return rights
        }
    }
}
