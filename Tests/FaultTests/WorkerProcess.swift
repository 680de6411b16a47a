import Foundation
import Postgres
import ProcessTesting
import UVEventLoop

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A real worker, known to the server by a name of its own.
struct WorkerProcess: Sendable {
    let child: ChildProcess
    /// What pg_stat_activity shows of its connections.
    let name: String
    /// Where its log goes.
    let log: String

    var processID: Int { Int(self.child.processID) }

    func signal(_ number: CInt) async throws { try await self.child.send(signal: number) }

    /// Ends it the hard way and waits until it is gone.
    func kill() async throws -> ProcessTermination {
        try await self.signal(SIGKILL)
        return try await self.child.waitForExit().termination
    }

    var logText: String { (try? String(contentsOfFile: self.log, encoding: .utf8)) ?? "" }
}

extension FaultBench {
    /// Starts a worker that ends when nothing is left to do.
    ///
    /// - Parameters:
    ///   - staying: It waits for more work instead, until it gets a signal.
    ///   - server: How it reaches the server, without the application's name; nil for straight.
    ///   - command: What becomes the worker, with the same number: `ip netns exec ...`.
    ///   - environment: What it has beside the bench's own.
    func spawn(
        _ name: String, lease: Int = 3, staying: Bool = false, server: String? = nil, by command: [String] = [],
        environment: [String: String] = [:],
        _ arguments: String...
    ) async throws -> WorkerProcess {
        var configuration = self.bench.configuration(
            "assay-worker",
            Workbench.workerArguments.filter { !staying || $0 != "--drain" } + [
                "--lease-seconds", "\(lease)", "--json",
            ] + arguments)
        if let program = command.first {
            configuration.arguments = command.dropFirst() + [configuration.executable] + configuration.arguments
            configuration.executable = program
        }
        configuration.environment?.merge(environment) { _, new in new }
        let server = server ?? self.pool.configuration.connectionString
        configuration.environment?["ASSAY_DATABASE_URL"] = "\(server) application_name='\(name)'"
        configuration.environment?["ASSAY_LOG"] = "info"
        let log = "\(self.bench.folder)/\(name).log"
        let descriptor = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        defer { close(descriptor) }
        configuration.standardError = .descriptor(descriptor)
        return WorkerProcess(child: try await self.loop.spawn(configuration), name: name, log: log)
    }

    /// What a worker that ended by itself says it did.
    func summary(of worker: WorkerProcess) async throws -> WorkerSummaryAnswer {
        let result = try await worker.child.waitForExit()
        guard result.termination.isSuccess else {
            throw WorkerFailed(name: worker.name, termination: result.termination, log: worker.logText)
        }
        return try JSONDecoder().decode(WorkerSummaryAnswer.self, from: Data(result.standardOutput.bytes))
    }
}

/// What the tests read of a worker's JSON.
struct WorkerSummaryAnswer: Decodable {
    var committed: Int
    var failed: Int
    var fenced: Int
    var released: Int
}

/// A worker that should have ended in order did not.
struct WorkerFailed: Error, CustomStringConvertible {
    var name: String
    var termination: ProcessTermination
    var log: String

    var description: String { "worker \(self.name): \(self.termination), seed \(Seed.value)\n\(self.log)" }
}
