import Foundation
import ProcessTesting
import Synchronization
import Testing
import UVEventLoop

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension FaultSuite {
    /// Workers that are killed without warning, again and again.
    @Suite struct KillTests {
        static let kills = 104
        static let lanes = 4

        @Test func aHundredKilledWorkersLoseAndDoubleNothing() async throws {
            try await FaultBench.with("kills") { bench in
                let digest = try await References.shared.digest(of: .many)
                let record = KillRecord(deck: KillPlan.deck(Self.kills))
                record.note(run: try await bench.submit(.many))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await Self.supplyWork(bench, record) }
                    group.addTask { try await Self.collectGarbage(bench, record) }
                    for lane in 0..<Self.lanes {
                        group.addTask { try await Self.killWorkers(lane, bench, record) }
                    }
                    try await group.waitForAll()
                }
                let held = record.held + (try await bench.drain())
                print("fault tests: \(record.summary), \(held) shards held and released, seed \(Seed.value)")
                #expect(record.kills >= 100)
                #expect(record.count(of: .claiming) >= 5, "\(record.summary)")
                #expect(record.count(of: .computing) >= 10, "\(record.summary)")
                #expect(record.count(of: .publishing) + record.count(of: .published) >= 5, "\(record.summary)")
                #expect(record.count(of: .committing) >= 5, "\(record.summary)")
                try await bench.expectUndisturbed(
                    record.runs, of: .many, digest: digest, after: ["worker killed with work in hand": record.hits])
            }
        }

        /// Submits another run whenever the work runs short, until enough workers are dead.
        private static func supplyWork(_ bench: FaultBench, _ record: KillRecord) async throws {
            while !record.isOver {
                if try await bench.count("shard WHERE state IN ('ready', 'blocked')") < 40 {
                    record.note(run: try await bench.submit(.many))
                }
                record.note(held: try await bench.releaseHeld())
                try await bench.loop.sleep(for: .milliseconds(200))
            }
        }

        /// Garbage is collected all the while, without any grace: only dead claims' files may go.
        private static func collectGarbage(_ bench: FaultBench, _ record: KillRecord) async throws {
            while !record.isOver {
                try await bench.collectGarbage()
                try await bench.loop.sleep(for: .seconds(2))
            }
        }

        private static func killWorkers(_ lane: Int, _ bench: FaultBench, _ record: KillRecord) async throws {
            var number = 0
            while let plan = record.nextPlan() {
                number += 1
                let worker = try await bench.spawn("lane-\(lane)-\(number)")
                guard let moment = try await self.kill(worker, plan, bench) else {
                    // It was done before its time had come: the plan is for the next one.
                    _ = try await bench.summary(of: worker)
                    record.putBack(plan)
                    continue
                }
                record.note(moment)
            }
        }

        /// Kills the worker as planned; `nil` when it ended by itself before.
        private static func kill(
            _ worker: WorkerProcess, _ plan: KillPlan, _ bench: FaultBench
        ) async throws -> Moment? {
            switch plan {
            case .after(let time):
                try await bench.loop.sleep(for: time)
                guard try await worker.kill() == .signalled(SIGKILL) else { return nil }
                return try await bench.momentOfDeath(of: worker)
            case .during(let call):
                let wasHit = try await bench.holdingUp(call, of: worker) { _ = try await worker.kill() }
                if wasHit { return call == .commit ? .committing : .claiming }
            case .whilePublishing:
                _ = try await bench.soon(within: .seconds(8)) {
                    if worker.child.result != nil { return true }
                    return try await bench.isPublishing(worker) ? true : nil
                }
            }
            guard try await worker.kill() == .signalled(SIGKILL) else { return nil }
            return try await bench.momentOfDeath(of: worker)
        }
    }
}

/// When a worker is to be killed.
enum KillPlan: Sendable {
    /// So long after its start, whatever it does then.
    case after(Duration)
    case during(Call)
    case whilePublishing

    /// So many plans, most of them random moments, in an order that the seed decides.
    static func deck(_ count: Int) -> [KillPlan] {
        var random = Seed.generator("kills")
        let aimed = (0..<count / 8).flatMap { _ in [KillPlan.during(.claim), .during(.commit), .whilePublishing] }
        let others = (aimed.count..<count).map { _ in
            KillPlan.after(.milliseconds(Int.random(in: 0...1500, using: &random)))
        }
        return (aimed + others).shuffled(using: &random)
    }
}

/// What the killers share.
final class KillRecord: Sendable {
    private struct State {
        var deck: [KillPlan]
        var planned = 0
        var moments: [Moment: Int] = [:]
        var runs: [String] = []
        var held = 0
    }
    private let state: Mutex<State>

    init(deck: [KillPlan]) { self.state = Mutex(State(deck: deck)) }

    func nextPlan() -> KillPlan? { self.state.withLock { $0.deck.popLast() } }
    func putBack(_ plan: KillPlan) { self.state.withLock { $0.deck.append(plan) } }
    func note(_ moment: Moment) { self.state.withLock { $0.moments[moment, default: 0] += 1 } }
    func note(run: String) { self.state.withLock { $0.runs.append(run) } }
    func note(held: Int) { self.state.withLock { $0.held += held } }

    var runs: [String] { self.state.withLock { $0.runs } }
    var held: Int { self.state.withLock { $0.held } }
    var kills: Int { self.state.withLock { $0.moments.values.reduce(0, +) } }
    /// Those that had a shard, or were about to have one.
    var hits: Int { self.kills - self.count(of: .starting) - self.count(of: .idle) }
    var isOver: Bool { self.kills >= FaultSuite.KillTests.kills }
    func count(of moment: Moment) -> Int { self.state.withLock { $0.moments[moment, default: 0] } }

    var summary: String {
        let counts = Moment.allCases.map { "\(self.count(of: $0)) \($0.rawValue)" }
        return "\(self.kills) workers killed: \(counts.joined(separator: ", "))"
    }
}
