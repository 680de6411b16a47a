public import UVEventLoop

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Runs a program and takes what it prints.
///
/// Not with Foundation's Process and Pipe: its pipes are open to every other child that is started meanwhile, and one that
/// stays, such as a database server, would keep the reader waiting for ever; and it does not always free a process.
public enum Command {
    /// What it prints; throws with its messages if it fails.
    public static func run(_ program: String, _ arguments: [String]) async throws -> [UInt8] {
        let loop = try EventLoop(name: "command")
        let result: ProcessResult
        do {
            result = try await loop.run(
                ProcessConfiguration(
                    program, arguments, standardOutput: .capture(limit: 256 << 20),
                    standardError: .capture(limit: 1 << 20)))
        } catch {
            await loop.shutDown()
            throw error
        }
        await loop.shutDown()
        guard result.termination.isSuccess else {
            throw CommandFailed(command: [program] + arguments, result: result)
        }
        return result.standardOutput.bytes
    }
}

/// The Python that infra/test makes, with h5py, jinja2, tokenizers and the others that tests compare with.
public enum Python {
    /// ASSAY_PYTHON, else the newest that infra/test made in the cache, else the system's.
    public static let interpreter: String = {
        if let named = ProcessInfo.processInfo.environment["ASSAY_PYTHON"] { return named }
        func age(_ folder: String) -> Date? {
            (try? FileManager.default.attributesOfItem(atPath: "\(folder)/complete"))?[.modificationDate] as? Date
        }
        let made = ((try? FileManager.default.contentsOfDirectory(atPath: Inputs.cache)) ?? [])
            .filter { $0.hasPrefix("python-") }.map { "\(Inputs.cache)/\($0)" }
            .compactMap { folder in age(folder).map { (folder: folder, age: $0) } }
        return made.max { $0.age < $1.age }.map { "\($0.folder)/bin/python" } ?? "python3"
    }()

    /// What a script prints; throws with its messages if it fails.
    public static func run(_ script: String, _ arguments: [String] = []) async throws -> [UInt8] {
        try await Command.run(self.interpreter, ["-W", "ignore", script] + arguments)
    }

    /// The fields of each line that a script prints: separated by tabs, with \n, \r, \t and \\ within.
    public static func table(_ script: String, _ arguments: [String]) async throws -> [[String]] {
        try await self.run(script, arguments).split(separator: UInt8(ascii: "\n")).map(self.fields)
    }

    private static func fields(_ line: ArraySlice<UInt8>) -> [String] {
        var fields: [String] = []
        var field: [UInt8] = []
        var isEscaped = false
        for byte in line {
            if isEscaped {
                isEscaped = false
                switch byte {
                case UInt8(ascii: "n"): field.append(0x0A)
                case UInt8(ascii: "r"): field.append(0x0D)
                case UInt8(ascii: "t"): field.append(0x09)
                default: field.append(byte)
                }
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == 0x09 {
                fields.append(String(decoding: field, as: UTF8.self))
                field.removeAll(keepingCapacity: true)
            } else {
                field.append(byte)
            }
        }
        return fields + [String(decoding: field, as: UTF8.self)]
    }

    /// What tests ask a Python changes with it; ASSAY_FAULT_SEED is another one.
    public static let seed =
        ProcessInfo.processInfo.environment["ASSAY_FAULT_SEED"].flatMap { UInt32($0) } ?? 20_261_129

    /// Whether an expression over `sys` and the modules that it needs holds; false also if they are not there.
    public static func confirms(_ expression: String, importing modules: String...) async -> Bool {
        let script = "import \((["sys"] + modules).joined(separator: ", ")); print(\(expression))"
        return (try? await Command.run(self.interpreter, ["-c", script])) == Array("True\n".utf8)
    }
}

/// A command that should have succeeded did not.
public struct CommandFailed: Error, CustomStringConvertible {
    public var command: [String]
    public var result: ProcessResult

    public var description: String {
        "\(self.command.joined(separator: " ")): \(self.result.termination): \(self.result.standardError.text)"
    }
}
