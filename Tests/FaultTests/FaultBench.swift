import Foundation
import Postgres
import ProcessTesting
import Testing
import UVEventLoop

/// A workbench with a tiny model and a small task, and a way to look into its database.
struct FaultBench: Sendable {
    let bench: Workbench
    /// Of this process, straight to the server.
    let pool: PostgresPool

    var loop: EventLoop { self.bench.loop }

    /// Runs `body` on a bench of its own; the store lies in `store`, or in the home.
    static func with<Value: Sendable>(
        _ name: String, _ body: (FaultBench) async throws -> Value
    ) async throws -> Value {
        print("fault tests: \(name), seed \(Seed.value)")
        return try await Workbench.with { bench in
            try await bench.assay("model", "add", "tiny", Self.model)
            try FaultJob.writeTask(into: bench.folder)
            let configuration = try EmbeddedServer.configuration(home: bench.home)
            let pool = PostgresPool(configuration, on: bench.loop, size: 3)
            do {
                let value = try await body(FaultBench(bench: bench, pool: pool))
                await pool.shutDown()
                return value
            } catch {
                await pool.shutDown()
                throw error
            }
        }
    }

    static let model = "\(Workbench.repository)/Tests/InferenceTests/Fixtures/tiny.gguf"

    // MARK: Looking into the database

    /// Runs one statement; one that a restart of the server cuts off is tried again.
    @discardableResult
    func rows(_ sql: String, _ parameters: (any PostgresEncodable)?...) async throws -> PostgresRows {
        let statement = PostgresStatement(name: "look", sql: sql)
        for _ in 0..<20 {
            do {
                return try await self.pool.query(statement, parameters)
            } catch {
                guard error.isOutage else { throw error }
                try await self.loop.sleep(for: .milliseconds(200))
            }
        }
        return try await self.pool.query(statement, parameters)
    }

    func count(_ sql: String, _ parameters: (any PostgresEncodable)?...) async throws -> Int {
        let statement = PostgresStatement(name: "count", sql: "SELECT count(*) AS count FROM \(sql)")
        return try await self.pool.query(statement, parameters).only().decode("count", as: Int.self)
    }

    /// Looks again and again until there is an answer; fails the test when none has come in time.
    func found<Value: Sendable>(
        _ what: String, within limit: Duration = .seconds(60), _ look: () async throws -> Value?
    ) async throws -> Value {
        let value = try await self.soon(within: limit, look)
        return try #require(value, "\(what): not within \(limit), seed \(Seed.value)")
    }

    /// Looks again and again until there is an answer; `nil` when none has come in time.
    func soon<Value: Sendable>(within limit: Duration, _ look: () async throws -> Value?) async throws -> Value? {
        let deadline = ContinuousClock.now + limit
        while true {
            if let value = try await look() { return value }
            guard .now < deadline else { return nil }
            try await self.loop.sleep(for: .milliseconds(3))
        }
    }

    /// Looks again and again until it is true; fails the test when it is not in time.
    func eventually(
        _ what: String, within limit: Duration = .seconds(60), _ isTrue: () async throws -> Bool
    ) async throws {
        _ = try await self.found(what, within: limit) { try await isTrue() ? true : nil } as Bool
    }
}

extension PostgresError {
    /// The server is going down or coming up, or was killed.
    fileprivate var isOutage: Bool {
        self.code == .connectionLost || self.code == .connectionFailed || (self.sqlState?.hasPrefix("57P0") ?? false)
    }
}
