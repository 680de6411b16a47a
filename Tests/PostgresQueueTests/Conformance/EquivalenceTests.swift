import FaultTesting
import Testing

@testable import JobQueue
@testable import MemoryQueue

/// The same script on both implementations, step by step, with the same answers.
@Suite struct EquivalenceTests {
    @Test(.timeLimit(.minutes(10)), arguments: 1...8)
    func bothAnswerTheSame(seed: Int) async throws {
        try await withQueue(.memory, jitter: TestQueue.fixedWait / Backoff.limit(failures: 0)) { memory in
            try await withQueue(.postgres) { database in
                var script = Script(random: SplitMix(seed: UInt64(seed)))
                var left = Player(test: memory)
                var right = Player(test: database)
                for step in 0..<250 {
                    let operation = script.next()
                    let expected = try await left.perform(operation)
                    let actual = try await right.perform(operation)
                    try #require(actual == expected, "step \(step) of seed \(seed): \(operation)")
                }
                try #require(try await right.summary() == left.summary(), "the end of seed \(seed)")
            }
        }
    }
}

/// One step; indices are taken modulo what there is.
private enum Operation {
    case submit(run: Int, jobs: Int, shards: Int, isOther: Bool)
    case register(ttl: Int, engine: Int)
    case claim(worker: Int, limit: Int)
    case commit(claim: Int)
    case fail(claim: Int, isPermanent: Bool)
    case release(claims: [Int])
    case heartbeat(worker: Int, forgetting: Bool, samples: Int)
    case deregister(worker: Int)
    case reap
    case advance(Int)
    case cancel(run: Int, job: Int?)
    case hold(run: Int, job: Int?)
    case unhold(run: Int, job: Int?)
    case retry(run: Int, job: Int?, onlyFailed: Bool)
    case prioritize(run: Int, job: Int?, tier: Int)
    case cap(soft: Int?, hard: Int?)
    case claimAbove(worker: Int, tier: Int)
    case drain(worker: Int)
    case mix(run: Int, job: Int?)
    case withdraw(claim: Int)
    case look(run: Int)
}

private struct Script {
    var random: SplitMix

    mutating func next() -> Operation {
        let index = Int.random(in: 0..<1000, using: &random)
        let other = Int.random(in: 0..<1000, using: &random)
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<7: return .submit(run: index % 10, jobs: 1 + other % 3, shards: 1 + other % 4, isOther: other % 9 == 0)
        // Leases and steps of time are far from each other, as a database's clock does not stand still meanwhile.
        case 7..<12: return .register(ttl: [79, 119][index % 2], engine: other % 4)
        case 12..<36: return .claim(worker: index, limit: 1 + other % 4)
        case 36..<39: return .claimAbove(worker: index, tier: other % 3)
        case 39..<55: return .commit(claim: index)
        case 55..<63: return .fail(claim: index, isPermanent: other % 5 == 0)
        case 63..<67: return .release(claims: [index, other])
        case 67..<74: return .heartbeat(worker: index, forgetting: other % 3 == 0, samples: other % 12)
        case 74..<76: return .deregister(worker: index)
        case 76..<81: return .reap
        case 81..<86: return .advance([700, 40, 80][index % 3])
        case 86: return .cancel(run: index % 10, job: other % 3 == 0 ? nil : other % 3)
        case 87..<89: return .hold(run: index % 10, job: other % 3 == 0 ? nil : other % 3)
        case 89..<91: return .unhold(run: index % 10, job: other % 3 == 0 ? nil : other % 3)
        case 91..<93: return .retry(run: index % 10, job: other % 4 == 0 ? 1 : nil, onlyFailed: other % 2 == 0)
        case 93: return .prioritize(run: index % 10, job: other % 3 == 0 ? 0 : nil, tier: other % 4)
        case 94: return .cap(soft: index % 2 == 0 ? index % 3 : nil, hard: other % 2 == 0 ? 1 + other % 5 : nil)
        case 95: return other % 2 == 0 ? .drain(worker: index) : .mix(run: index % 10, job: other % 3 == 0 ? nil : 0)
        case 96: return .withdraw(claim: index)
        default: return .look(run: index % 10)
        }
    }
}

/// Performs a script on one queue; answers are texts without times, incarnations and numbers of the database's own.
private struct Player {
    let test: TestQueue
    var leases: [WorkerLease] = []
    var claims: [ClaimedShard] = []

    init(test: TestQueue) {
        self.test = test
    }

    mutating func perform(_ operation: Operation) async throws -> String {
        do {
            let answer = try await answer(operation)
            switch operation {
            case .submit, .cancel, .unhold, .retry, .withdraw:
                // The ledger looks at all gates then, the database at those that it knows to be due.
                try await test.queue.run(.tallies, isForced: true)
                try await test.queue.run(.gates, isForced: true)
            default: break
            }
            return answer
        } catch let error as QueueError {
            return "error \(error.code)"
        }
    }

    private mutating func answer(_ operation: Operation) async throws -> String {
        let queue = test.queue
        switch operation {
        case .submit(let run, let jobs, let shards, let isOther):
            let record = try await queue.submit(
                submission(
                    "0000000\(run)",
                    (0..<(isOther ? 1 : jobs)).map { number in
                        job(
                            number, shards: shards, model: number == 1 ? hexadecimalB : hexadecimalA, maxAttempts: 2,
                            maxFailures: number == 2 ? 1 : nil,
                            after: number == 1 && shards % 2 == 0
                                ? [JobDependency(.sibling(0), shards == 2 ? .ok : .any)] : [],
                            mixed: number == 0 && run % 4 == 0 ? true : nil)
                    }))
            return "\(record.state) \(record.progress)"
        case .register(let ttl, let engine):
            // Most have one engine, some another, and some do not say.
            let identity = ["{}", "{}", #"{"build":"2"}"#, nil][engine]
            leases.append(try await queue.register(worker(identity: identity), ttl: .seconds(ttl)))
            return "registered"
        case .claim(let worker, let limit):
            guard let lease = leases.at(worker) else { return "none" }
            let claimed = try await queue.claim(lease, limit: limit)
            claims += claimed
            return claimed.map { "\($0.key) \($0.epoch) \($0.attempt) \($0.range)" }.joined(separator: "; ")
        case .commit(let claim):
            guard let claim = claims.at(claim) else { return "none" }
            return try await queue.commit(claim, publication(of: claim)).rawValue
        case .fail(let claim, let isPermanent):
            guard let claim = claims.at(claim) else { return "none" }
            let outcome = try await queue.fail(claim, failure(isPermanent: isPermanent))
            guard outcome.wait != nil else { return "\(outcome)" }
            // The two drew different waits.
            try await test.fixWait(claim.key)
            return "retry"
        case .release(let indices):
            return "\(try await queue.release(indices.compactMap { claims.at($0) }.unique))"
        case .heartbeat(let worker, let forgetting, let samples):
            guard let lease = leases.at(worker) else { return "none" }
            let own = claims.filter { $0.incarnation == lease.incarnation }
            let known = own.dropFirst(forgetting ? 1 : 0).map { $0.progress(samples: samples, tokens: samples * 7) }
            return "\(try await queue.heartbeat(lease, holding: known))"
        case .deregister(let worker):
            guard let lease = leases.at(worker) else { return "none" }
            try await queue.deregister(lease)
            return "left"
        case .reap:
            return "\(try await queue.reap())"
        case .advance(let seconds):
            try await test.advance(Double(seconds))
            return "later"
        case .cancel(let run, let job):
            return "\(try await queue.cancel(work(run, job)))"
        case .hold(let run, let job):
            return "\(try await queue.hold(work(run, job), reason: "a person"))"
        case .unhold(let run, let job):
            return "\(try await queue.release(work(run, job)))"
        case .retry(let run, let job, let onlyFailed):
            return "\(try await queue.retry(work(run, job), onlyFailed: onlyFailed))"
        case .prioritize(let run, let job, let tier):
            let priority = try #require(Priority(rawValue: tier))
            return "\(try await queue.setPriority(priority, of: work(run, job)))"
        case .cap(let soft, let hard):
            let change = ProjectChange(
                softCap: soft.map { .set($0) } ?? .remove, hardCap: hard.map { .set($0) } ?? .remove)
            let project = try await queue.changeProject("default", change)
            return "\(project.softCap ?? -1) \(project.hardCap ?? -1) \(project.running) \(project.ready)"
        case .claimAbove(let worker, let tier):
            guard let lease = leases.at(worker) else { return "none" }
            let claimed = try await queue.claim(lease, ClaimRequest(above: Priority(rawValue: tier)))
            claims += claimed
            return claimed.map { "\($0.key) \($0.epoch) \($0.priority)" }.joined(separator: "; ")
        case .drain(let worker):
            guard let lease = leases.at(worker) else { return "none" }
            try await queue.drain(lease.worker)
            return "draining"
        case .mix(let run, let job):
            return "\(try await queue.mixEngines(of: work(run, job)))"
        case .withdraw(let claim):
            guard let claim = claims.at(claim) else { return "none" }
            guard let result = try await queue.results(of: claim.job).first(where: { $0.key == claim.key }) else {
                return "no result"
            }
            let item = ResultWithdrawal(result, reason: "lost")
            return "\(try await queue.withdraw([item], of: claim.job, user: "ada", again: true))"
        case .look(let run):
            let id = try RunID("0000000\(run)")
            let jobs = try await queue.jobs(of: id)
            let facts = try await queue.facts(of: .run(id))
            let troubles = try await queue.troubles(of: id, limit: 1000)
            return jobs.map { "\($0.id) \($0.state) \($0.gate) \($0.reason ?? "-") \($0.progress) \($0.isMixed)" }
                .joined()
                + " \(try await queue.openShardCount(run: nil)) \(facts.map(\.comparable))"
                + " \(troubles.map { "\($0.key) \($0.epoch) \($0.outcome)" }.sorted())"
        }
    }

    /// A run or a job as one would name it that knows the numbers.
    private func work(_ run: Int, _ job: Int?) async throws -> WorkTarget {
        let id = try RunID("0000000\(run)")
        guard let job else { return .run(id) }
        return .job(try await test.queue.job(matching: "\(id).\(job)").id)
    }

    /// Everything that both must agree on in the end.
    func summary() async throws -> [String] {
        var lines: [String] = []
        for run in try await test.queue.runs(limit: 100, project: nil).sorted(by: { $0.id < $1.id }) {
            lines.append("\(run.id) \(run.state) \(run.progress)")
            for job in try await test.queue.jobs(of: run.id) {
                lines += try await test.queue.shards(of: job.id).map {
                    "\($0.key) \($0.state) \($0.epoch) \($0.failures) \($0.losses) \($0.reason ?? "-")"
                }
                lines += try await test.queue.attempts(of: job.id).map {
                    "\($0.key) \($0.epoch) \($0.outcome) \($0.error ?? "-") \($0.seconds ?? -1)"
                }
                lines += try await test.queue.results(of: job.id).map {
                    "\($0.key) \($0.epoch) \($0.publication.digest)"
                }
            }
        }
        lines += try await test.queue.workers().map { "\($0.id) \($0.state) \($0.isDraining) \($0.holding)" }
        return lines
    }
}

extension Array {
    /// One of the last few.
    fileprivate func at(_ index: Int) -> Element? {
        isEmpty ? nil : self[count - 1 - index % Swift.min(count, 7)]
    }
}

extension JobFacts {
    /// Without times, and without the pace, which the database learns later.
    fileprivate var comparable: String {
        "\(job.id) \(failure ?? "-") \(holdReason ?? "-") \(engine ?? "-") \(otherEngine ?? "-") \(workers) \(readyInHigherTiers) \(readyInOlderJobs) "
            + "\(readyInOtherProjects) \(nextAttemptAt != nil)"
    }
}

extension [ClaimedShard] {
    fileprivate var unique: [ClaimedShard] {
        reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}
