import Foundation
import ProcessTesting
import UVEventLoop

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A folder of its own with processes that work in stores there, step by step; see StoreProbe.
struct StoreScene: Sendable {
    let folder: String
    let loop: EventLoop
    /// A copy that every user can run.
    let probe: String

    static func with<Value: Sendable>(_ body: (StoreScene) async throws -> Value) async throws -> Value {
        let folder = "/tmp/assay-store-\(UUID().uuidString.prefix(8).lowercased())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        chmod(folder, 0o755)
        let loop = try EventLoop(name: "stores")
        let probe = "\(folder)/StoreProbe"
        let result: Result<Value, any Error>
        do {
            try FileManager.default.copyItem(atPath: "\(Workbench.programs)/StoreProbe", toPath: probe)
            chmod(probe, 0o755)
            result = .success(try await body(StoreScene(folder: folder, loop: loop, probe: probe)))
        } catch {
            result = .failure(error)
        }
        await loop.shutDown()
        try? FileManager.default.removeItem(atPath: folder)
        return try result.get()
    }

    /// The outcome of one try of a step.
    struct Line: Sendable, CustomStringConvertible {
        var step: String
        var isGood: Bool
        /// The error's code, else empty.
        var code: String
        var words: [String]

        var description: String {
            ([self.step, self.isGood ? "ok" : "error", self.code] + self.words).joined(separator: " ")
        }
    }

    /// Runs a probe in `root`, by `command` before it (setpriv, unshare ...).
    func run(
        _ root: String, _ steps: [String], tries: Int = 1, by command: [String] = [],
        environment: [String: String] = [:]
    ) async throws -> [Line] {
        let words = command + [self.probe, "\(tries)", root] + steps
        var all = ProcessInfo.processInfo.environment
        for (name, value) in environment { all[name] = value }
        let result = try await self.loop.run(
            ProcessConfiguration(
                words[0], Array(words.dropFirst()), environment: all, workingDirectory: self.folder,
                standardOutput: .capture(limit: 1 << 20), standardError: .capture(limit: 1 << 16)))
        guard result.termination.isSuccess else {
            throw ProbeFailed(what: "\(words): \(result.termination): \(result.standardError.text)")
        }
        return result.standardOutput.text.split(separator: "\n").compactMap { line in
            // A step may have spaces.
            guard let step = steps.first(where: { line.hasPrefix("\($0) ") }) else { return nil }
            let words = line.dropFirst(step.count + 1).split(separator: " ").map(String.init)
            let isGood = words.first == "ok"
            return Line(
                step: step, isGood: isGood, code: isGood ? "" : words.dropFirst().first ?? "",
                words: Array(words.dropFirst(isGood ? 1 : 2)))
        }
    }

    /// Every file and folder below, relative.
    func entries(_ root: String) -> [String] {
        (FileManager.default.enumerator(atPath: root)?.allObjects as? [String] ?? []).sorted()
    }
}

struct ProbeFailed: Error, CustomStringConvertible {
    var what: String
    var description: String { self.what }
}
