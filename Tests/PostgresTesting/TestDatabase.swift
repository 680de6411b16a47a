public import Postgres
public import UVEventLoop

/// A schema of a test's own on the shared server.
public struct TestDatabase: Sendable {
    /// Connects with the schema as the search path.
    public let configuration: PostgresConfiguration
    public let pool: PostgresPool
    public let loop: EventLoop
    public let schema: String

    /// Opens a connection beside the pool; close it, or leave that to the end of the process.
    public func connect() async throws(PostgresError) -> PostgresConnection {
        try await PostgresConnection.connect(self.configuration, on: self.loop)
    }
}

/// Runs `body` with an empty schema of its own, and drops it afterwards.
///
/// The server is started by the first call in a process. When none can be started the call throws, so that the test
/// fails: a database test that is silently skipped proves nothing.
public func withTestDatabase<Value>(
    poolSize: Int = 4, _ body: (TestDatabase) async throws -> Value
) async throws -> Value {
    let server = try await TestServer.running()
    let schema = "test_\(String(UInt64.random(in: .min ... .max), radix: 16))"
    let owner = try await PostgresConnection.connect(server.configuration, on: server.loop)
    try await owner.execute(script: "CREATE SCHEMA \(schema)", name: "create_schema")
    var configuration = server.configuration
    configuration.searchPath = [schema]
    configuration.applicationName = schema
    let database = TestDatabase(
        configuration: configuration, pool: PostgresPool(configuration, on: server.loop, size: poolSize),
        loop: server.loop, schema: schema)
    let result: Result<Value, any Error>
    do {
        result = .success(try await body(database))
    } catch {
        result = .failure(error)
    }
    await database.pool.shutDown()
    // A leaked connection of the test could hold locks that the drop would wait for.
    let leaked = PostgresStatement(
        name: "end_leaked", sql: "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1")
    _ = try await owner.query(leaked, [schema])
    try await owner.execute(script: "DROP SCHEMA \(schema) CASCADE", name: "drop_schema")
    await owner.close()
    return try result.get()
}

/// Runs `body` with a whole database of its own, for settings and encodings that are nobody else's; drops it afterwards.
///
/// - Parameters:
///   - options: What follows the name in CREATE DATABASE.
///   - body: Gets a connection to another database, the name and how to connect.
public func withOwnDatabase(
    options: String = "",
    _ body: (_ owner: PostgresConnection, _ name: String, _ configuration: PostgresConfiguration) async throws -> Void
) async throws {
    let server = try await TestServer.running()
    let name = "own_\(String(UInt64.random(in: .min ... .max), radix: 16))"
    let owner = try await PostgresConnection.connect(server.configuration, on: server.loop)
    _ = try await owner.query(PostgresStatement(name: "create", sql: "CREATE DATABASE \(name) \(options)"))
    let text = server.configuration.connectionString
        .replacing("dbname='\(EmbeddedServer.databaseName)'", with: "dbname='\(name)'")
    let result: Result<Void, any Error>
    do {
        result = .success(try await body(owner, name, try PostgresConfiguration(text)))
    } catch {
        result = .failure(error)
    }
    _ = try await owner.query(PostgresStatement(name: "drop", sql: "DROP DATABASE \(name) WITH (FORCE)"))
    await owner.close()
    try result.get()
}
