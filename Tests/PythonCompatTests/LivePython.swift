import Testing
import UVEventLoop

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The Python of ASSAY_PYTHON, asked while the test runs; Fixtures/live.py makes the questions.
enum LivePython {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// What is asked changes with it; ASSAY_FAULT_SEED is another one.
    static let seed: UInt32 =
        ProcessInfo.processInfo.environment["ASSAY_FAULT_SEED"].flatMap { UInt32($0) } ?? 20_261_129

    private static let interpreter = ProcessInfo.processInfo.environment["ASSAY_PYTHON"] ?? "python3"

    /// Whether it is the version that the tables were made with; another one gives other answers.
    static func isComparable(to version: String) async throws -> Bool {
        try await self.run(["-c", "import sys; print('%d.%d' % sys.version_info[:2], end='')"]) == Array(version.utf8)
    }

    /// The fields of each line that live.py prints.
    static func cases(_ kind: String, seed: UInt32, count: Int) async throws -> [[String]] {
        let output = try await self.run([CharacterFixture.folder + "live.py", kind, "\(seed)", "\(count)"])
        return output.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true).map(self.fields)
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

    private static func run(_ arguments: [String]) async throws -> [UInt8] {
        let loop = try EventLoop(name: "python")
        let result: ProcessResult
        do {
            result = try await loop.run(
                ProcessConfiguration(
                    self.interpreter, arguments, standardOutput: .capture(limit: 256 << 20),
                    standardError: .capture(limit: 1 << 20)))
        } catch {
            await loop.shutDown()
            throw error
        }
        await loop.shutDown()
        guard result.termination.isSuccess else {
            throw Failure(description: "\(self.interpreter) \(arguments): \(result.standardError.text)")
        }
        return Array(result.standardOutput.bytes)
    }
}
