import JobQueue
import Synchronization

/// What many clients asked of one queue and what they were answered, by shard, in one order of beginnings and ends.
final class HistoryRecorder: Sendable {
    struct Job: Sendable {
        var id: JobID
        var shards: Int
        var maxAttempts: Int

        var keys: [ShardKey] { (0..<shards).map { ShardKey(job: id, index: $0) } }
    }

    /// A call that has ended, with or without an answer.
    struct Span: Sendable {
        var start: Int
        var end: Int
        var isAnswered: Bool
    }

    /// A result that was said to be committed.
    struct Accepted: Sendable, Hashable {
        var key: ShardKey
        var epoch: Epoch
        var incarnation: Incarnation
    }

    private struct State {
        var time = 0
        var calls: [ShardKey: [ShardCall]] = [:]
        var jobs: [JobID: Job] = [:]
        var lives: [Incarnation: Int] = [:]
        var lastSigns: [Int: Int] = [:]
        var unansweredClaims: [(life: Int, span: Span)] = []
        var crashes: [Span] = []
        var accepted: Set<Accepted> = []
        var faults: [String: Int] = [:]
        var asked = 0
        var unanswered: [Span] = []
    }
    private let state = Mutex(State())

    // MARK: Writing

    func tick() -> Int {
        state.withLock { state in
            state.time += 1
            return state.time
        }
    }

    /// The number of a worker's life, by which histories name it.
    func life(_ incarnation: Incarnation) -> Int {
        state.withLock { state in
            if let known = state.lives[incarnation] { return known }
            state.lives[incarnation] = state.lives.count + 1
            return state.lives.count
        }
    }

    func add(_ jobs: [Job]) { state.withLock { state in for job in jobs { state.jobs[job.id] = job } } }

    func note(_ span: Span, _ incarnation: Incarnation?, _ calls: [(ShardKey, ShardCall.Operation)]) {
        let life = incarnation.map(life)
        state.withLock { state in
            for (key, operation) in calls {
                state.calls[key, default: []].append(
                    ShardCall(
                        worker: life, operation: operation, start: span.start, end: span.isAnswered ? span.end : nil,
                        // Of a call without an answer, when the caller gave up; see `history(of:)`.
                        deadline: span.end))
            }
        }
    }

    func noteCall(_ span: Span) {
        state.withLock { state in
            state.asked += 1
            if !span.isAnswered { state.unanswered.append(span) }
        }
    }

    /// An answer that only a worker with a lease gets.
    func noteSign(of incarnation: Incarnation, _ span: Span) {
        let life = life(incarnation)
        state.withLock { $0.lastSigns[life] = max($0.lastSigns[life, default: 0], span.start) }
    }

    func noteUnansweredClaim(of incarnation: Incarnation, _ span: Span) {
        let life = life(incarnation)
        state.withLock { $0.unansweredClaims.append((life, span)) }
    }

    func noteCrash(_ span: Span) { state.withLock { $0.crashes.append(span) } }
    func note(accepted: Accepted) { state.withLock { _ = $0.accepted.insert(accepted) } }
    func note(fault: String) { state.withLock { $0.faults[fault, default: 0] += 1 } }

    // MARK: Reading

    var jobs: [Job] { state.withLock { $0.jobs.values.sorted { $0.id < $1.id } } }
    var accepted: Set<Accepted> { state.withLock { $0.accepted } }
    var faults: [String: Int] {
        state.withLock { state in
            var faults = state.faults
            // Only crashes that cost somebody an answer.
            let hits = state.crashes.count { crash in
                state.unanswered.contains { $0.start < crash.end && $0.end > crash.start }
            }
            if hits > 0 { faults["crash of the server during calls"] = hits }
            return faults
        }
    }
    var summary: String {
        state.withLock { state in
            "\(state.asked) calls of \(state.lives.count) workers' lives and of people, \(state.unanswered.count) without an answer, "
                + "on \(state.jobs.values.reduce(0) { $0 + $1.shards }) shards; \(state.crashes.count) crashes of the server"
        }
    }

    /// All that concerns one shard.
    ///
    /// - Parameter log: What the database says at the end: the epochs of the shard's claims and whose they were.
    func history(of key: ShardKey, log: [(epoch: Int, incarnation: Incarnation?)]) -> ShardHistory {
        state.withLock { state in
            // What was sent before a crash is done by its end, or never.
            func deadline(_ end: Int) -> Int { state.crashes.filter { $0.start > end }.map(\.end).min() ?? .max }
            var calls = state.calls[key] ?? []
            for index in calls.indices {
                calls[index].deadline = calls[index].end == nil ? deadline(calls[index].deadline) : .max
            }
            calls += state.crashes.map { ShardCall(worker: nil, operation: .crash, start: $0.start, end: $0.end) }
            var history = ShardHistory(calls: calls, maxAttempts: state.jobs[key.job]?.maxAttempts ?? 3)
            history.lastSigns = state.lastSigns
            history.unansweredClaims = state.unansweredClaims.map {
                ShardHistory.Window(start: $0.span.start, deadline: deadline($0.span.end))
            }.sorted { $0.start < $1.start }
            let unanswered = Set(state.unansweredClaims.map(\.life))
            history.ghostEpochs = Set(
                log.filter { entry in
                    entry.incarnation.flatMap { state.lives[$0] }.map { unanswered.contains($0) } ?? true
                }.map(\.epoch))
            history.lastCrash = state.crashes.map(\.start).max() ?? -1
            return history
        }
    }
}
