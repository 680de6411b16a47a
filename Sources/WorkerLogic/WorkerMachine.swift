package import JobQueue
internal import Logging

/// Decides what a worker does, from its first claim to its leaving; performs nothing, and knows no clock.
///
/// One shard is computed while the next one is prepared and the last one published. Every event is answered with what is
/// to be done now: first the event changes what is known, then whatever can be done by that is begun, so that no order of
/// events leaves something undone.
package struct WorkerMachine: Sendable {
    package typealias Instant = ContinuousClock.Instant

    enum Phase { case starting, working, leaving, ended }

    /// What a call is for.
    enum Purpose {
        case errand, prefetch, urgent, begin, settlement, release(ClaimedShard), beat, stray
        case stallFailure, stallLeaving, leaving, farewell
    }

    /// How a question is repeated while the database is away or its schema is being changed.
    struct Patience {
        var backoff = Backoff.database
        /// Since when the schema does not fit.
        var misfit: Instant?
        var retryAt: Instant?
    }

    /// How a step is repeated that the store refuses.
    struct StorePatience {
        let end: Instant
        var backoff = Backoff.store
        var retryAt: Instant?
    }

    /// Getting a place in the queue, or the next shard.
    struct Errand {
        enum Stage { case registering, start, renewing(Renewal), claiming, doingChores, claimingAgain, counting }
        var stage: Stage
        var isAsking = false
        var sent: Instant
        var patience = Patience()
        var hasRenewed = false
    }

    /// A heartbeat and what follows from its answer.
    struct Renewal {
        enum Stage { case beating, registering, askingForClaims }
        let lane: QueueCall.Lane
        let lease: WorkerLease
        var sent: Instant
        var stage = Stage.beating
    }

    enum RenewalStep { case goesOn(Renewal), done, failed(QueueError) }

    /// A shard in hand.
    struct Hold {
        let shard: ClaimedShard
        let since: Instant
        var store: StorePatience
        var isPrepared = false
        var error: ExecutionError?
    }

    /// The shard that was claimed ahead, and what is asked before its turn comes.
    struct Next {
        let claim: Claim
        var isAsked = false
    }

    /// The shard whose turn it is on the device.
    struct Current {
        enum Prefetch { case off, whenNearEnd, at(Instant) }
        let claim: Claim
        var prefetch: Prefetch
        var began: Instant?
    }

    /// A shard that was computed, on its way to a result.
    struct Settlement {
        enum Question { case commit(ShardPublication), fail(ShardFailure), release(note: String?) }
        let shard: ClaimedShard
        let seconds: Double
        var error: ExecutionError?
        var store: StorePatience
        var question: Question?
        var call: CallID?
        var patience = Patience()
        var claim: Claim { Claim(self.shard) }
    }

    enum Idle { case untilSettled, untilWoken }

    let description: WorkerDescription
    let options: WorkerOptions
    var random: SeededGenerator
    var now: Instant
    var actions: [WorkerAction] = []
    var calls: [CallID: Purpose] = [:]
    var lastCall = 0

    var phase = Phase.starting
    var isDraining = false
    var isAbandoned = false
    /// Nothing is left to be done in the queue.
    var isFinished = false
    /// Nothing is renewed any more.
    var isLeaving = false
    /// The queue was told that the worker is gone, or could not be told.
    var hasLeft = false
    var failure: ExecutionError?
    var stall: Stall?

    var board: LeaseBoard?
    var beat: Renewal?
    var beatAt: Instant?
    var beatBackoff: Backoff?
    var beatOutage = Outage()
    var watched: Instant
    var isInDanger = false

    /// Whether failures may be this node's own.
    var health: NodeHealth
    var outage = Outage()
    var pace = PrefetchClock()
    var summary = WorkerSummary()
    /// Shards begun, but for those that were given up.
    var begun = 0
    /// When the device fell idle; nil when there was nothing to do for it.
    var idleSince: Instant?

    // From the queue to the result.
    var errand: Errand?
    var idle: Idle?
    var rest: Instant?
    var holds: [Claim: Hold] = [:]
    var next: Next?
    var current: Current?
    var computed: Settlement?
    var settlement: Settlement?
    /// To be given back, or dropped, once their preparation has ended.
    var returning: [Claim: Bool] = [:]

    /// How long a migration may take before a worker with empty hands gives up.
    static let migrationPatience: Duration = .seconds(900)
    /// How long leaving may take while something hangs.
    static let farewell: Duration = .seconds(2)

    package init(_ description: WorkerDescription, _ options: WorkerOptions, seed: UInt64, at now: Instant) {
        self.description = description
        self.options = options
        self.random = SeededGenerator(seed: seed)
        self.now = now
        self.watched = now
        self.health = NodeHealth(endsWhenDrained: options.endsWhenDrained)
    }

    /// Takes an event, and answers what is to be done.
    package mutating func handle(_ event: WorkerEvent, at now: Instant) -> [WorkerAction] {
        self.now = max(self.now, now)
        self.take(event)
        self.watch()
        self.beatWhenDue()
        // Rested, whatever else there is to wait for.
        if let rest = self.rest, self.now >= rest { self.rest = nil }
        while self.phase != .ended, self.step() {}
        defer { self.actions = [] }
        return self.actions
    }

    /// When the machine wants a `tick`, unless another event comes first.
    package var nextWake: Instant? {
        guard self.phase != .ended else { return nil }
        var first = self.settlement?.patience.retryAt
        func add(_ time: Instant?) {
            if let time { first = min(first ?? time, time) }
        }
        add(self.settlement?.store.retryAt)
        add(self.errand?.patience.retryAt)
        for hold in self.holds.values { add(hold.store.retryAt) }
        if let board = self.board, self.stall == nil, !self.isLeaving {
            add(self.watched + self.watchInterval(board))
            if self.phase == .working { add(self.beatAt) }
            if case .start = self.errand?.stage, self.errand?.patience.retryAt == nil { add(board.end) }
        }
        if case .at(let time) = self.current?.prefetch { add(time) }
        if self.phase == .working, !self.isOver { add(self.rest) }
        return first
    }

    // MARK: What is known

    mutating func take(_ event: WorkerEvent) {
        switch event {
        case .started: self.errand = Errand(stage: .registering, sent: self.now)
        case .answered(let id, let answer):
            if let purpose = self.calls.removeValue(forKey: id) { self.answered(purpose, answer) }
        case .failed(let id, let error):
            if let purpose = self.calls.removeValue(forKey: id) { self.failed(purpose, error) }
        case .prepared(let claim, let error): self.prepared(claim, error)
        case .computed(let claim, let error): self.computed(claim, error)
        case .published(let claim, let result): self.published(claim, result)
        case .progressed(let claim, let samples, let tokens):
            self.board?.report(claim, samples: samples, tokens: tokens)
            guard case .whenNearEnd = self.current?.prefetch, self.current?.claim == claim,
                let rows = self.holds[claim]?.shard.rowCount, PrefetchClock.isNearEnd(samples: samples, of: rows)
            else { return }
            self.current?.prefetch = .at(self.now)
        case .moved(let claim): self.board?.sign(of: claim)
        case .submitted:
            if self.idle == .untilWoken { self.idle = nil }
            self.isWoken = true
        case .drainAsked: self.isDraining = true
        case .abandonAsked: self.abandon()
        case .leaveAsked: self.leaveAtOnce()
        case .tick: break
        }
    }

    /// Something may have come since the queue was asked last.
    var isWoken = false

    /// Nothing new is to be begun.
    var isOver: Bool {
        if self.isDraining { return true }
        if self.isAbandoned { return true }
        if self.isFinished { return true }
        if self.failure != nil { return true }
        if self.stall != nil { return true }
        if self.health.reasonToLeave != nil { return true }
        if let board = self.board, board.isDrainRequested { return true }
        if let limit = self.options.shardLimit { return self.begun >= limit }
        return false
    }

    /// False once somebody has asked the worker to end; for waits.
    var isWanted: Bool { !self.isDraining && !self.isAbandoned }

    mutating func abandon() {
        guard !self.isAbandoned else { return }
        self.isAbandoned = true
        for claim in self.holds.keys.sorted() { self.actions.append(.stop(claim)) }
        for (id, purpose) in self.calls.sorted(by: { $0.key.number < $1.key.number }) {
            switch purpose {
            case .errand, .prefetch, .urgent, .begin: self.actions.append(.abort(id))
            case .settlement:
                if case .release = self.settlement?.question { continue }
                self.actions.append(.abort(id))
            case .release, .beat, .stray, .stallFailure, .stallLeaving, .leaving, .farewell: continue
            }
        }
    }

    // MARK: The queue

    @discardableResult
    mutating func ask(
        _ question: QueueCall.Question, _ purpose: Purpose, on lane: QueueCall.Lane = .work,
        within limit: Duration? = nil
    ) -> CallID {
        self.lastCall += 1
        let id = CallID(number: self.lastCall)
        self.calls[id] = purpose
        self.actions.append(.call(QueueCall(id: id, question: question, lane: lane, limit: limit)))
        return id
    }

    mutating func answered(_ purpose: Purpose, _ answer: QueueAnswer) {
        switch purpose {
        case .errand: self.errandAnswered(answer)
        case .beat: self.beatAnswered(answer)
        case .settlement: self.settlementAnswered(answer)
        case .prefetch:
            guard case .claimed(let shard?) = answer else { return }
            // Its turn comes when the device is free; a worker that is to end gives it back.
            self.next = Next(claim: self.hold(shard))
        case .urgent: self.urgentAnswered(answer)
        case .begin:
            guard let next = self.next.take() else { return }
            if case .begun(false) = answer {
                self.say(.info, "an idle worker has taken the shard over that was fetched ahead", of: next.claim)
                self.giveBack(next.claim, releasing: false)
            } else {
                self.begin(next.claim)
            }
        case .stallFailure: self.leaveAfterStall()
        case .stallLeaving: self.leftAfterStall()
        case .leaving:
            self.hasLeft = true
            self.actions.append(.left)
        case .farewell: self.end()
        case .release, .stray: return
        }
    }

    mutating func failed(_ purpose: Purpose, _ error: QueueError) {
        switch purpose {
        case .errand: self.errandFailed(error)
        case .beat:
            if let beat = self.beat.take() { self.follow(self.goOn(beat, .failure(error))) }
        case .settlement: self.settlementFailed(error)
        case .prefetch: self.say(.debug, "nothing claimed ahead", ["error": "\(error)"])
        case .urgent:
            self.say(.debug, "nothing more urgent claimed", ["error": "\(error)"])
            self.urgentAnswered(.claimed(nil))
        case .begin:
            // While the database is away nobody takes anything, and the fence decides in the end.
            self.say(.debug, "could not say that a shard begins", ["error": "\(error)"])
            if let next = self.next.take() { self.begin(next.claim) }
        case .release(let shard):
            self.say(
                .warning, "could not give the shard back; its lease runs out", ["error": "\(error)"], of: shard)
        case .stallFailure: self.leaveAfterStall()
        case .stallLeaving, .leaving, .farewell:
            if error.code != .leaseLost {
                self.say(.warning, "could not deregister; the lease runs out by itself", ["error": "\(error)"])
            }
            self.answered(purpose, .done)
        case .stray: return
        }
    }

    /// Notes an error that passes, and when to ask again; false when the patience is at its end.
    mutating func wait(
        _ patience: inout Patience, _ error: QueueError, doing task: String, migration: Duration? = nil
    ) -> Bool {
        patience.misfit = error.code == .schema ? patience.misfit ?? self.now : nil
        if let migration, let misfit = patience.misfit, self.now - misfit >= migration { return false }
        let isFirst = self.outage.failed(at: self.now)
        self.sayOutage(isFirst, error, doing: task)
        patience.retryAt = self.now + patience.backoff.pause(using: &self.random)
        return true
    }

    mutating func isBack() {
        if let (lasted, failures) = self.outage.ended(at: self.now) { self.sayBack(lasted, failures) }
    }

    // MARK: The log

    mutating func say(
        _ level: Logger.Level, _ message: String, _ metadata: [String: String] = [:], of shard: ClaimedShard? = nil
    ) {
        self.actions.append(.log(WorkerLine(level: level, message: message, metadata: metadata, shard: shard)))
    }

    mutating func say(_ level: Logger.Level, _ message: String, of claim: Claim) {
        self.say(level, message, of: self.holds[claim]?.shard)
    }

    mutating func sayOutage(_ isFirst: Bool, _ error: QueueError, doing task: String) {
        guard isFirst else { return self.say(.debug, "still no database to \(task)", ["error": "\(error)"]) }
        self.say(
            .warning,
            error.code == .schema
                ? "the database's schema does not fit to \(task), as while it is migrated; trying until it does"
                : "no database to \(task); trying until it is back", ["error": "\(error)"])
    }

    mutating func sayBack(_ lasted: Duration, _ failures: Int) {
        self.say(
            .notice, "the database is back", ["outage": lasted.rounded, "failed_calls": "\(failures)"])
    }

    mutating func sayWhetherToLeave() {
        guard let reason = self.health.reasonToLeave else { return }
        self.say(.error, "this node is of no use; leaving", ["reason": reason])
    }
}

extension QueueError {
    /// The same call may succeed later: the database is away, or its schema is being changed.
    var isPassing: Bool { self.isTransient || self.code == .schema }
}

extension ExecutionError {
    /// Waiting may help: the store is full or away.
    var isOfStore: Bool { self.code == .storeUnavailable || self.code == .storeFull }
}

extension ExecutionError.Code {
    /// An attempt failed, as against one that was given up or could not be made here.
    var isFailure: Bool {
        switch self {
        case .permanent, .transient, .storeFull: true
        case .cancelled, .nodeFault, .storeRefused, .storeUnavailable: false
        }
    }
}
