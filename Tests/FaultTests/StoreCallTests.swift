import FaultTesting
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
    /// Every file-system call of what writes or removes in the store fails once, or is made and its answer lost; what failed
    /// is tried again by the same process, and by another one.
    @Suite struct StoreCallTests {
        /// Opening a store, copying a data set, publishing a shard and building the job's file.
        @Test func noFailingCallLosesDoublesOrSpoilsAResult() async throws {
            try await StoreScene.with { scene in
                let steps = ["open", "import:{\"a\":1}", "publish:0", "job"]
                let sweep = try await CallSweep(scene, template: ["create"], steps: steps)
                try await sweep.run("publishing") { trace, plain in
                    var problems = Set<CallSweep.Problem>()
                    let durable = Durability(root: trace.root, trace.events)
                    if !trace.files.keys.allSatisfy({ durable.holdsFile("\(trace.root)/\($0)") }) {
                        problems.insert(.lost)
                    }
                    // What could be seen between two tries was whole, too.
                    let size = plain.files.first { $0.key.contains("shard-0.") }?.value.count ?? 0
                    for line in trace.lines where !line.isGood && line.step == "publish:0" {
                        if let seen = line.words.first, seen != "-", seen != "\(size)" { problems.insert(.wrong) }
                    }
                    return problems
                }
            }
        }

        /// `assay results gc --data-sets`, while somebody submits over a data set that is being collected.
        ///
        /// `halfgc` is a collection that may fail; another one ends what it left.
        @Test func noFailingCallHasGarbageCollectionTakeWhatIsNeeded() async throws {
            try await StoreScene.with { scene in
                let template = [
                    "create", "import:kept", "import:late", "import:unused", "publish:0", "job", "publish:1", "job",
                    "dead:1", "sh:touch runs/k3f9m2ab/k3f9m2ab.1/.k3f9m2ab.1.shard-7.h5.0badcafe.tmp",
                    "sh:touch datasets/.import.0badcafe.tmp",
                ]
                let probe = "\(scene.folder)/probe"
                let made = try await scene.run(probe, template)
                try #require(made.allSatisfy { $0.isGood }, "\(made)")
                let hashes = made.filter { $0.step.hasPrefix("import") }.compactMap(\.words.first)
                let jobs = made.filter { $0.step == "job" }.compactMap(\.words.first)
                let digest = try #require(jobs.last?.split(separator: ".").dropLast().last)
                let garbage = "\(hashes[0]),\(hashes[1]),\(digest)"
                let steps = ["openread", "halfgc:\(garbage)", "gc:\(garbage)"]
                let needed = try Set(
                    hashes.prefix(2).map { "datasets/\($0).jsonl" } + [#require(jobs.last)]
                        + made.filter { $0.step.hasPrefix("publish") }.compactMap(\.words.first))
                let sweep = try await CallSweep(scene, template: template, steps: steps)
                try #require(Set(sweep.plain.files.keys) == needed, "\(sweep.plain.files.keys.sorted())")
                try #require(jobs.first != jobs.last && scene.entries(probe).count > needed.count + 4)
                try await sweep.run("garbage collection") { trace, _ in
                    // Nothing but garbage collection removes, so what is there at the end was there all the time.
                    trace.files.keys.contains { !needed.contains($0) } ? [.stuck] : []
                }
            }
        }

        /// `assay-report build`: a version is there whole or not at all, and the same results make no second one.
        @Test func noFailingCallShowsHalfAReport() async throws {
            try await StoreScene.with { scene in
                let sweep = try await CallSweep(scene, template: ["create", "open"], steps: ["report", "again"])
                try #require(sweep.plain.files.keys.contains("reports/demo/v1/manifest.json"))
                try await sweep.run("publishing a report") { trace, _ in
                    var problems = Set<CallSweep.Problem>()
                    let durable = Durability(root: trace.root, trace.events)
                    if !durable.holdsFolder("\(trace.root)/reports/demo/v1", files: Array(trace.files.keys)) {
                        problems.insert(.lost)
                    }
                    for line in trace.lines {
                        // Before a try that succeeds, and after one that failed: all of a version, or nothing.
                        let seen = line.words.first ?? "-"
                        if !line.isGood, !["-", "1:whole"].contains(seen) { problems.insert(.wrong) }
                        let isSecond = line.step == "again" && line.isGood && line.words != ["1", "false"]
                        if isSecond { problems.insert(.doubled) }
                    }
                    return problems
                }
            }
        }
    }
}

/// Steps of a process, run again for each call that can fail in them.
struct CallSweep: Sendable {
    struct Fault: Sendable, CustomStringConvertible {
        var call: Int
        var number: CInt
        /// The call is made, and its answer is lost.
        var isDone = false
        /// The process ends with the step that the fault hits, and another one, which knows nothing of it, does all of them.
        var isLeftToOthers = false

        /// For the count of faults.
        var kind: String { "\(String(cString: strerror(self.number)))\(self.isDone ? " after it was done" : "")" }
        var description: String {
            "call \(self.call): \(self.kind)\(self.isLeftToOthers ? ", tried again by another process" : "")"
        }
        /// For a folder's name.
        var name: String { "\(self.call)-\(self.number)-\(self.isDone)-\(self.isLeftToOthers)" }
    }

    enum Problem: Sendable, Hashable {
        /// What was said to be there is not, or would not be after a power cut.
        case lost
        case doubled
        /// What is visible is not what an undisturbed process makes.
        case wrong
        /// A later try that nothing disturbs must succeed.
        case stuck
    }

    /// The outcome of the steps.
    struct Trace: Sendable {
        var root: String
        var lines: [StoreScene.Line]
        /// Those of the process that came last.
        var last: [StoreScene.Line]
        /// What the shim saw of names and of flushing.
        var events: [[String]]
        /// Those of the first process.
        var calls: Int
        var injected: Int
        /// What is visible in the store, by path.
        var files: [String: Data]
    }

    let scene: StoreScene
    let steps: [String]
    /// What an undisturbed process does.
    let plain: Trace
    /// The number of each step's last call.
    private let ends: [Int]
    private let shim: String
    private let template: String

    /// Runs the steps undisturbed on a copy of what `template` makes.
    init(_ scene: StoreScene, template: [String], steps: [String]) async throws {
        let (shim, folder) = ("\(scene.folder)/faults.so", "\(scene.folder)/template")
        let source = "\(Workbench.repository)/Tests/FaultTests/Shims/faults.c"
        let built = try await scene.loop.run(
            ProcessConfiguration(
                "/usr/bin/cc", ["-shared", "-fPIC", "-O1", "-o", shim, source, "-ldl"],
                standardError: .capture(limit: 1 << 16)))
        try #require(built.termination.isSuccess, "\(built.standardError.text)")
        let made = try await scene.run(folder, template)
        try #require(made.allSatisfy { $0.isGood }, "\(made)")
        let none = Fault(call: 0, number: 0)
        let plain = try await Self.perform(none, [steps], scene, shim, folder)
        try #require(plain.lines.allSatisfy { $0.isGood }, "\(plain.lines)")
        try #require(plain.calls > 30, "the shim sees no calls")
        var ends: [Int] = []
        for count in 1..<steps.count {
            ends.append(try await Self.perform(none, [Array(steps.prefix(count))], scene, shim, folder).calls)
        }
        (self.scene, self.steps, self.shim, self.template) = (scene, steps, shim, folder)
        (self.plain, self.ends) = (plain, ends + [plain.calls])
    }

    /// Has every call fail in every way, and counts what came of it.
    ///
    /// - Parameter judge: What is wrong beside files that are missing, too many or other ones than without the fault.
    func run(_ name: String, judge: @escaping @Sendable (_ trace: Trace, _ plain: Trace) -> Set<Problem>) async throws {
        let changes = Set(self.plain.events.filter { $0[0] == "change" }.compactMap { Int($0[1]) })
        try #require(changes.count > 5 && changes.count < self.plain.calls, "the shim sees no calls that change names")
        let faults = (1...self.plain.calls).flatMap { Self.faults(at: $0, changesNames: changes.contains($0)) }
        let width = 4
        let all = try await withThrowingTaskGroup(
            of: [(Fault, Trace)].self, returning: [(Fault, Trace)].self
        ) { group in
            for lane in 0..<width {
                group.addTask {
                    var traces: [(Fault, Trace)] = []
                    for index in stride(from: lane, to: faults.count, by: width) {
                        let fault = faults[index]
                        let trace = try await Self.perform(
                            fault, self.processes(fault), self.scene, self.shim, self.template)
                        traces.append((fault, trace))
                    }
                    return traces
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        var (kinds, counts): ([String: Int], [Problem: Int]) = ([:], [:])
        for (fault, trace) in all {
            kinds["failed file-system call: \(fault.kind)", default: 0] += trace.injected
            let problems = self.problems(trace).union(judge(trace, self.plain))
            for problem in problems { counts[problem, default: 0] += 1 }
            if !problems.isEmpty { Issue.record("\(name): \(problems) after \(fault): \(trace.lines)") }
        }
        Certificate.record(
            kinds,
            Certificate.Outcome(
                lost: counts[.lost] ?? 0, doubled: counts[.doubled] ?? 0, wrong: counts[.wrong] ?? 0,
                digests: all.count * self.plain.files.count))
        #expect(all.reduce(0) { $0 + $1.1.injected } >= 5 * self.plain.calls)
    }

    private static func faults(at call: Int, changesNames: Bool) -> [Fault] {
        var faults = [EIO, ENOSPC, ESTALE, EDQUOT].map { Fault(call: call, number: $0) }
        faults.append(Fault(call: call, number: EIO, isLeftToOthers: true))
        guard changesNames else { return faults }
        // Only such a call can have been done although it is said to have failed.
        faults.append(Fault(call: call, number: ENOENT, isDone: true))
        faults.append(Fault(call: call, number: ENOENT, isDone: true, isLeftToOthers: true))
        return faults
    }

    /// The steps of each process, one after the other.
    private func processes(_ fault: Fault) -> [[String]] {
        guard fault.isLeftToOthers, let hit = self.ends.firstIndex(where: { fault.call <= $0 }) else {
            return [self.steps]
        }
        return [Array(self.steps[...hit]), self.steps]
    }

    private func problems(_ trace: Trace) -> Set<Problem> {
        var problems = Set<Problem>()
        for step in self.steps where !trace.last.contains(where: { $0.step == step && $0.isGood }) {
            problems.insert(.stuck)
        }
        if !Set(self.plain.files.keys).isSubset(of: trace.files.keys) { problems.insert(.lost) }
        if trace.files.count > self.plain.files.count { problems.insert(.doubled) }
        if !trace.files.allSatisfy({ self.plain.files[$0.key] == $0.value }) { problems.insert(.wrong) }
        return problems
    }

    /// - Parameter processes: The steps of each; the fault is the first one's, and if it is not the only one, it tries once.
    private static func perform(
        _ fault: Fault, _ processes: [[String]], _ scene: StoreScene, _ shim: String, _ template: String
    ) async throws -> Trace {
        let root = "\(scene.folder)/\(fault.name)"
        let log = "\(root).log"
        try FileManager.default.copyItem(atPath: template, toPath: root)
        defer {
            for path in [root, log] { try? FileManager.default.removeItem(atPath: path) }
        }
        var lines: [StoreScene.Line] = []
        var last: [StoreScene.Line] = []
        for (index, steps) in processes.enumerated() {
            last = try await scene.run(
                root, steps, tries: processes.count > 1 ? 1 : 3,
                environment: [
                    "LD_PRELOAD": shim, "FAULT_ROOT": root, "FAULT_CALL": index == 0 ? "\(fault.call)" : "0",
                    "FAULT_ERRNO": "\(fault.number)", "FAULT_DONE": fault.isDone ? "1" : "0", "FAULT_LOG": log,
                    "FAULT_LOG_CALLS": fault.call == 0 ? "1" : "0",
                ])
            lines += last
        }
        let events = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
            .map { $0.split(separator: " ").map(String.init) }
        let counts = events.filter { $0.count > 2 && $0[0] == "calls" }.map { (Int($0[1]) ?? 0, Int($0[2]) ?? 0) }
        var files: [String: Data] = [:]
        for path in scene.entries(root) where Self.isVisible(path) {
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: "\(root)/\(path)", isDirectory: &isFolder)
            if !isFolder.boolValue { files[path] = try Data(contentsOf: URL(filePath: "\(root)/\(path)")) }
        }
        return Trace(
            root: root, lines: lines, last: last, events: events, calls: counts.first?.0 ?? 0,
            injected: counts.reduce(0) { $0 + $1.1 }, files: files)
    }

    /// Whether readers take the file for one of the store's.
    private static func isVisible(_ path: String) -> Bool {
        !path.split(separator: "/").contains { $0.hasPrefix(".") }
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
    func holdsFile(_ path: String) -> Bool {
        guard let named = self.named(path) else { return false }
        return self.isFlushed(self.events[named][1], before: named) && self.holdsName(path, from: named)
    }

    /// The same for a folder with files in it, which gets its name when they are complete.
    func holdsFolder(_ path: String, files: [String]) -> Bool {
        guard let named = self.named(path) else { return false }
        let draft = self.events[named][1]
        let isComplete = files.allSatisfy { file in
            self.isFlushed("\(draft)/\(file.split(separator: "/").last ?? "")", before: named)
        }
        let entries = self.events[..<named].lastIndex { $0[0] == "syncdir" && $0[1] == draft }
        let last = self.events[..<named].lastIndex { $0[0] == "write" && $0[1].hasPrefix("\(draft)/") }
        return isComplete && entries ?? -1 > last ?? named && self.holdsName(path, from: named)
    }

    private func named(_ path: String) -> Int? {
        self.events.lastIndex { $0[0] == "rename" && $0[2] == path }
    }

    private func isFlushed(_ file: String, before index: Int) -> Bool {
        guard let written = self.events[..<index].lastIndex(where: { $0[0] == "write" && $0[1] == file }) else {
            return false
        }
        return self.isPutOnDisk(file, by: "sync", in: written..<index)
    }

    private func holdsName(_ path: String, from named: Int) -> Bool {
        guard self.isSynced(Self.parent(path), after: named) else { return false }
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
        self.isPutOnDisk(folder, by: "syncdir", in: index..<self.events.count)
    }

    /// Whether the first flush succeeds: one that fails is the only one that tells of it, and those after it put nothing
    /// on the disk of what was there before.
    private func isPutOnDisk(_ path: String, by flush: String, in range: Range<Int>) -> Bool {
        self.events[range].first { [flush, "unsync"].contains($0[0]) && $0[1] == path }?[0] == flush
    }

    private static func parent(_ path: String) -> String {
        String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }
}
