import Crypto
internal import Files
public import FoundationEssentials
public import JobQueue
public import Postgres
import SQL
import SQLFunctions

/// Brings a database's schema to the version that this program needs.
///
/// Everything is made in the schema that the connections work in. A new database is made as it is now, an older one is brought
/// there step by step, and both remember the same steps, with their sha256. A history that differs is refused. A newer one is
/// not, as long as the database says that this program still works with it.
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

    /// How long one try may wait for one lock: as long do all wait who come after it.
    private static let lockTimeout = "2s"

    /// Applies what is missing and brings all privileges up to date, all or nothing; several processes may do so at once.
    ///
    /// Locks are waited for briefly and again, so that nobody who works beside it waits long.
    /// - Returns: The names of the steps that this call applied; `functions` where only their definitions changed.
    /// - Throws: `schema` when the database was migrated by another or a newer program, `unavailable` when others held
    ///   locks all the time, `conflict` when workers or roles would be locked out.
    @discardableResult
    public func migrate(_ options: MigrationOptions = MigrationOptions()) async throws(QueueError) -> [String] {
        let deadline = ContinuousClock.now + options.patience
        while true {
            do {
                return try await pool.withTransaction { try await apply(options, on: $0) }
            } catch let error as PostgresError where error.sqlState == Self.lockNotAvailable {
                guard ContinuousClock.now < deadline else {
                    throw QueueError(
                        .unavailable,
                        "can't migrate the database: others held locks for \(options.patience), \(await lockHolders())",
                        underlying: error)
                }
                do {
                    try await Task.sleep(for: .milliseconds(500))
                } catch {
                    throw QueueError(error, task: "migrate the database")
                }
            } catch {
                throw QueueError(error, task: "migrate the database")
            }
        }
    }

    private static let lockNotAvailable = "55P03"

    private func apply(_ options: MigrationOptions, on connection: PostgresConnection) async throws -> [String] {
        _ = try await connection.query(PostgresStatement(.limitLockWaits), [Self.lockTimeout])
        _ = try await connection.query(PostgresStatement(.lockMigrations))
        let isThere = try await Self.exists(.findMigrationTable, on: connection)
        let applied = isThere ? try await Self.applied(on: connection) : []
        let plan = try MigrationPlan(
            known: migrations, applied: applied, minimum: try await Self.minimum(on: connection))
        var steps = plan.pending.map(\.name)
        if !plan.isNewer {
            _ = try await connection.query(PostgresStatement(.createMigrationTable))
            _ = try await connection.query(PostgresStatement(.createFunctionTable))
            for file in plan.isNew ? TableFile.all : [] {
                try await connection.execute(script: file.sql, name: "tables/\(file.name).sql")
            }
            for step in plan.pending {
                if !plan.isMade(step) {
                    try await connection.execute(script: step.sql, name: "migration \(step.version) (\(step.name))")
                }
                _ = try await connection.query(
                    PostgresStatement(.insertMigration), [step.version, step.name, step.sha256])
            }
            let isOld = try await Self.madeFunctions(on: connection) != FunctionFile.sha256
            if isOld || !plan.pending.isEmpty {
                try await Self.makeFunctions(on: connection)
            }
            if isOld { steps.append(Self.functions) }
            if plan.isNew {
                try await connection.execute(script: TableFile.triggers.sql, name: "tables/triggers.sql")
            }
            for step in plan.pending where !plan.isMade(step) {
                guard let rest = step.afterFunctions else { continue }
                try await connection.execute(script: rest, name: "migration \(step.version) (\(step.name)), triggers")
            }
        }
        for (changes, isGranted) in [(options.grants, true), (options.revocations, false)] {
            for grant in changes {
                _ = try await connection.query(
                    PostgresStatement(.changeGrant), [grant.role, grant.ability.rawValue, isGranted])
            }
        }
        if !options.isForced, !plan.pending.isEmpty {
            try await Self.refuseToLockOut(on: connection)
        }
        _ = try await connection.query(PostgresStatement(.applyRights))
        return steps
    }

    /// Looks without changing anything.
    ///
    /// - Throws: `schema` as ``migrate(_:)`` would.
    public func status() async throws(QueueError) -> SchemaStatus {
        let migrations = migrations
        do {
            return try await pool.withTransaction { connection in
                let exists = try await Self.exists(.findMigrationTable, on: connection)
                let applied = exists ? try await Self.applied(on: connection) : []
                let plan = try MigrationPlan(
                    known: migrations, applied: applied, minimum: try await Self.minimum(on: connection))
                let made = try await Self.madeFunctions(on: connection)
                let isCurrent = plan.isNewer || made == FunctionFile.sha256
                return SchemaStatus(
                    applied: applied, pending: plan.pending.map(\.name) + (isCurrent ? [] : [Self.functions]))
            }
        } catch {
            throw QueueError(error, task: "read the state of the database's schema")
        }
    }

    /// What roles were granted, by name.
    public func grants() async throws(QueueError) -> [RoleGrant] {
        do {
            return try await pool.query(PostgresStatement(.listGrants)).compactMap { row in
                let (role, name) = (try row.decode("role", as: String.self), try row.decode("ability", as: String.self))
                return Ability(rawValue: name).map { RoleGrant(role: role, ability: $0) }
            }
        } catch {
            throw QueueError(error, task: "list what roles were granted")
        }
    }
}

extension Migrator {
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
        guard try await exists(.findFunctionTable, on: connection) else { return nil }
        return try await connection.query(PostgresStatement(.findFunctions)).first?.decode("sha256")
    }

    private static func applied(on connection: PostgresConnection) async throws -> [AppliedMigration] {
        try await connection.query(PostgresStatement(.listMigrations)).map { row in
            AppliedMigration(
                version: try row.decode("version"), name: try row.decode("name"), sha256: try row.decode("sha256"),
                appliedAt: try row.date("applied_at"))
        }
    }

    /// The version that programs must know to work with the database.
    private static func minimum(on connection: PostgresConnection) async throws -> Int? {
        guard try await exists(.findContract, on: connection) else { return nil }
        return try await connection.query(PostgresStatement(.readContract)).only().decode("min_program")
    }

    private static func exists(_ query: Query, on connection: PostgresConnection) async throws -> Bool {
        try await connection.query(PostgresStatement(query)).only().decode("exists")
    }

    /// - Throws: `conflict` when the new schema ends the work of somebody who is at it.
    private static func refuseToLockOut(on connection: PostgresConnection) async throws {
        let workers = try await connection.query(PostgresStatement(.findOutdatedWorkers)).map { row in
            "\(try row.decode("worker_id", as: Int64.self)) on \(try row.decode("host", as: String.self))"
        }
        guard workers.isEmpty else {
            let shown = workers.prefix(5).joined(separator: ", ") + (workers.count > 5 ? ", ..." : "")
            throw QueueError(
                .conflict,
                """
                can't migrate the database: the new schema does not work with the programs of \(workers.count) workers \
                that are at work (\(shown)): send them home with `assay worker drain` and migrate when they have left, \
                or use --force and have their shards computed by others
                """)
        }
        let roles = try await connection.query(PostgresStatement(.findDirectUsers)).map { row in
            try row.decode("role", as: String.self)
        }
        if let first = roles.first {
            throw QueueError(
                .conflict,
                """
                can't migrate the database: from this version on nobody but its owner changes tables directly, and \
                \(roles.joined(separator: ", ")) may: say what each one is, as in --grant \(first)=worker, or use \
                --force to leave them the right to read
                """)
        }
    }

    /// Who is in the way, as far as this role may know.
    private func lockHolders() async -> String {
        let found = try? await pool.query(PostgresStatement(.findLockHolders)).map { row in
            let (pid, role) = (try row.decode("pid", as: Int.self), try row.decode("role", as: String.self))
            let (program, client) = (
                try row.decode("program", as: String.self), try row.decode("client", as: String.self)
            )
            let (state, seconds) = (
                try row.decode("state", as: String.self), try row.decode("seconds", as: Double.self)
            )
            return """
                process \(pid) (role \(role), program '\(program)' on \(client), \(state), transaction open for \
                \(Int(seconds)) s)
                """
        }
        guard let found, !found.isEmpty else { return "and are gone now: try again" }
        return """
            the oldest are \(found.joined(separator: ", ")): end those transactions, for example with \
            SELECT pg_terminate_backend(pid), and try again
            """
    }
}

extension Migration {
    /// Of the SQL text, as hexadecimal digits.
    var sha256: String {
        SHA256.text(of: sql.utf8)
    }
}

extension FunctionFile {
    /// Of all files, in order: what a database remembers of its functions.
    static let sha256 = SHA256.text(of: all.map { "\($0.name)\n\($0.sql)" }.joined().utf8)
}

/// What a migration does besides bringing the schema up to date.
public struct MigrationOptions: Sendable {
    /// Abilities to give.
    public var grants: [RoleGrant]
    /// Abilities to take away.
    public var revocations: [RoleGrant]
    /// Go ahead although workers or roles will be locked out.
    public var isForced: Bool
    /// How long to go on trying while others hold locks.
    public var patience: Duration

    public init(
        grants: [RoleGrant] = [], revocations: [RoleGrant] = [], isForced: Bool = false,
        patience: Duration = .seconds(60)
    ) {
        self.grants = grants
        self.revocations = revocations
        self.isForced = isForced
        self.patience = patience
    }
}

/// What is still to apply to a database, given what it says was applied.
struct MigrationPlan: Sendable {
    let pending: [Migration]
    /// Nothing was applied yet, and the program's steps are those that the files of tables come to.
    let isNew: Bool
    /// The database was migrated by a newer program, and says that this one works with it.
    let isNewer: Bool

    /// Compares the two histories.
    ///
    /// - Parameter minimum: The version that a program must know to work with the database; nil when it does not say.
    /// - Throws: `schema` when they are not the same as far as both go, or the database's goes too far.
    init(known: [Migration], applied: [AppliedMigration], minimum: Int? = nil) throws(QueueError) {
        for (step, own) in zip(applied, known) {
            guard step.version == own.version, step.name == own.name, step.sha256 == own.sha256 else {
                throw QueueError(
                    .schema,
                    """
                    migration \(step.version) ('\(step.name)', sha256 \(step.sha256.prefix(12))...) of the database \
                    is not this program's migration \(own.version) ('\(own.name)', sha256 \(own.sha256.prefix(12))...): \
                    an applied migration must never change; use the program that applied it, or a new database
                    """)
            }
        }
        pending = Array(known.dropFirst(applied.count))
        isNew = applied.isEmpty && known.map(\.sha256).starts(with: Migration.all.map(\.sha256))
        isNewer = applied.count > known.count
        let ownVersion = known.last?.version ?? 0
        if isNewer, let last = applied.last, ownVersion < minimum ?? last.version {
            throw QueueError(
                .schema,
                """
                the database's schema has version \(last.version) ('\(last.name)') and works with programs that know \
                version \(minimum ?? last.version), this program knows versions up to \(ownVersion): use a newer program
                """)
        }
    }

    /// Whether the files of tables do what the step does: then it is only written down.
    func isMade(_ step: Migration) -> Bool {
        isNew && Migration.all.contains { $0.version == step.version }
    }
}

/// One applied step of the schema, as the database recorded it.
public struct AppliedMigration: Sendable, Hashable, Encodable {
    public var version: Int
    public var name: String
    /// Of the SQL text: 64 lower-case hexadecimal digits.
    public var sha256: String
    public var appliedAt: Date

    public init(version: Int, name: String, sha256: String, appliedAt: Date) {
        self.version = version
        self.name = name
        self.sha256 = sha256
        self.appliedAt = appliedAt
    }
}

/// How far a database's schema is.
public struct SchemaStatus: Sendable, Hashable, Encodable {
    public var applied: [AppliedMigration]
    /// The names of the steps that are still to apply, in order.
    public var pending: [String]

    public init(applied: [AppliedMigration], pending: [String]) {
        self.applied = applied
        self.pending = pending
    }

    public var version: Int { applied.last?.version ?? 0 }
    public var isCurrent: Bool { pending.isEmpty }
}
