import FaultTesting
import Foundation
import Postgres
import PostgresTesting
import SQL
import Testing

@testable import JobQueue
@testable import PostgresQueue

/// The promise that `Migration` makes: programs of the last release that are at work go on working on the new schema.
@Suite struct ReleaseTests {
    /// The last migration of the last release.
    private static let version = 13

    private func makeOldSchema(_ pool: PostgresPool) async throws {
        try await pool.withConnection { connection in
            _ = try await connection.query(PostgresStatement(.createMigrationTable))
            for step in Migration.all where step.version <= Self.version {
                try await connection.execute(script: step.sql, name: step.name)
                _ = try await connection.query(
                    PostgresStatement(.insertMigration), [step.version, step.name, step.sha256])
            }
        }
    }

    /// Where the new schema answers something else on purpose, and why.
    private static let different = ["list_migrations": "there are more now"]

    @Test func theLastReleasesProgramsGetTheSameAnswers() async throws {
        let old = try await withTestDatabase { database in
            try await makeOldSchema(database.pool)
            return try await answers(database)
        }
        let new = try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            return try await answers(database)
        }
        #expect(old.count == new.count)
        for (before, after) in zip(old, new) {
            let step = String(before.prefix { $0 != " " })
            #expect(!before.contains("SQLSTATE") && before.hasPrefix("\(step) ["), "the session itself: \(before)")
            if Self.different[step] == nil { #expect(before == after) }
        }
    }

    private func answers(_ database: TestDatabase) async throws -> [String] {
        let connection = try await database.connect()
        let answers = try await ReleaseSession.run(on: connection)
        await connection.close()
        return answers
    }

    @Test func everyStatementOfTheReleaseIsInItsSession() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: ReleaseSession.folder.path())
        let names = Set(files.map { String($0.dropLast(".sql".count)) })
        #expect(Set(ReleaseSession.steps.map(\.name)).union(ReleaseSession.left) == names)
    }

    /// Migrated in the middle of it: what the old program has begun, it ends.
    @Test func aWorkerGoesOnWhileItsDatabaseIsMigrated() async throws {
        try await withTestDatabase { database in
            try await makeOldSchema(database.pool)
            let connection = try await database.connect()
            let half = ReleaseSession.steps.firstIndex { $0.name == "commit_shards" } ?? 0
            let before = try await ReleaseSession.run(Array(ReleaseSession.steps[..<half]), on: connection)
            try await Migrator(database.pool).migrate()
            let after = try await ReleaseSession.run(Array(ReleaseSession.steps[half...]), on: connection)
            await connection.close()
            let whole = try await withTestDatabase { other in
                try await makeOldSchema(other.pool)
                return try await answers(other)
            }
            for (one, two) in zip(before + after, whole) where Self.different[String(one.prefix { $0 != " " })] == nil {
                #expect(one == two)
            }
            // And what it left is what a program of today finds.
            let queue = PostgresJobQueue(database.pool)
            #expect(try await queue.run(matching: "k3f9x2a0").progress.shards.done == 1)
            #expect(try await Migrator(database.pool).status().isCurrent)
            try await Certificate.record(
                ["statement of the last release on the new schema": after.count], in: database.pool)
        }
    }
}
