import Foundation

/// Runs the scripts of Tests/Interop with a Python that has h5py and anndata.
enum Python {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// The interpreter of ASSAY_PYTHON, else the one that infra/test makes in the cache.
    static func interpreter() throws -> String {
        let environment = ProcessInfo.processInfo.environment
        if let named = environment["ASSAY_PYTHON"] { return named }
        let cache = environment["ASSAY_CACHE"] ?? "\(environment["HOME"] ?? "")/.cache/assay"
        let path = "\(cache)/python/bin/python"
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw Failure(
                description: "no Python with h5py and anndata: ASSAY_PYTHON is not set and \(path) is not there; "
                    + "run infra/test, or make it with python3 -m venv and pip install h5py anndata")
        }
        return path
    }

    /// What a script prints; throws with its messages if it fails.
    static func run(_ script: String, _ arguments: String...) throws -> Data {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let path = folder.deletingLastPathComponent().appendingPathComponent("Interop/\(script)").path
        return try Command.run(try self.interpreter(), ["-W", "ignore", path] + arguments)
    }
}

/// Runs a program and takes what it prints.
enum Command {
    static func run(_ program: String, _ arguments: [String]) throws -> Data {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let (output, messages) = (Pipe(), FileHandle.temporary())
        process.standardOutput = output
        process.standardError = messages
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            messages.seek(toFileOffset: 0)
            let text = String(decoding: messages.readDataToEndOfFile(), as: UTF8.self)
            throw Python.Failure(
                description: "\(program) \(arguments.joined(separator: " ")) ended with "
                    + "\(process.terminationStatus): \(text)")
        }
        return data
    }
}

extension FileHandle {
    /// A file without a name, so that a program can write any amount of messages without blocking.
    fileprivate static func temporary() -> FileHandle {
        let path = NSTemporaryDirectory() + "/messages-\(UUID().uuidString)"
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return FileHandle(forUpdatingAtPath: path) ?? .nullDevice
    }
}
