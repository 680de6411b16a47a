import Crypto
public import Postgres
import SQL

/// Brings a database's schema to the version that this program needs.
///
/// Everything is made in the schema that the connections work in. Each database remembers the sha256 of what was
/// applied to it; a history that differs is refused.
public struct Migrator: Sendable {
    private let pool: PostgresPool
    private let migrations: [Migration]

    public init(_ pool: PostgresPool) {
        self.init(pool, migrations: Migration.all)
    }

    init(_ pool: PostgresPool, migrations: [Migration]) {
        self.pool = pool
        self.migrations = migrations
    }

    /// Applies what is missing, all or nothing; several processes may do so at once.
    ///
    /// - Returns: The names of the steps that this call applied; `functions` where only their definitions changed.
    /// - Throws: `schema` when the database was migrated by another or a newer program.
    @discardableResult
    public func migrate() async throws(QueueError) -> [String] {
        let migrations = migrations
        do {
            return try await pool.withTransaction { connection in
                _ = try await connection.query(PostgresStatement(.lockMigrations))
                _ = try await connection.query(PostgresStatement(.createMigrationTable))
                _ = try await connection.query(PostgresStatement(.createFunctionTable))
                let plan = try MigrationPlan(known: migrations, applied: try await Self.applied(on: connection))
                for step in plan.pending {
                    try await connection.execute(script: step.sql, name: "migration \(step.version) (\(step.name))")
                    _ = try await connection.query(
                        PostgresStatement(.insertMigration), [step.version, step.name, step.sha256])
                }
                let isOld = try await Self.madeFunctions(on: connection) != FunctionFile.sha256
                if isOld || !plan.pending.isEmpty {
                    try await Self.makeFunctions(on: connection)
                }
                return plan.pending.map(\.name) + (isOld ? [Self.functions] : [])
            }
        } catch {
            throw QueueError(error, task: "migrate the database")
        }
    }

    /// Looks without changing anything.
    ///
    /// - Throws: `schema` as ``migrate()`` would.
    public func status() async throws(QueueError) -> SchemaStatus {
        let migrations = migrations
        do {
            return try await pool.withTransaction { connection in
                let exists = try await connection.query(PostgresStatement(.findMigrationTable)).only()
                    .decode("exists", as: Bool.self)
                let applied = exists ? try await Self.applied(on: connection) : []
                let plan = try MigrationPlan(known: migrations, applied: applied)
                let made = try await Self.madeFunctions(on: connection)
                return SchemaStatus(
                    applied: applied,
                    pending: plan.pending.map(\.name) + (made == FunctionFile.sha256 ? [] : [Self.functions]))
            }
        } catch {
            throw QueueError(error, task: "read the state of the database's schema")
        }
    }

    /// What a step is called that brings no tables, only the current definitions of all functions.
    static let functions = "functions"

    private static func makeFunctions(on connection: PostgresConnection) async throws {
        _ = try await connection.query(PostgresStatement(.deferFunctionChecks))
        for file in FunctionFile.all {
            try await connection.execute(script: file.sql, name: "functions/\(file.name).sql")
        }
        _ = try await connection.query(PostgresStatement(.recordFunctions), [FunctionFile.sha256])
    }

    /// The sha256 of the definitions that the database has; none before the first migration.
    private static func madeFunctions(on connection: PostgresConnection) async throws -> String? {
        guard try await connection.query(PostgresStatement(.findFunctionTable)).only().decode("exists", as: Bool.self)
        else { return nil }
        return try await connection.query(PostgresStatement(.findFunctions)).first?.decode("sha256")
    }

    private static func applied(on connection: PostgresConnection) async throws -> [AppliedMigration] {
        try await connection.query(PostgresStatement(.listMigrations)).map { row in
            AppliedMigration(
                version: try row.decode("version"), name: try row.decode("name"), sha256: try row.decode("sha256"),
                appliedAt: try row.date("applied_at"))
        }
    }
}

extension Migration {
    /// Of the SQL text, as hexadecimal digits.
    var sha256: String {
        hexadecimal(SHA256.hash(data: Array(sql.utf8)))
    }
}

extension FunctionFile {
    /// Of all files, in order: what a database remembers of its functions.
    static let sha256 = hexadecimal(SHA256.hash(data: Array(all.map { "\($0.name)\n\($0.sql)" }.joined().utf8)))
}
