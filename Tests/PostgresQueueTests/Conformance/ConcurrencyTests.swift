import FaultTesting
import JobQueue
import Synchronization
import Testing

@Suite struct ConcurrencyTests {
    /// Many claimers and reapers at once, with failures, releases and zombies among them: no shard is ever held twice,
    /// and each one has exactly one result in the end.
    @Test(.timeLimit(.minutes(10)), arguments: Implementation.allCases)
    func everyShardIsDoneExactlyOnce(_ implementation: Implementation) async throws {
        try await withQueue(implementation, poolSize: 8) { test in
            let shards = 120
            for run in 0..<2 {
                try await test.queue.submit(
                    submission(
                        "0000000\(run)", project: "p\(run)",
                        (0..<3).map { job($0, shards: shards / 6, maxAttempts: 100) }))
            }
            let ledger = ClaimLedger()
            try await withThrowingTaskGroup { group in
                for number in 0..<8 {
                    group.addTask { try await work(test, seed: UInt64(number), ledger) }
                }
                try await group.waitForAll()
            }
            #expect(ledger.mistakes == [])
            var done: Set<ShardKey> = []
            for run in try await test.queue.runs(limit: 9, project: nil) {
                #expect(run.state == .done)
                for job in try await test.queue.jobs(of: run.id) {
                    let results = try await test.queue.results(of: job.id)
                    #expect(results.count == shards / 6)
                    done.formUnion(results.map(\.key))
                    #expect(job.progress.samplesDone == job.progress.samples)
                }
            }
            #expect(done == ledger.committed)
            #expect(done.count == shards)
        }
    }
}

/// One worker's life, with chance in what it does to its shards.
private func work(_ test: TestQueue, seed: UInt64, _ ledger: ClaimLedger) async throws {
    var random = SplitMix(seed: seed)
    var lease = try await test.queue.register(worker(), ttl: .seconds(86_400))
    while try await test.queue.openShardCount(run: nil) > 0 {
        #expect(try await test.queue.heartbeat(lease, holding: []) == HeartbeatReply(ttl: .seconds(86_400)))
        let claimed = try await test.queue.claim(lease, limit: Int.random(in: 1...4, using: &random))
        if claimed.isEmpty {
            // What others hold or gave up for a while: the backoff passes at once.
            try await test.advance(600)
            try await test.queue.reap()
        }
        for shard in claimed {
            ledger.hold(shard)
        }
        shards: for shard in claimed {
            ledger.drop(shard)
            switch Int.random(in: 0..<10, using: &random) {
            case 0:
                let outcome = try await test.queue.fail(shard, failure())
                #expect(outcome.wait != nil || outcome == .failed)
            case 1:
                #expect(try await test.queue.release([shard]) == [shard.key])
            case 2:
                // Dies for the others, and comes back as a zombie: either may be first.
                let late = claimed.filter { $0.index >= shard.index }
                late.forEach(ledger.drop)
                try await test.queue.deregister(lease)
                lease = try await test.queue.register(worker(), ttl: .seconds(86_400))
                try await commitLate(late, test, ledger)
                break shards
            default:
                #expect(try await test.queue.commit(shard, publication(of: shard)) == .committed)
                #expect(try await test.queue.commit(shard, publication(of: shard)) == .already)
                ledger.commit(shard)
            }
        }
    }
}

/// Commits what the queue has taken back already.
private func commitLate(_ shards: [ClaimedShard], _ test: TestQueue, _ ledger: ClaimLedger) async throws {
    for shard in shards {
        let outcome = try await test.queue.commit(shard, publication(of: shard))
        #expect(outcome != .already)
        if outcome == .committed { ledger.commit(shard) }
    }
}

/// What the workers believe that they hold, in one place.
private final class ClaimLedger: Sendable {
    private struct State {
        var held: Set<ShardKey> = []
        var fences: Set<String> = []
        var committed: Set<ShardKey> = []
        var mistakes: [String] = []
    }

    private let state = Mutex(State())

    /// Claims of what somebody holds or has done, and second commits.
    var mistakes: [String] { state.withLock { $0.mistakes } }
    var committed: Set<ShardKey> { state.withLock { $0.committed } }

    func hold(_ shard: ClaimedShard) {
        state.withLock { state in
            let isFree = state.held.insert(shard.key).inserted && !state.committed.contains(shard.key)
            let isNew = state.fences.insert("\(shard.key) \(shard.epoch)").inserted
            if !isFree || !isNew { state.mistakes.append("claim of \(shard.key) epoch \(shard.epoch)") }
        }
    }

    func drop(_ shard: ClaimedShard) {
        state.withLock { _ = $0.held.remove(shard.key) }
    }

    func commit(_ shard: ClaimedShard) {
        state.withLock { state in
            if !state.committed.insert(shard.key).inserted { state.mistakes.append("second commit of \(shard.key)") }
        }
    }
}
