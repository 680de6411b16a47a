public import Postgres
internal import Synchronization

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Roles of a test's own on the shared server, beside the one that owns everything.
public struct TestRoles: Sendable {
    private let database: TestDatabase
    private let address: String

    /// The name of a role on the server, from what the test calls it.
    public func name(_ role: String) -> String { "\(self.database.schema)_\(role)" }

    /// How the role connects, with the test's schema as the search path.
    public func configuration(_ role: String) throws(PostgresError) -> PostgresConfiguration {
        var configuration = try PostgresConfiguration(
            "\(self.address) dbname='assay' user='\(self.name(role))'")
        configuration.searchPath = [self.database.schema]
        configuration.applicationName = self.database.schema
        return configuration
    }

    fileprivate init(_ database: TestDatabase, address: String) {
        self.database = database
        self.address = address
    }
}

extension TestDatabase {
    /// Runs `body` with roles that may log in and nothing else, and drops them and all that is theirs afterwards.
    public func withRoles<Value>(
        _ names: [String], _ body: (TestRoles) async throws -> Value
    ) async throws -> Value {
        let server = try await TestServer.running()
        try await server.letTestersIn()
        let roles = TestRoles(self, address: server.address)
        let superuser = try await PostgresConnection.connect(server.configuration, on: server.loop)
        for name in names {
            try await superuser.execute(
                script: "CREATE ROLE \(roles.name(name)) LOGIN IN ROLE \(TestServer.testers)", name: "create_role")
        }
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(roles))
        } catch {
            result = .failure(error)
        }
        for name in names {
            try await superuser.execute(
                script: """
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '\(roles.name(name))';
                    REASSIGN OWNED BY \(roles.name(name)) TO CURRENT_USER;
                    DROP OWNED BY \(roles.name(name));
                    DROP ROLE \(roles.name(name));
                    """, name: "drop_role")
        }
        await superuser.close()
        return try result.get()
    }
}

extension TestServer {
    /// Members of this role may connect through the socket, whichever account they come from.
    static let testers = "assay_testers"

    private static let door = Mutex<Task<Void, any Error>?>(nil)

    fileprivate func letTestersIn() async throws {
        let task = Self.door.withLock { door in
            let task = door ?? Task { try await self.openDoor() }
            door = task
            return task
        }
        try await task.value
    }

    private func openDoor() async throws {
        let owner = try await PostgresConnection.connect(self.configuration, on: self.loop)
        try await owner.execute(script: "CREATE ROLE \(Self.testers) NOLOGIN", name: "create_testers")
        let path = try await owner.query(
            PostgresStatement(name: "hba_file", sql: "SELECT current_setting('hba_file') AS path")
        ).only()
            .decode("path", as: String.self)
        var rules = try String(contentsOfFile: path, encoding: .utf8)
        rules += "local all +\(Self.testers) trust\n"
        try rules.write(toFile: path, atomically: false, encoding: .utf8)
        _ = try await owner.query(PostgresStatement(name: "reload", sql: "SELECT pg_reload_conf()"))
        await owner.close()
    }
}
