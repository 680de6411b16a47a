import Foundation
import Postgres
import ProcessTesting
import Testing
import UVEventLoop

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension FaultSuite {
    /// A file server that does not answer, whichever call it is that waits for it.
    @Suite struct HangTests {
        private static let lanes = 4
        /// How many hang beside the first of each kind, in each part of a worker's life; in a soak all do.
        private static let others = 4

        @Test func noFileSystemCallThatHangsCostsAnAttemptOrAResult() async throws {
            try await FaultBench.with("calls that hang") { bench in
                let scene = try await HangScene(bench)
                let first = try await bench.submit(.least)
                let all = try await scene.calls(ofWorker: "undisturbed", on: first)
                let digest = try await bench.bench.assay("results", "digest", first)
                // Where nothing is left to do, a worker opens the store and leaves.
                let opening = try await scene.calls(ofWorker: "idle", on: first)
                let work = Array(all.dropFirst(opening.count))
                try #require(opening.count > 20 && work.count > 20, "\(opening.count) of \(all.count) calls")
                try #require(opening.map(\.kind) == all.prefix(opening.count).map(\.kind))
                let plans =
                    Self.chosen(opening).map { HangPlan(call: $0, isWorking: false) }
                    + Self.chosen(work).map { HangPlan(call: $0, isWorking: true) }
                let hits = try await Self.hang(plans, scene, idleRun: first)
                #expect(Set(hits.map(\.kind)) == Set(all.map(\.kind)), "every kind of call hangs")
                // Every shard is there for others, and no attempt of it is burned.
                let runs = hits.compactMap(\.run)
                #expect(try await bench.count("shard WHERE state = 'ready' AND failures = 0") == runs.count)
                #expect(try await bench.count("attempt WHERE outcome <> 'released'") == 0)
                try await bench.drain()
                try await bench.expectUndisturbed(
                    runs, of: .least, digest: digest, after: ["file-system call that hangs": hits.count])
            }
        }

        /// The first call of each kind, and some of the others, evenly.
        private static func chosen(_ calls: [WorkerCall]) -> [WorkerCall] {
            guard HistoryTests.minutes == nil else { return calls }
            let step = max(1, calls.count / Self.others)
            var kinds = Set<String>()
            var chosen: [WorkerCall] = []
            for (index, call) in calls.enumerated() {
                let isFirst = kinds.insert(call.kind).inserted
                if isFirst || index % step == step - 1 { chosen.append(call) }
            }
            return chosen
        }

        /// Has a worker hang in each of the calls, several workers at a time.
        private static func hang(
            _ plans: [HangPlan], _ scene: HangScene, idleRun: String
        ) async throws -> [HangHit] {
            try await withThrowingTaskGroup(of: [HangHit].self, returning: [HangHit].self) { group in
                for lane in 0..<Self.lanes {
                    group.addTask {
                        var hits: [HangHit] = []
                        for index in stride(from: lane, to: plans.count, by: Self.lanes) {
                            let call = plans[index].call
                            if plans[index].isWorking {
                                // Of its own: the folders that the worker makes are part of its calls.
                                let run = try await scene.bench.submit(.least)
                                let kind = try await scene.hangAtWork(call, on: run)
                                hits.append(HangHit(kind: kind, run: run))
                            } else {
                                let kind = try await scene.hangAtStart(call, on: idleRun)
                                hits.append(HangHit(kind: kind, run: nil))
                            }
                        }
                        return hits
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
        }
    }
}

/// A call that a worker makes in the store: the so-manyth, and what it does.
private struct WorkerCall: Sendable {
    var number: Int
    var kind: String
}

private struct HangPlan: Sendable {
    var call: WorkerCall
    /// The worker has a shard by then.
    var isWorking: Bool
}

/// What a call did that hung.
private struct HangHit: Sendable {
    var kind: String
    /// The run that the worker had a shard of; nil when it had none.
    var run: String?
}

/// Workers whose calls in the store are counted, and one of them may never return.
private struct HangScene: Sendable {
    let bench: FaultBench
    private let environment: [String: String]

    init(_ bench: FaultBench) async throws {
        self.bench = bench
        self.environment = try await bench.shim(
            ["FAULT_ROOT": bench.bench.store, "FAULT_LOG_CALLS": "1"], from: "faults")
    }

    /// What a worker calls that nothing disturbs.
    func calls(ofWorker name: String, on run: String) async throws -> [WorkerCall] {
        let worker = try await self.start(name, on: run)
        let summary = try await self.bench.summary(of: worker)
        try #require(summary.failed == 0 && summary.released == 0, "\(worker.logText)")
        return self.logged(name, as: ["call", "change"]).sorted { $0.number < $1.number }
    }

    /// Has a call hang before the worker is known to the queue, and answers what the call does.
    func hangAtStart(_ call: WorkerCall, on run: String) async throws -> String {
        let (worker, kind) = try await self.hang(call, on: run)
        let process = worker.processID
        #expect(try await self.bench.count("worker WHERE pid = $1::int4", process) == 0, "\(call)")
        // It has nothing that anybody waits for, and does as it is told.
        try await worker.signal(SIGTERM)
        let result = try await self.bench.found("the worker ends, \(call)", within: .seconds(10)) {
            worker.child.result
        }
        #expect(result.termination == .signalled(SIGTERM), "\(call): \(worker.logText)")
        return kind
    }

    /// Has a call hang while the worker has a shard, and answers what the call does.
    func hangAtWork(_ call: WorkerCall, on run: String) async throws -> String {
        let (worker, kind) = try await self.hang(call, on: run)
        let result = try await self.bench.found("the worker ends, \(call)", within: .seconds(30)) {
            worker.child.result
        }
        #expect(result.termination == .exited(status: 75), "\(call): \(worker.logText)")
        #expect(worker.logText.contains("shard \(run).0/0 has shown no progress"), "\(call): \(worker.logText)")
        let process = worker.processID
        #expect(
            try await self.bench.count("worker WHERE pid = $1::int4 AND state = 'left'", process) == 1,
            "\(call): \(worker.logText)")
        return kind
    }

    /// Starts a worker and waits until the call hangs.
    private func hang(_ call: WorkerCall, on run: String) async throws -> (worker: WorkerProcess, kind: String) {
        let name = "hung-\(call.number)"
        let worker = try await self.start(name, on: run, ["FAULT_CALL": "\(call.number)", "FAULT_HANG": "1"])
        let hit = try await self.bench.found("a worker hangs, \(call)") { () throws -> WorkerCall? in
            // Looked at first: a worker that hangs by now may end in the next moment.
            let result = worker.child.result
            if let hit = self.logged(name, as: ["hang"]).first { return hit }
            if let result { throw WorkerFailed(name: name, termination: result.termination, log: worker.logText) }
            return nil
        }
        return (worker, hit.kind)
    }

    private func start(
        _ name: String, on run: String, _ faults: [String: String] = [:]
    ) async throws -> WorkerProcess {
        let environment = self.environment.merging(faults) { _, new in new }
            .merging(["FAULT_LOG": self.log(name)]) { _, new in new }
        return try await self.bench.spawn(
            name, lease: 20, environment: environment, "--run", run, "--stall-minutes", "0.05", "--store-patience", "1")
    }

    private func log(_ name: String) -> String { "\(self.bench.bench.folder)/\(name).calls" }

    /// What the shim wrote of the worker's calls, in lines that begin with one of the words.
    private func logged(_ name: String, as words: Set<String>) -> [WorkerCall] {
        let text = (try? String(contentsOfFile: self.log(name), encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: " ").map(String.init)
            guard parts.count == 4, words.contains(parts[0]), let number = Int(parts[1]) else { return nil }
            return WorkerCall(number: number, kind: parts[2])
        }
    }
}
