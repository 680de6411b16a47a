import FaultTesting
import JobQueue
import Postgres
import PostgresQueue
import PostgresTesting
import Testing
import UVEventLoop

/// Somebody with a connection of their own, which breaks now and then, whose calls are written down.
struct HistoryCaller: Sendable {
    enum Answer<Value: Sendable>: Sendable {
        case given(Value, HistoryRecorder.Span)
        case refused(QueueError)
        /// The call may have happened, or may still happen.
        case unknown(HistoryRecorder.Span)
    }

    let recorder: HistoryRecorder
    let queue: PostgresJobQueue
    private let pool: PostgresPool
    /// Nil for somebody with a good connection.
    private let proxy: StallingProxy?

    /// A connection through a proxy that breaks on order.
    init(_ name: String, _ bench: FaultBench, _ recorder: HistoryRecorder) async throws {
        let server = bench.pool.configuration.connectionString
        let proxy = try await StallingProxy(
            before: PostgresConfiguration("\(server) application_name='\(name)'"), on: bench.loop)
        var configuration = proxy.configuration
        configuration.statementTimeout = .seconds(2)
        self.recorder = recorder
        self.pool = PostgresPool(configuration, on: bench.loop, size: 1)
        self.queue = PostgresJobQueue(pool)
        self.proxy = proxy
    }

    /// A connection that nothing disturbs but crashes.
    init(undisturbed bench: FaultBench, _ recorder: HistoryRecorder) {
        self.recorder = recorder
        self.pool = PostgresPool(bench.pool.configuration, on: bench.loop, size: 2)
        self.queue = PostgresJobQueue(pool)
        self.proxy = nil
    }

    func close() async {
        await pool.shutDown()
        await proxy?.close()
    }

    /// - Parameter place: Where the connection is to break; nil for nowhere.
    func ask<Value: Sendable>(
        breaking place: StallingProxy.Break? = nil, _ call: (PostgresJobQueue) async throws -> Value
    ) async throws -> Answer<Value> {
        await proxy?.breakNext(place)
        let start = recorder.tick()
        do {
            let value = try await call(queue)
            let span = HistoryRecorder.Span(start: start, end: recorder.tick(), isAnswered: true)
            recorder.noteCall(span)
            return .given(value, span)
        } catch let error as QueueError {
            let span = HistoryRecorder.Span(start: start, end: recorder.tick(), isAnswered: !error.isTransient)
            recorder.noteCall(span)
            guard error.isTransient else { return .refused(error) }
            if let place, await proxy?.disarm() == true {
                recorder.note(fault: Self.names[place] ?? place.rawValue)
            } else if let fault = Self.fault(error.underlying as? PostgresError) {
                recorder.note(fault: fault)
            }
            return .unknown(span)
        }
    }

    private static let names: [StallingProxy.Break: String] = [
        .question: "connection cut before a call arrived", .tornQuestion: "connection cut in the middle of a call",
        .answer: "connection cut before the answer came",
    ]

    /// What the server says that befell the call; nil for what is counted elsewhere.
    private static func fault(_ error: PostgresError?) -> String? {
        switch error?.sqlState {
        case "57014":
            error?.message.contains("statement timeout") == true
                ? "call timed out in the server" : "call cancelled in the server"
        case "57P01": "call's session ended by the server"
        default: nil
        }
    }
}

/// A worker as the queue sees it: claims, renews its lease, commits, fails, falls silent, comes back, vanishes.
struct HistoryWorker {
    static let ttl = Duration.seconds(3)

    let caller: HistoryCaller
    let loop: EventLoop
    var random: SplitMix
    private var lease: WorkerLease?
    private var held: [ClaimedShard] = []
    /// Fetched ahead and not begun.
    private var fetched: Set<ShardKey> = []
    /// All shards that this life has had.
    private var known: Set<ShardKey> = []
    /// Claims that are over, as far as the worker knows.
    private var old: [ClaimedShard] = []

    private var recorder: HistoryRecorder { caller.recorder }

    init(_ caller: HistoryCaller, on loop: EventLoop, random: SplitMix) {
        self.caller = caller
        self.loop = loop
        self.random = random
    }

    /// What a shard's result is, no matter which worker computes it.
    static func digest(_ key: ShardKey) -> String { "digest of \(key.job.name)/\(key.index)" }

    static func publication(_ claimed: ClaimedShard) -> ShardPublication {
        let digits = "\(claimed.incarnation)".filter { $0 != "-" } + String(claimed.epoch.rawValue, radix: 16)
        return ShardPublication(
            path: "runs/\(claimed.run)/\(claimed.jobName)/"
                + "\(claimed.jobName).shard-\(claimed.index).e\(claimed.epoch).\(claimed.incarnation).h5",
            bytes: 1000, sha256: digits + String(repeating: "0", count: max(0, 64 - digits.count)),
            digest: digest(claimed.key), samples: claimed.rowCount, tokens: 10, seconds: 0.01)
    }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    private mutating func breaking() -> StallingProxy.Break? {
        chance(8) ? StallingProxy.Break.allCases.randomElement(using: &random) : nil
    }

    mutating func run(until isOver: () -> Bool) async throws {
        while !isOver() {
            try await loop.sleep(for: .milliseconds(Int.random(in: 0...30, using: &random)))
            try await step(isOver)
        }
    }

    /// Ends the present life, so that nobody has to wait for its lease to run out.
    mutating func leave() async throws {
        guard let lease else { return }
        switch try await caller.ask({ try await $0.deregister(lease) }) {
        case .given(_, let span): note(span, known.map { ($0, .leave) })
        case .refused(let error): Issue.record("leaving was refused: \(error)")
        case .unknown(let span): note(span, known.map { ($0, .leave) })
        }
        self.lease = nil
        drop(held)
        known = []
    }

    private func note(_ span: HistoryRecorder.Span, _ calls: [(ShardKey, ShardCall.Operation)]) {
        recorder.note(span, lease?.incarnation, calls)
    }

    private mutating func drop(_ claimed: [ClaimedShard]) {
        for claim in claimed {
            held.removeAll { $0 == claim }
            fetched.remove(claim.key)
            old.append(claim)
        }
        old = old.suffix(8)
    }

    /// Somebody has declared this worker dead: it begins a new life.
    private mutating func lose(_ error: QueueError) {
        if error.code != .leaseLost { Issue.record("a call was refused: \(error)") }
        lease = nil
        drop(held)
        known = []
    }

    private mutating func step(_ isOver: () -> Bool) async throws {
        guard lease != nil else { return try await register() }
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<22 where held.count < 4: try await claim()
        case 22..<30: try await begin()
        case 30..<48: try await heartbeat()
        case 48..<76:
            let some = held.shuffled(using: &random)
            try await commit(Array(some.prefix(Int.random(in: 1...2, using: &random))))
        case 76..<83: try await fail()
        case 83..<88: try await release()
        case 88..<91: try await ask(ifSuperseded: held + old)
        case 91..<95: try await commitOld()
        case 95: try await leave()
        case 96..<98: try await beSilent(isOver)
        case 98: vanish()
        default: break
        }
    }

    private mutating func register() async throws {
        let description = WorkerDescription(host: "history", pid: 1, device: "cpu", engine: "history 1")
        if case .given(let lease, _) = try await caller.ask(
            breaking: breaking(), { try await $0.register(description, ttl: Self.ttl) })
        {
            self.lease = lease
        }
    }

    private mutating func claim() async throws {
        guard let lease else { return }
        var request = ClaimRequest(limit: Int.random(in: 1...3, using: &random), isPrefetch: chance(30))
        if chance(10), let job = recorder.jobs.randomElement(using: &random) { request.excluding = [job.id] }
        switch try await caller.ask(breaking: breaking(), { [request] in try await $0.claim(lease, request) }) {
        case .given(let claimed, let span):
            #expect(!claimed.contains { request.excluding.contains($0.job) }, "a shard of an excluded job")
            recorder.noteSign(of: lease.incarnation, span)
            note(
                span,
                claimed.map {
                    (
                        $0.key,
                        .claim(epoch: $0.epoch.rawValue, attempt: $0.attempt, isPrefetch: request.isPrefetch)
                    )
                })
            for claim in claimed {
                // The answer to an earlier claim of the same shard may have got lost.
                drop(held.filter { $0.key == claim.key })
                held.append(claim)
                known.insert(claim.key)
                if request.isPrefetch { fetched.insert(claim.key) }
            }
        case .refused(let error): lose(error)
        case .unknown(let span): recorder.noteUnansweredClaim(of: lease.incarnation, span)
        }
    }

    private mutating func begin() async throws {
        let due = held.filter { fetched.contains($0.key) }
        guard !due.isEmpty else { return }
        switch try await caller.ask(breaking: breaking(), { try await $0.begin(due) }) {
        case .given(let mine, let span):
            note(span, due.map { ($0.key, .begin(epoch: $0.epoch.rawValue, isMine: mine.contains($0.key))) })
            drop(due.filter { !mine.contains($0.key) })
            fetched.subtract(mine)
        case .refused(let error): lose(error)
        case .unknown(let span): note(span, due.map { ($0.key, .begin(epoch: $0.epoch.rawValue, isMine: nil)) })
        }
    }

    private mutating func heartbeat() async throws {
        guard let lease else { return }
        let progress = held.map { $0.progress(samples: Int.random(in: 0...$0.rowCount, using: &random), tokens: 5) }
        switch try await caller.ask(breaking: breaking(), { try await $0.heartbeat(lease, holding: progress) }) {
        case .given(let reply, let span):
            recorder.noteSign(of: lease.incarnation, span)
            note(
                span,
                held.map { claim in
                    let news: ShardCall.News =
                        reply.lost.contains(claim.key)
                        ? .lost : reply.cancelled.contains(claim.key) ? .cancelled : .kept
                    return (claim.key, .heartbeat(epoch: claim.epoch.rawValue, news))
                })
            note(span, reply.orphaned.map { ($0, .orphaned) })
            drop(held.filter { reply.lost.contains($0.key) })
            let cancelled = held.filter { reply.cancelled.contains($0.key) }
            if !cancelled.isEmpty { try await release(cancelled) }
        case .refused(let error): lose(error)
        case .unknown(let span):
            note(span, known.subtracting(held.map(\.key)).map { ($0, .orphaned) })
            note(span, held.map { ($0.key, .heartbeat(epoch: $0.epoch.rawValue, nil)) })
        }
    }

    private mutating func commit(_ claimed: [ClaimedShard]) async throws {
        guard !claimed.isEmpty else { return }
        let results = claimed.map { ShardCommit($0, Self.publication($0)) }
        switch try await caller.ask(breaking: breaking(), { try await $0.commit(results) }) {
        case .given(let outcomes, let span):
            note(span, claimed, outcomes)
            drop(claimed)
            guard chance(15) else { return }
            // As a network does that delivers a message twice.
            if case .given(let again, let span) = try await caller.ask({ try await $0.commit(results) }) {
                note(span, claimed, again)
                if zip(outcomes, again).contains(where: { $0 == .committed && $1 == .already }) {
                    recorder.note(fault: "commit delivered twice")
                }
            }
        case .refused(let error): lose(error)
        case .unknown(let span):
            note(span, claimed.map { ($0.key, .commit(epoch: $0.epoch.rawValue, digest: Self.digest($0.key), nil)) })
            // Most workers ask again; some have gone away by then.
            if chance(20) { drop(claimed) }
        }
    }

    private func note(_ span: HistoryRecorder.Span, _ claimed: [ClaimedShard], _ outcomes: [CommitOutcome]) {
        for (claim, outcome) in zip(claimed, outcomes) {
            recorder.note(
                span, claim.incarnation,
                [
                    (
                        claim.key,
                        .commit(
                            epoch: claim.epoch.rawValue, digest: Self.digest(claim.key),
                            ShardCall.CommitAnswer(rawValue: outcome.rawValue))
                    )
                ])
            if outcome == .committed {
                recorder.note(
                    accepted: .init(key: claim.key, epoch: claim.epoch, incarnation: claim.incarnation))
            }
        }
    }

    /// A result that comes when the worker should know better.
    private mutating func commitOld() async throws {
        guard let claim = old.randomElement(using: &random) else { return }
        let result = ShardCommit(claim, Self.publication(claim))
        switch try await caller.ask(breaking: breaking(), { try await $0.commit([result]) }) {
        case .given(let outcomes, let span):
            note(span, [claim], outcomes)
            if outcomes == [.fenced] { recorder.note(fault: "commit under a claim that is over") }
        case .refused(let error): Issue.record("a commit was refused: \(error)")
        case .unknown(let span):
            recorder.note(
                span, claim.incarnation,
                [(claim.key, .commit(epoch: claim.epoch.rawValue, digest: Self.digest(claim.key), nil))])
        }
    }

    private mutating func fail() async throws {
        guard let claim = held.randomElement(using: &random) else { return }
        let failure = ShardFailure(message: "no luck", isPermanent: chance(20), seconds: 0.01)
        let (epoch, isPermanent) = (claim.epoch.rawValue, failure.isPermanent)
        switch try await caller.ask(breaking: breaking(), { try await $0.fail(claim, failure) }) {
        // Nothing happened.
        case .given(.jobIsLocked, _): return
        case .given(let outcome, let span):
            let answer: ShardCall.FailAnswer =
                switch outcome {
                case .retry: .retry
                case .failed: .failed
                case .cancelled: .cancelled
                case .fenced, .jobIsLocked: .fenced
                }
            note(span, [(claim.key, .fail(epoch: epoch, isPermanent: isPermanent, answer))])
            drop([claim])
        case .refused(let error): lose(error)
        case .unknown(let span):
            note(span, [(claim.key, .fail(epoch: epoch, isPermanent: isPermanent, nil))])
            if chance(50) { drop([claim]) }
        }
    }

    private mutating func release(_ some: [ClaimedShard]? = nil) async throws {
        let claimed = some ?? Array(held.shuffled(using: &random).prefix(2))
        guard !claimed.isEmpty else { return }
        switch try await caller.ask(breaking: breaking(), { try await $0.release(claimed) }) {
        case .given(let released, let span):
            note(
                span,
                claimed.map { ($0.key, .release(epoch: $0.epoch.rawValue, isReleased: released.contains($0.key))) })
            drop(claimed)
        case .refused(let error): lose(error)
        case .unknown(let span):
            note(span, claimed.map { ($0.key, .release(epoch: $0.epoch.rawValue, isReleased: nil)) })
            if chance(50) { drop(claimed) }
        }
    }

    private mutating func ask(ifSuperseded claimed: [ClaimedShard]) async throws {
        guard !claimed.isEmpty else { return }
        if case .given(let superseded, let span) = try await caller.ask(
            breaking: breaking(), { try await $0.supersededClaims(among: claimed) })
        {
            for claim in claimed {
                recorder.note(
                    span, claim.incarnation,
                    [(claim.key, .superseded(epoch: claim.epoch.rawValue, superseded.contains(claim)))])
            }
        }
    }

    /// Stands still with work in hand until others may have it, and then goes on as if nothing had been.
    private mutating func beSilent(_ isOver: () -> Bool) async throws {
        guard !held.isEmpty, let lease else { return }
        let end = ContinuousClock.now + Self.ttl + .milliseconds(Int.random(in: 500...2500, using: &random))
        while .now < end, !isOver() { try await loop.sleep(for: .milliseconds(50)) }
        try await commit(held)
        guard self.lease == lease else { return }
        try await heartbeat()
        if self.lease == nil { recorder.note(fault: "worker silent with work until it was thought dead") }
    }

    /// As a process that is killed.
    private mutating func vanish() {
        if !held.isEmpty { recorder.note(fault: "worker gone with work in hand") }
        lease = nil
        drop(held)
        known = []
    }
}
