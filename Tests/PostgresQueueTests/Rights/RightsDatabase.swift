import JobQueue
import Postgres
import PostgresQueue
import PostgresTesting
import Testing

/// A queue with work of several people in it, on a database whose owner is no superuser, and one role for each ability.
struct RightsDatabase: Sendable {
    /// What tests call the roles; "stranger" was granted nothing.
    static let roles = ["owner", "alice", "bob", "gpu", "other_gpu", "rita", "olga", "stranger"]
    static let grants: [(role: String, ability: Ability)] = [
        ("alice", .submitter), ("bob", .submitter), ("gpu", .worker), ("other_gpu", .worker), ("rita", .reader),
        ("olga", .operator),
    ]

    let database: TestDatabase
    let roles: TestRoles

    func connect(as role: String) async throws -> PostgresConnection {
        try await PostgresConnection.connect(try roles.configuration(role), on: database.loop)
    }

    /// Runs `body` with a queue over connections of a role.
    @discardableResult
    func withQueue<Value>(as role: String, _ body: (PostgresJobQueue) async throws -> Value) async throws -> Value {
        try await withPool(as: role) { try await body(PostgresJobQueue($0)) }
    }

    @discardableResult
    func withPool<Value>(as role: String, _ body: (PostgresPool) async throws -> Value) async throws -> Value {
        let pool = PostgresPool(try roles.configuration(role), on: database.loop, size: 2)
        do {
            let value = try await body(pool)
            await pool.shutDown()
            return value
        } catch {
            await pool.shutDown()
            throw error
        }
    }

    /// A digest of every table's rows, by table; history_permit and temporary objects included.
    func contents() async throws -> [String: String] {
        let tables = PostgresStatement(
            name: "tables",
            sql: "SELECT relname::text AS name FROM pg_class WHERE relnamespace = current_schema()::regnamespace "
                + "AND relkind IN ('r', 'v') ORDER BY 1")
        var contents: [String: String] = [:]
        for row in try await database.pool.query(tables) {
            let name = try row.decode("name", as: String.self)
            let digest = PostgresStatement(
                name: "digest_\(name)",
                sql: "SELECT coalesce(md5(string_agg(t::text, ',' ORDER BY t::text)), '') AS md5 FROM \"\(name)\" t")
            contents[name] = try await database.pool.query(digest).only().decode("md5", as: String.self)
        }
        return contents
    }
}

/// Runs `body` with the schema of `database` migrated by a role of its own and granted to the others.
func withRights(_ body: (RightsDatabase) async throws -> Void) async throws {
    try await withTestDatabase { database in
        try await database.withRoles(RightsDatabase.roles) { roles in
            let rights = RightsDatabase(database: database, roles: roles)
            let superuser = try await database.connect()
            try await superuser.execute(
                script: "ALTER SCHEMA \(database.schema) OWNER TO \(roles.name("owner"))", name: "give_schema")
            await superuser.close()
            try await rights.withPool(as: "owner") { pool in
                try await Migrator(pool).migrate(
                    MigrationOptions(
                        grants: RightsDatabase.grants.map { RoleGrant(role: roles.name($0.role), ability: $0.ability) })
                )
            }
            try await body(rights)
        }
    }
}
