import FaultTesting
import JobQueue
import Testing

@Suite struct StarvationTests {
    /// Whatever the weights, the shards' lengths and the models are: a project that wants to run gets its share, less
    /// what is bounded by the queue's own rules, so that one with a low weight still moves.
    @Test(.timeLimit(.minutes(10)), arguments: Implementation.withSetClock, [1, 2] as [UInt64])
    func everyProjectGetsItsShare(_ implementation: Implementation, seed: UInt64) async throws {
        try await withQueue(implementation) { test in
            var contest = Contest(queue: test.queue, random: SplitMix(seed: seed))
            try await contest.run()
            let total = contest.used.values.reduce(0, +)
            let weights = contest.weights.values.reduce(0, +)
            for (project, weight) in contest.weights {
                let ideal = weight * total / weights
                let used = contest.used[project] ?? 0
                #expect(
                    used >= ideal - weight * contest.slack, "\(project) got \(used) of \(ideal) s, seed \(seed)")
                // The bound itself must not be void.
                #expect(ideal - weight * contest.slack > ideal / 2)
            }
        }
    }

    /// A thousandth of the weight, and others who always want more: it is not last for ever.
    @Test(arguments: Implementation.withSetClock)
    func aProjectOfAThousandthOfTheWeightStillMoves(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission("00000001", project: "large", [job(shards: 400)]))
            try await queue.submit(submission("00000002", project: "small", [job(shards: 5)]))
            _ = try await queue.changeProject("small", ProjectChange(weight: 0.001))
            let lease = try await queue.register(worker(), ttl: .seconds(86_400))
            var gaps = [0]
            for _ in 0..<100 {
                let shard = try #require(try await queue.claim(lease, limit: 1).first)
                let isSmall = shard.run.text == "00000002"
                _ = try await queue.commit(shard, publication(of: shard, seconds: isSmall ? 1 : 100))
                try await queue.reapUntilCharged(to: isSmall ? "small" : "large")
                if isSmall { gaps.append(0) } else { gaps[gaps.count - 1] += 1 }
            }
            // A second of the small one weighs a thousand: ten shards of the large one.
            #expect(gaps.count >= 5, "\(gaps)")
            #expect(gaps.allSatisfy { $0 <= 80 }, "\(gaps)")
        }
    }
}

/// Projects that always want more, and workers that take and finish shards in simulated time.
private struct Contest {
    let queue: any JobQueue
    var random: SplitMix
    var weights: [String: Double] = [:]
    var used: [String: Double] = [:]

    static let workers = 2
    static let longest = 600.0
    /// What the queue counts for a running shard, and for a model that is loaded.
    static let horizon = 600.0
    static let bonus = 600.0

    /// Time over weight that a project may be behind: running shards count in advance, and end later than others.
    var slack: Double {
        let least = self.weights.values.min() ?? 1
        return Double(Self.workers) * (Self.longest + Self.horizon) / least + Self.bonus
    }

    mutating func run() async throws {
        var projects: [RunID: String] = [:]
        for number in 0..<Int.random(in: 2...4, using: &self.random) {
            let project = "project-\(number)"
            let id = "0000000\(number)"
            self.weights[project] = Double(Int.random(in: 1...4, using: &self.random))
            projects[try RunID(id)] = project
            try await self.queue.submit(
                submission(
                    id, project: project,
                    (0..<2).map { job($0, shards: 1000, model: [hexadecimalA, hexadecimalB][$0]) }))
            _ = try await self.queue.changeProject(project, ProjectChange(weight: self.weights[project]))
        }
        var hands: [(lease: WorkerLease, shard: ClaimedShard, end: Double)] = []
        for _ in 0..<Self.workers {
            let lease = try await self.queue.register(worker(), ttl: .seconds(86_400))
            hands.append(try await self.claim(lease, at: 0))
        }
        let enough = 4 * self.slack * self.weights.values.reduce(0, +)
        var begun: [ShardKey: Double] = Dictionary(uniqueKeysWithValues: hands.map { ($0.shard.key, 0) })
        while self.used.values.reduce(0, +) < enough {
            let next = try #require(hands.indices.min { hands[$0].end < hands[$1].end })
            let hand = hands[next]
            let seconds = hand.end - (begun[hand.shard.key] ?? 0)
            #expect(
                try await self.queue.commit(hand.shard, publication(of: hand.shard, seconds: seconds)) == .committed)
            let project = try #require(projects[hand.shard.run])
            self.used[project, default: 0] += seconds
            try await self.queue.reapUntilCharged(to: project)
            hands[next] = try await self.claim(hand.lease, at: hand.end)
            #expect(begun.updateValue(hand.end, forKey: hands[next].shard.key) == nil, "claimed twice")
        }
    }

    private mutating func claim(
        _ lease: WorkerLease, at time: Double
    ) async throws -> (WorkerLease, ClaimedShard, Double) {
        let shard = try #require(try await self.queue.claim(lease, limit: 1).first)
        return (lease, shard, time + Double(Int.random(in: 1...Int(Self.longest), using: &self.random)))
    }
}
