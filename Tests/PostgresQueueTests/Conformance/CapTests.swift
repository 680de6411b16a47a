import JobQueue
import Testing

/// What decides who may have work: caps, requirements, and being asked for something better only.
@Suite struct CapTests {
    @Test(arguments: Implementation.allCases)
    func aHardCapIsNeverExceededAndFreesPlacesAgain(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission(project: "p", [job(0, shards: 5), job(1, shards: 5)]))
            try await queue.changeProject("p", ProjectChange(hardCap: .set(3)))
            let lease = try await queue.register(worker())
            let claimed = try await queue.claim(lease, limit: 9)
            #expect(claimed.count == 3)
            #expect(try await queue.claim(lease, limit: 9).isEmpty)
            #expect(try await queue.commit(claimed[0], publication(of: claimed[0])) == .committed)
            #expect(try await queue.claim(lease, limit: 9).count == 1)
            try await queue.changeProject("p", ProjectChange(hardCap: .remove))
            #expect(try await queue.claim(lease, limit: 9).count == 1)
            #expect(try await queue.claim(lease, limit: 9).count == 5)
        }
    }

    /// Claims at the same moment can't share the last place.
    @Test func aHardCapHoldsAgainstManyClaimersAtOnce() async throws {
        try await withQueue(.postgres, poolSize: 8) { test in
            let queue = test.queue
            try await queue.submit(submission(project: "p", [job(shards: 60)]))
            try await queue.changeProject("p", ProjectChange(hardCap: .set(5)))
            let claimed = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        let lease = try await queue.register(worker())
                        var count = 0
                        for _ in 0..<4 { count += try await queue.claim(lease, limit: 1).count }
                        return count
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(claimed == 5)
            #expect(try await queue.projects().map(\.running) == [5])
        }
    }

    @Test(arguments: Implementation.allCases)
    func aboveItsSoftCapAProjectGetsWhatNobodyElseWants(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission("00000001", project: "big", priority: .urgent, [job(shards: 4)]))
            try await queue.submit(submission("00000002", project: "small", [job(shards: 1)]))
            try await queue.changeProject("big", ProjectChange(softCap: .set(2)))
            let lease = try await queue.register(worker())
            var order: [String] = []
            while let shard = try await queue.claim(lease, limit: 1).first { order.append(shard.run.text) }
            #expect(order == ["00000001", "00000001", "00000002", "00000001", "00000001"])
        }
    }

    @Test(arguments: Implementation.allCases)
    func aWeightIsAShare(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission("00000001", project: "light", [job(shards: 40)]))
            try await queue.submit(submission("00000002", project: "heavy", [job(shards: 40, model: hexadecimalB)]))
            try await queue.changeProject("heavy", ProjectChange(weight: 3))
            var counts: [String: Int] = [:]
            // Workers without a warm model each: affinity has no part in it.
            for _ in 0..<24 {
                let lease = try await queue.register(worker())
                let shard = try #require(try await queue.claim(lease, limit: 1).first)
                counts[shard.run.text, default: 0] += 1
            }
            #expect(counts == ["00000001": 6, "00000002": 18])
        }
    }

    @Test(arguments: Implementation.allCases)
    func aJobGetsTheKindOfDeviceThatItNeeds(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission([job(shards: 1, needDevice: "cuda")]))
            let processor = try await queue.register(worker())
            let card = try await queue.register(worker(deviceKind: "cuda"))
            #expect(try await queue.claim(processor, limit: 1).isEmpty)
            #expect(try await queue.claim(card, limit: 1).count == 1)
            #expect(try await queue.workers().map(\.deviceKind) == ["cuda", "cpu"])
        }
    }

    @Test(arguments: Implementation.allCases)
    func aWorkerCanAskForHigherTiersOnly(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission("00000001", [job(shards: 2)]))
            let lease = try await queue.register(worker())
            let ahead = try #require(try await queue.claim(lease, limit: 1).first)
            let better = ClaimRequest(above: ahead.priority)
            #expect(try await queue.claim(lease, better).isEmpty)
            try await queue.submit(submission("00000002", priority: .high, [job(shards: 1)]))
            #expect(try await queue.claim(lease, better).map(\.run.text) == ["00000002"])
            #expect(try await queue.claim(lease, better).isEmpty)
        }
    }

    @Test(arguments: Implementation.allCases)
    func manyResultsAreCommittedAtOnceEachByItsOwnFence(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission([job(shards: 4)]))
            let lease = try await queue.register(worker())
            let claimed = try await queue.claim(lease, limit: 4)
            // One is another worker's by now, one is committed already.
            try await queue.release([claimed[1]])
            let rival = try await queue.register(worker())
            #expect(try await queue.claim(rival, limit: 1).map(\.index) == [1])
            #expect(try await queue.commit(claimed[3], publication(of: claimed[3])) == .committed)
            let all = claimed.map { ShardCommit($0, publication(of: $0)) }
            #expect(try await queue.commit(all) == [.committed, .fenced, .committed, .already])
            #expect(try await queue.commit([]) == [])
            #expect(try await queue.results(of: claimed[0].job).map(\.key.index) == [0, 2, 3])
        }
    }
}
