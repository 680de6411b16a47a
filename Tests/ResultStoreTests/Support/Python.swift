import Foundation
import UVEventLoop

/// Runs the scripts of Tests/Interop with a Python that has h5py and anndata.
enum Python {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// The interpreter of ASSAY_PYTHON, else the newest that infra/test made in the cache.
    static func interpreter() throws -> String {
        let environment = ProcessInfo.processInfo.environment
        if let named = environment["ASSAY_PYTHON"] { return named }
        let home = environment["XDG_CACHE_HOME"] ?? "\(environment["HOME"] ?? "")/.cache"
        let cache = URL(filePath: environment["ASSAY_CACHE"] ?? "\(home)/assay", directoryHint: .isDirectory)
        let made = try? FileManager.default.contentsOfDirectory(at: cache, includingPropertiesForKeys: nil)
            .map { $0.appending(path: "complete") }
            .filter { $0.path().contains("/python-") && FileManager.default.fileExists(atPath: $0.path()) }
            .max { try $0.modified < $1.modified }
        guard let made else {
            throw Failure(
                description: "no Python with h5py and anndata: ASSAY_PYTHON is not set and \(cache.path()) has none; "
                    + "run infra/test, or make one with python3 -m venv and pip install h5py anndata")
        }
        return made.deletingLastPathComponent().appending(path: "bin/python").path()
    }

    /// What a script prints; throws with its messages if it fails.
    static func run(_ script: String, _ arguments: String...) async throws -> Data {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let path = folder.deletingLastPathComponent().appendingPathComponent("Interop/\(script)").path
        return try await Command.run(try self.interpreter(), ["-W", "ignore", path] + arguments)
    }
}

/// Runs a program and takes what it prints.
///
/// Not with Foundation's Process and Pipe: its pipes are open to every other child that is started meanwhile, and one that
/// stays, such as a database server, would keep the reader waiting for ever.
enum Command {
    static func run(_ program: String, _ arguments: [String]) async throws -> Data {
        let loop = try EventLoop(name: "command")
        let result: ProcessResult
        do {
            result = try await loop.run(
                ProcessConfiguration(
                    program, arguments, standardOutput: .capture(limit: 64 << 20),
                    standardError: .capture(limit: 1 << 20)))
        } catch {
            await loop.shutDown()
            throw error
        }
        await loop.shutDown()
        guard result.termination.isSuccess else {
            throw Python.Failure(
                description: "\(program) \(arguments.joined(separator: " ")): \(result.termination): "
                    + result.standardError.text)
        }
        return Data(result.standardOutput.bytes)
    }
}

extension URL {
    fileprivate var modified: Date {
        get throws {
            try self.resourceValues(forKeys: [.contentModificationDateKey]).contentModificationDate ?? .distantPast
        }
    }
}
