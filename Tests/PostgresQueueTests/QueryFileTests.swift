import Foundation
import Postgres
import PostgresTesting
import SQL
import SQLFunctions
import Testing

@testable import JobQueue
@testable import PostgresQueue

@Suite struct QueryFileTests {
    private static var folder: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "sql")
    }

    private func names(in folder: String) throws -> Set<String> {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.appending(path: folder).path())
        return Set(files.map { String($0.dropLast(".sql".count)) })
    }

    @Test func everyFileIsAQueryAndEveryQueryAFile() throws {
        #expect(try names(in: "queries") == Set(Query.all.map(\.name)))
        #expect(Query.all.count == Set(Query.all.map(\.name)).count)
        for query in Query.all {
            let file = Self.folder.appending(path: "queries/\(query.name).sql")
            #expect(try String(contentsOf: file, encoding: .utf8) == query.sql)
        }
    }

    private func functions(in sql: String) -> Set<String> {
        Set(sql.matches(of: /CREATE (?:OR REPLACE )?FUNCTION (\w+)/.ignoresCase()).map { String($0.output.1) })
    }

    @Test func everyFunctionHasAFileOfItsName() throws {
        #expect(try names(in: "functions") == Set(FunctionFile.all.map(\.name)))
        #expect(FunctionFile.all.count == Set(FunctionFile.all.map(\.name)).count)
        let rights: Set = ["function_rights", "relation_rights", "apply_rights"]
        for file in FunctionFile.all {
            #expect(functions(in: file.sql) == (file.name == "rights" ? rights : [file.name]), "\(file.name)")
        }
    }

    @Test func noOtherFileDefinesThemSinceTheyStandThere() throws {
        // Those that a table's checks call are the table's, and stay as they are.
        let here = FunctionFile.all.reduce(into: Set<String>()) { $0.formUnion(functions(in: $1.sql)) }
        #expect(here.count > 60)
        for migration in Migration.all where migration.version > 13 {
            #expect(here.isDisjoint(with: functions(in: migration.sql)), "\(migration.name)")
        }
        for file in TableFile.all + [.triggers] {
            #expect(here.isDisjoint(with: functions(in: file.sql)), "\(file.name)")
        }
    }

    @Test func everyFileOfTablesMakesANewDatabase() throws {
        #expect(try names(in: "tables") == Set((TableFile.all + [.triggers]).map(\.name)))
    }

    @Test func everyFileIsAnUpgradeAndTheirNumbersRise() throws {
        let files = Migration.all.flatMap { step in
            let number = "V\(String(step.version + 1000).dropFirst())"
            return ["\(number)_\(step.name)"] + (step.afterFunctions == nil ? [] : ["\(number)_triggers"])
        }
        #expect(try names(in: "upgrades") == Set(files))
        let versions = Migration.all.map(\.version)
        #expect(versions.first == 1 && versions == Set(versions).sorted())
    }

    /// The server parses each statement and finds all that it names.
    @Test func everyQueryFitsTheSchema() async throws {
        try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            let connection = try await database.connect()
            let notPreparable: Set = ["create_migration_table", "create_function_table", "defer_function_checks"]
            for query in Query.all where !notPreparable.contains(query.name) {
                await #expect(throws: Never.self, "\(query.name)") {
                    try await connection.execute(script: "PREPARE check_\(query.name) AS \(query.sql)")
                }
            }
            await connection.close()
        }
    }
}
