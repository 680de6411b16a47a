internal import Postgres
internal import UVEventLoop

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

extension TestDatabase {
    /// Runs `body` with a copy of this schema in another cluster, made by pg_dump and psql as an operator would.
    public func withRestoredCopy<Value>(_ body: (TestDatabase) async throws -> Value) async throws -> Value {
        let folder = try TemporaryServerFolder()
        try await folder.removeAtExit(on: self.loop)
        let server = try EmbeddedServer(
            home: folder.path, on: self.loop, environment: ProcessInfo.processInfo.environment, options: .forTests)
        var configuration = try await server.start()
        let result: Result<Value, any Error>
        do {
            let dump = "\(folder.path)/dump.sql"
            try await self.run(
                "pg_dump", self.configuration, ["--schema=\(self.schema)", "--no-owner", "--file=\(dump)"])
            try await self.run("psql", configuration, ["--no-psqlrc", "-v", "ON_ERROR_STOP=1", "--file=\(dump)"])
            configuration.searchPath = [self.schema]
            let copy = TestDatabase(
                configuration: configuration, pool: PostgresPool(configuration, on: self.loop, size: 4),
                loop: self.loop, schema: self.schema)
            do {
                result = .success(try await body(copy))
            } catch {
                result = .failure(error)
            }
            await copy.pool.shutDown()
        } catch {
            result = .failure(error)
        }
        try await server.stop(.immediate)
        return try result.get()
    }

    /// The schema's definition as pg_dump writes it, without owners, rights and rows.
    public func dumpSchema() async throws -> String {
        let folder = try TemporaryServerFolder()
        try await folder.removeAtExit(on: self.loop)
        let dump = "\(folder.path)/schema.sql"
        try await self.run(
            "pg_dump", self.configuration,
            ["--schema-only", "--no-owner", "--no-privileges", "--schema=\(self.schema)", "--file=\(dump)"])
        return try String(contentsOfFile: dump, encoding: .utf8)
    }

    private func run(_ program: String, _ configuration: PostgresConfiguration, _ arguments: [String]) async throws {
        let result = try await self.loop.run(
            ProcessConfiguration(
                "/usr/bin/\(program)", ["--dbname=\(configuration.connectionString)"] + arguments,
                environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C"], standardOutput: .null,
                standardError: .capture(limit: 4096)))
        guard result.termination.isSuccess else {
            throw PostgresError(
                .embeddedServer, "\(program) ended with \(result.termination): \(result.standardError.text)")
        }
    }
}
