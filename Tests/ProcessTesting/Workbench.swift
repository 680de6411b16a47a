public import UVEventLoop

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// A home, a store and an embedded server of their own, with the programs that were built beside the tests.
public struct Workbench: Sendable {
    public let folder: String
    public let loop: EventLoop
    public var environment: [String: String]
    /// The folder with the programs: those that were built beside the tests, or others.
    public var bin = Self.programs

    public var home: String { "\(self.folder)/home" }
    public var store: String { self.environment["ASSAY_STORE"] ?? "\(self.home)/store" }

    /// Runs `body` with a server that is up; all of it is gone afterwards, also if this process is killed.
    ///
    /// - Parameter bin: The folder with the programs to use; nil for those that were built beside the tests.
    public static func with<Value: Sendable>(
        bin: String? = nil, _ body: (Workbench) async throws -> Value
    ) async throws -> Value {
        let loop = try EventLoop(name: "workbench")
        // Short: PostgreSQL's socket lies below it.
        let folder = "/tmp/assay-e2e-\(UUID().uuidString.prefix(8).lowercased())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("ASSAY_") }
        environment["ASSAY_HOME"] = "\(folder)/home"
        let bench = Workbench(
            folder: folder, loop: loop, environment: environment, bin: bin ?? Self.programs)
        let will = try await LastWill(for: folder, on: loop)
        defer { withExtendedLifetime(will) {} }
        do {
            try await bench.assay("up")
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

    // MARK: Programs

    public static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path()

    public static let programs: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(filePath: own).deletingLastPathComponent().path()
    }()

    public func run(_ program: String, _ arguments: String...) async throws -> ProcessResult {
        try await self.loop.run(self.configuration(program, arguments))
    }

    /// One thread: several workers and other tests share the processors, and results do not depend on it.
    public static let workerArguments = ["--drain", "--threads", "1"]

    /// Runs a worker until nothing is left to do.
    public func worker(_ arguments: String...) async throws -> ProcessResult {
        try await self.loop.run(self.configuration("assay-worker", Self.workerArguments + arguments))
    }

    public func configuration(_ program: String, _ arguments: [String]) -> ProcessConfiguration {
        ProcessConfiguration(
            program.hasPrefix("/") ? program : "\(self.bin)/\(program)", arguments,
            environment: self.environment, workingDirectory: self.folder, standardOutput: .capture(limit: 1 << 20),
            standardError: .capture(limit: 1 << 20))
    }

    /// Runs `assay`, which must succeed, and answers what it printed.
    @discardableResult
    public func assay(_ arguments: String...) async throws -> String {
        try await self.successfully(arguments).standardOutput.text
    }

    /// Runs `assay … --json`, which must succeed, and decodes what it printed.
    public func answer<Value: Decodable>(_ type: Value.Type, _ arguments: String...) async throws -> Value {
        let result = try await self.successfully(arguments + ["--json"])
        return try JSONDecoder().decode(type, from: Data(result.standardOutput.bytes))
    }

    private func successfully(_ arguments: [String]) async throws -> ProcessResult {
        let result = try await self.loop.run(self.configuration("assay", arguments))
        guard result.termination.isSuccess else { throw CommandFailed(command: ["assay"] + arguments, result: result) }
        return result
    }
}
