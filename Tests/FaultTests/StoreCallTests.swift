import Foundation
import ProcessTesting
import Testing
import UVEventLoop

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension FaultSuite {
    /// Every file-system call of opening a store, copying a data set, publishing a shard and building the job's file
    /// fails once, or is made and its answer lost.
    @Suite struct StoreCallTests {
        private static let steps = ["open", "import:{\"a\":1}", "publish:0", "job"]

        private struct Fault: Sendable {
            var call: Int
            var number: CInt
            var isDone = false
        }

        @Test func noFailingCallLosesDoublesOrSpoilsAResult() async throws {
            try await StoreScene.with { scene in
                let shim = "\(scene.folder)/faults.so"
                let source = "\(Workbench.repository)/Tests/FaultTests/Shims/faults.c"
                let built = try await scene.loop.run(
                    ProcessConfiguration(
                        "/usr/bin/cc", ["-shared", "-fPIC", "-O1", "-o", shim, source, "-ldl"],
                        standardError: .capture(limit: 1 << 16)))
                try #require(built.termination.isSuccess, "\(built.standardError.text)")
                let template = "\(scene.folder)/template"
                _ = try await scene.run(template, ["create"])
                let plain = try await self.perform(Fault(call: 0, number: 0), scene, shim, template)
                try #require(plain.lines.allSatisfy(\.isGood) && plain.problems.isEmpty, "\(plain)")
                try #require(plain.calls > 50, "the shim sees no calls")
                let faults = (1...plain.calls).flatMap { call in
                    [EIO, ENOSPC, ESTALE, EDQUOT].map { Fault(call: call, number: $0) }
                        + [Fault(call: call, number: ENOENT, isDone: true)]
                }
                let outcomes = try await withThrowingTaskGroup(of: [Outcome].self, returning: [Outcome].self) { group in
                    let width = 4
                    for lane in 0..<width {
                        group.addTask {
                            var outcomes: [Outcome] = []
                            for index in stride(from: lane, to: faults.count, by: width) {
                                outcomes.append(try await self.perform(faults[index], scene, shim, template, plain))
                            }
                            return outcomes
                        }
                    }
                    return try await group.reduce(into: []) { $0 += $1 }
                }
                let injected = outcomes.reduce(0) { $0 + $1.injected }
                func count(_ kind: Problem) -> Int { outcomes.count { $0.problems.contains(kind) } }
                Certificate.record(
                    ["failed call of the file system": injected],
                    Certificate.Outcome(
                        lost: count(.lost), doubled: count(.doubled), wrong: count(.wrong), digests: outcomes.count))
                for outcome in outcomes where !outcome.problems.isEmpty {
                    Issue.record("\(outcome.problems) after call \(outcome.fault): \(outcome.lines)")
                }
                #expect(injected >= 4 * plain.calls)
            }
        }

        private enum Problem: Sendable, Hashable {
            /// What was said to be published is not there, or would not be after a power cut.
            case lost
            case doubled
            /// What is visible is not what an undisturbed process publishes.
            case wrong
            /// A second try that nothing disturbs must succeed.
            case stuck
        }

        private struct Outcome: Sendable {
            var fault: String
            var lines: [StoreScene.Line]
            var calls: Int
            var injected: Int
            var files: [String: Data]
            var problems: Set<Problem> = []
        }

        private func perform(
            _ fault: Fault, _ scene: StoreScene, _ shim: String, _ template: String, _ plain: Outcome? = nil
        ) async throws -> Outcome {
            let root = "\(scene.folder)/\(fault.call)-\(fault.number)-\(fault.isDone)"
            let log = "\(root).log"
            try FileManager.default.copyItem(atPath: template, toPath: root)
            defer {
                for path in [root, log] { try? FileManager.default.removeItem(atPath: path) }
            }
            let lines = try await scene.run(
                root, Self.steps, tries: 3,
                environment: [
                    "LD_PRELOAD": shim, "FAULT_ROOT": root, "FAULT_CALL": "\(fault.call)",
                    "FAULT_ERRNO": "\(fault.number)", "FAULT_DONE": fault.isDone ? "1" : "0", "FAULT_LOG": log,
                ])
            let events = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
                .map { $0.split(separator: " ").map(String.init) }
            let counts = events.last { $0.first == "calls" } ?? []
            var files: [String: Data] = [:]
            for path in scene.entries(root) where path.hasSuffix(".h5") || path.hasSuffix(".jsonl") {
                files[path] = try Data(contentsOf: URL(filePath: "\(root)/\(path)"))
            }
            var outcome = Outcome(
                fault: "\(fault.call) (\(String(cString: strerror(fault.number)))\(fault.isDone ? ", done" : ""))",
                lines: lines, calls: counts.count > 1 ? Int(counts[1]) ?? 0 : 0,
                injected: counts.count > 2 ? Int(counts[2]) ?? 0 : 0, files: files)
            for step in Self.steps where !lines.contains(where: { $0.step == step && $0.isGood }) {
                outcome.problems.insert(.stuck)
            }
            let durable = Durability(root: root, events)
            if !files.keys.allSatisfy({ durable.holds("\(root)/\($0)") }) { outcome.problems.insert(.lost) }
            guard let plain else { return outcome }
            if !Set(plain.files.keys).isSubset(of: files.keys) { outcome.problems.insert(.lost) }
            if files.count > plain.files.count { outcome.problems.insert(.doubled) }
            if !files.allSatisfy({ plain.files[$0.key] == $0.value }) { outcome.problems.insert(.wrong) }
            // What could be seen between two tries was whole, too.
            let size = plain.files.first { $0.key.contains("shard-0") }?.value.count ?? 0
            for line in lines where !line.isGood && line.step == "publish:0" {
                if let seen = line.words.first, seen != "-", seen != "\(size)" { outcome.problems.insert(.wrong) }
            }
            return outcome
        }
    }
}

/// What of a log of calls would survive a power cut right after them.
private struct Durability {
    let root: String
    let events: [[String]]

    init(root: String, _ events: [[String]]) {
        self.root = root
        self.events = events
    }

    /// Whether the file and every name on the way to it are on the disk: the bytes before the file got its name, the name
    /// afterwards.
    func holds(_ path: String) -> Bool {
        guard let named = self.events.lastIndex(where: { $0[0] == "rename" && $0[2] == path }) else { return false }
        let temporary = self.events[named][1]
        let written = self.events[..<named].lastIndex { $0[0] == "write" && $0[1] == temporary } ?? named
        guard self.events[..<named].lastIndex(where: { $0[0] == "sync" && $0[1] == temporary }) ?? -1 > written,
            self.isSynced(Self.parent(path), after: named)
        else { return false }
        var folder = Self.parent(path)
        while folder.count > self.root.count {
            if let made = self.events.lastIndex(where: { $0[0] == "mkdir" && $0[1] == folder }),
                !self.isSynced(Self.parent(folder), after: made)
            {
                return false
            }
            folder = Self.parent(folder)
        }
        return true
    }

    private func isSynced(_ folder: String, after index: Int) -> Bool {
        self.events[index...].contains { $0[0] == "syncdir" && $0[1] == folder }
    }

    private static func parent(_ path: String) -> String {
        String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }
}
