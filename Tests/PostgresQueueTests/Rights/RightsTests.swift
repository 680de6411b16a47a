import FoundationEssentials
import JobQueue
import Postgres
import PostgresTesting
import SQL
import Testing

@testable import JobQueue
@testable import PostgresQueue

/// Each role can do what it is for.
@Suite struct RightsTests {
    @Test func rolesDoTheirWork() async throws {
        try await withRights { rights in
            let run = try await rights.withQueue(as: "alice") { queue in
                let run = try await queue.submit(submission("aaaaaaaa", priority: .high, [job(shards: 3), job(1)]))
                try await queue.addModel(model("small"))
                return run
            }
            // Who it is is not for the program to say.
            #expect(run.user == rights.roles.name("alice"))
            try await rights.withQueue(as: "gpu") { queue in
                let lease = try await queue.register(worker(identity: EngineTests.one))
                let shards = try await queue.claim(lease, limit: 3)
                #expect(shards.count == 3)
                #expect(try await queue.equalResults(of: shards[0]).isEmpty)
                #expect(try await queue.commit(shards[0], publication(of: shards[0])) == .committed)
                _ = try await queue.fail(shards[1], failure(isPermanent: true))
                #expect(try await queue.release([shards[2]]).count == 1)
                _ = try await queue.heartbeat(lease, holding: [])
                try await queue.reap()
                try await queue.deregister(lease)
            }
            try await rights.withQueue(as: "rita") { queue in
                #expect(try await queue.run(matching: "aaaa").progress.shards.done == 1)
                #expect(try await queue.workers().count == 1)
                #expect(try await queue.attempts(of: queue.job(matching: "aaaa.0").id).count == 3)
                #expect(try await queue.models().map(\.name) == ["small"])
                _ = try await queue.facts(of: queue.job(matching: "aaaa.0").id)
                _ = try await queue.outlook(of: run.id)
                _ = try await queue.projects()
            }
            try await rights.withQueue(as: "alice") { queue in
                let second = try await queue.job(matching: "aaaa.1").id
                #expect(try await queue.retry(.run(run.id), onlyFailed: true) == 1)
                #expect(try await queue.mixEngines(of: .run(run.id)) == 1)
                #expect(try await queue.setPriority(.low, of: .run(run.id)) == 2)
                #expect(try await queue.cancel(.job(second)) == 3)
            }
            try await rights.withQueue(as: "olga") { queue in
                #expect(try await queue.hold(.run(run.id), reason: "by olga") == 1)
                #expect(try await queue.release(.run(run.id)) == 1)
                try await queue.changeProject("default", ProjectChange(weight: 2, ceiling: .set(.normal)))
                #expect(try await queue.cancel(.run(run.id)) == 2)
                try await queue.submit(submission("bbbbbbbb", project: "other", priority: .urgent))
            }
        }
    }

    /// Each claim looks at every project: a submitter could stop them all.
    @Test func onlyOperatorsMakeThousandsOfProjects() async throws {
        try await withRights { rights in
            try await rights.withPool(as: "owner") { pool in
                try await pool.withConnection {
                    try await $0.execute(
                        script: "INSERT INTO project (name) SELECT 'p' || g FROM generate_series(1, 1000) g")
                }
            }
            try await rights.withQueue(as: "alice") { queue in
                let error = await #expect(throws: QueueError.self) {
                    try await queue.submit(submission("aaaaaaaa", project: "one more"))
                }
                #expect(error?.code == .forbidden)
                #expect(error?.message.contains("there is no project 'one more'") == true)
                try await queue.submit(submission("aaaaaaaa", project: "p1"))
            }
            try await rights.withQueue(as: "olga") { queue in
                try await queue.submit(submission("bbbbbbbb", project: "one more"))
            }
            try await rights.withQueue(as: "alice") { queue in
                try await queue.submit(submission("cccccccc", project: "one more"))
            }
        }
    }

    @Test func aScheduleFiresByWhicheverWorkerInTheNameOfItsMaker() async throws {
        try await withRights { rights in
            try await rights.withQueue(as: "alice") { queue in
                try await queue.addSchedule(schedule("nightly", "* * * * *"))
                let fire = try await queue.triggerSchedule(named: "nightly", overlap: nil, asPlanned)
                let run = try await queue.run(matching: #require(fire.run).text)
                #expect(run.user == rights.roles.name("alice"))
                #expect(try await queue.cancel(.run(run.id)) == 1)
            }
            // A minute later.
            try await rights.withPool(as: "owner") { pool in
                try await pool.withConnection {
                    try await $0.execute(
                        script: "UPDATE schedule SET next_at = next_at - interval '1 min', "
                            + "look_at = look_at - interval '1 min'")
                }
            }
            let round = try await rights.withQueue(as: "gpu") { try await $0.fireDueSchedules(asPlanned) }
            #expect(round.problems.isEmpty)
            let id = try #require(round.fires.last?.run)
            try await rights.withQueue(as: "alice") { queue in
                #expect(try await queue.run(matching: id.text).user == rights.roles.name("alice"))
                // It is hers, though another role submitted it.
                #expect(try await queue.cancel(.run(id)) == 1)
                try await queue.pauseSchedule(named: "nightly", user: "somebody", reason: nil)
                #expect(try await queue.schedule(named: "nightly").pause?.user == rights.roles.name("alice"))
                try await queue.resumeSchedule(named: "nightly")
                try await queue.removeSchedule(named: "nightly")
            }
        }
    }

    @Test func everybodyLearnsWhatTheyMay() async throws {
        try await withRights { rights in
            for (role, ability) in RightsDatabase.grants {
                let found = try await rights.withQueue(as: role) { try await $0.rights() }
                #expect(found.role == rights.roles.name(role) && !found.isOwner)
                #expect(found.abilities == [ability, .reader])
            }
            let owner = try await rights.withQueue(as: "owner") { try await $0.rights() }
            #expect(owner.isOwner && owner.abilities == Set(Ability.allCases))
            let error = await #expect(throws: QueueError.self) {
                try await rights.withQueue(as: "stranger") { try await $0.rights() }
            }
            #expect(error?.code == .forbidden || error?.code == .schema)
        }
    }

    /// Through a role that others are members of, and back again.
    @Test func whatAGroupIsGrantedItsMembersMay() async throws {
        try await withRights { rights in
            let superuser = try await rights.database.connect()
            try await superuser.execute(
                script: "GRANT \(rights.roles.name("rita")) TO \(rights.roles.name("stranger"))")
            await superuser.close()
            let found = try await rights.withQueue(as: "stranger") { try await $0.rights() }
            #expect(found.abilities == [.reader])
            try await rights.withPool(as: "owner") { pool in
                let grant = RoleGrant(role: rights.roles.name("rita"), ability: .reader)
                try await Migrator(pool).migrate(MigrationOptions(revocations: [grant]))
                #expect(try await !Migrator(pool).grants().contains(grant))
            }
            for role in ["rita", "stranger"] {
                await #expect(throws: QueueError.self) {
                    try await rights.withQueue(as: role) { try await $0.runs(limit: 1, project: nil) }
                }
            }
        }
    }

    @Test func aRoleThatIsNotThereIsRefused() async throws {
        try await withRights { rights in
            try await rights.withPool(as: "owner") { pool in
                let error = await #expect(throws: QueueError.self) {
                    try await Migrator(pool).migrate(
                        MigrationOptions(grants: [RoleGrant(role: "no; DROP TABLE run", ability: .worker)]))
                }
                #expect(error?.code == .invalid)
                #expect(
                    error?.message
                        == "can't migrate the database: the server has no role 'no; DROP TABLE run': make it "
                        + "first, for example with CREATE ROLE \"no; DROP TABLE run\" LOGIN")
                let revoked = await #expect(throws: QueueError.self) {
                    try await Migrator(pool).migrate(
                        MigrationOptions(revocations: [RoleGrant(role: "nobody", ability: .worker)]))
                }
                #expect(
                    revoked?.message
                        == "can't migrate the database: the server has no role 'nobody', and none of this name "
                        + "was granted anything: look at the spelling")
            }
        }
    }

    /// A new function or table must say who may use it.
    @Test func everyFunctionAndTableHasItsRights() async throws {
        try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            func names(_ sql: String) async throws -> Set<String> {
                let rows = try await database.pool.query(PostgresStatement(name: "names", sql: sql))
                return Set(try rows.map { try $0.decode("name", as: String.self) })
            }
            let here = "current_schema()::regnamespace"
            #expect(
                try await names("SELECT function_name::text AS name FROM function_rights()")
                    == names("SELECT DISTINCT proname::text AS name FROM pg_proc WHERE pronamespace = \(here)"))
            #expect(
                try await names("SELECT relation_name::text AS name FROM relation_rights()")
                    == names(
                        "SELECT relname::text AS name FROM pg_class WHERE relnamespace = \(here) "
                            + "AND relkind IN ('r', 'v', 'm', 'p', 'f')"))
            let open = """
                SELECT p.oid::regprocedure::text AS name FROM pg_proc p JOIN function_rights() f ON f.function_name = p.proname
                WHERE p.pronamespace = \(here) AND (
                    (f.abilities <> '{}') <> p.prosecdef
                    OR (p.prosecdef AND NOT coalesce(p.proconfig::text LIKE '%search_path=' || current_schema() || ', pg_temp%', false))
                    OR has_function_privilege('public', p.oid, 'EXECUTE'))
                """
            #expect(try await names(open) == [])
        }
    }

    /// Databases of before roles: nobody is locked out without being told.
    @Test func rolesThatChangeTablesDirectlyAreNamedBeforeTheyCanNot() async throws {
        try await withTestDatabase { database in
            try await database.withRoles(["old"]) { roles in
                let old = Migration.all.filter { $0.version < 16 }
                try await database.pool.withConnection { connection in
                    _ = try await connection.query(PostgresStatement(.createMigrationTable))
                    for step in old {
                        try await connection.execute(script: step.sql, name: step.name)
                        _ = try await connection.query(
                            PostgresStatement(.insertMigration), [step.version, step.name, step.sha256])
                    }
                    try await connection.execute(
                        script: "GRANT USAGE ON SCHEMA \(database.schema) TO \(roles.name("old")); "
                            + "GRANT ALL ON ALL TABLES IN SCHEMA \(database.schema) TO \(roles.name("old"))")
                }
                let migrator = Migrator(database.pool)
                let error = await #expect(throws: QueueError.self) { try await migrator.migrate() }
                #expect(error?.code == .conflict)
                #expect(error?.message.contains("--grant \(roles.name("old"))=worker") == true)
                #expect(try await migrator.status().version == old.last?.version)
                try await migrator.migrate(
                    MigrationOptions(grants: [RoleGrant(role: roles.name("old"), ability: .worker)]))
                let direct = PostgresStatement(
                    name: "direct",
                    sql: "SELECT has_table_privilege($1, 'shard', 'INSERT, UPDATE, DELETE, TRUNCATE') AS has, "
                        + "has_table_privilege($1, 'shard', 'SELECT') AS reads")
                let row = try await database.pool.query(direct, [roles.name("old")]).only()
                #expect(try row.decode("has", as: Bool.self) == false)
                #expect(try row.decode("reads", as: Bool.self) == true)
            }
        }
    }
}

func model(_ name: String, sha256: String = hexadecimalA) -> ModelRecord {
    ModelRecord(
        name: name, path: "/models/\(name).gguf", sha256: sha256, bytes: 100, architecture: "llama", parameters: 10,
        contextLength: 2048, vocabularySize: 100, tokenizerSHA256: hexadecimalB, quantization: "Q4_1")
}
