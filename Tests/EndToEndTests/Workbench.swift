import Foundation
import Testing
import UVEventLoop

/// A home, a store and an embedded server of their own, with the programs that were built beside the tests.
struct Workbench: Sendable {
    let folder: String
    let loop: EventLoop
    let environment: [String: String]

    var home: String { "\(self.folder)/home" }
    var store: String { "\(self.home)/store" }

    /// Runs `body` with a server that is up and the real model registered; all of it is gone afterwards.
    static func with<Value: Sendable>(_ body: (Workbench) async throws -> Value) async throws -> Value {
        let loop = try EventLoop(name: "workbench")
        // Short: PostgreSQL's socket lies below it.
        let folder = "/tmp/assay-e2e-\(UUID().uuidString.prefix(8).lowercased())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("ASSAY_") }
        environment["ASSAY_HOME"] = "\(folder)/home"
        let bench = Workbench(folder: folder, loop: loop, environment: environment)
        do {
            try await bench.assay("up")
            try await bench.assay("model", "add", "smollm2", Self.model)
            try bench.copyData()
            let value = try await body(bench)
            await bench.cleanUp()
            return value
        } catch {
            await bench.cleanUp()
            throw error
        }
    }

    private func cleanUp() async {
        _ = try? await self.run("assay", "down")
        await self.loop.shutDown()
        try? FileManager.default.removeItem(atPath: self.folder)
    }

    // MARK: Inputs that infra/test provides

    private static func input(_ variable: String, _ standard: String) -> String {
        let environment = ProcessInfo.processInfo.environment
        let cache = environment["ASSAY_CACHE"] ?? "\(environment["HOME"] ?? "")/.cache/assay"
        return environment[variable] ?? "\(cache)/\(standard)"
    }

    static var model: String { self.input("ASSAY_TEST_MODEL", "models/SmolLM2-135M-Instruct.Q4_1.gguf") }
    static var data: String { self.input("ASSAY_TEST_DATA", "data") }
    static var python: String { self.input("ASSAY_PYTHON", "python/bin/python") }

    private func copyData() throws {
        try FileManager.default.copyItem(atPath: Self.data, toPath: "\(self.home)/data")
    }

    /// A job file over the repository's task files.
    func jobFile(_ text: String) throws -> String {
        let path = "\(self.folder)/job-\(UUID().uuidString.prefix(8)).yaml"
        try text.replacing("TASKS", with: Self.repository + "/jobs/tasks")
            .write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path()

    // MARK: Programs

    static let programs: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(filePath: own).deletingLastPathComponent().path()
    }()

    func run(_ program: String, _ arguments: String...) async throws -> ProcessResult {
        try await self.loop.run(self.configuration(program, arguments))
    }

    /// One thread: several workers and other tests share the processors, and results do not depend on it.
    static let workerArguments = ["--drain", "--threads", "1"]

    /// Runs a worker until nothing is left to do.
    func worker(_ arguments: String...) async throws -> ProcessResult {
        try await self.loop.run(self.configuration("assay-worker", Self.workerArguments + arguments))
    }

    func configuration(_ program: String, _ arguments: [String]) -> ProcessConfiguration {
        ProcessConfiguration(
            program.hasPrefix("/") ? program : "\(Self.programs)/\(program)", arguments,
            environment: self.environment, workingDirectory: self.folder, standardOutput: .capture(limit: 1 << 20),
            standardError: .capture(limit: 1 << 20))
    }

    /// Runs `assay`, which must succeed, and answers what it printed.
    @discardableResult
    func assay(_ arguments: String...) async throws -> String {
        let result = try await self.loop.run(self.configuration("assay", arguments))
        try #require(
            result.termination.isSuccess, "assay \(arguments.joined(separator: " ")): \(result.standardError.text)")
        return result.standardOutput.text
    }

    /// Runs `assay … --json`, which must succeed, and decodes what it printed.
    func answer<Value: Decodable>(_ type: Value.Type, _ arguments: String...) async throws -> Value {
        let result = try await self.loop.run(self.configuration("assay", arguments + ["--json"]))
        try #require(
            result.termination.isSuccess, "assay \(arguments.joined(separator: " ")): \(result.standardError.text)")
        return try JSONDecoder().decode(type, from: Data(result.standardOutput.bytes))
    }
}

/// What the tests read of a run's JSON.
struct RunAnswer: Decodable {
    struct Progress: Decodable {
        struct Shards: Decodable {
            var done: Int
            var running: Int
            var ready: Int
        }
        var shards: Shards
        var samples: Int
        var samplesDone: Int
    }
    var id: String
    var progress: Progress
}

struct ShowAnswer: Decodable {
    var run: RunAnswer
}
