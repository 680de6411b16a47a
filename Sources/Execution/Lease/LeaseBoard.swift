internal import JobQueue
internal import Synchronization

/// What the worker and its heartbeat know of each other: the lease, the shards held, and how far they are.
///
/// The worker computes on one thread, the heartbeat lives on another; this is all that they share. A shard belongs to
/// the lease under which it was claimed. When that one is lost, the worker gets another and keeps computing: the result
/// counts as long as nobody else has claimed the shard, and only the database knows that.
final class LeaseBoard: Sendable {
    /// Why a shard was taken away while it was worked on.
    enum Loss: Sendable, Hashable {
        /// Somebody else has it, or may have it without any loss to this worker.
        case lost
        case cancelled
    }

    /// A shard may be claimed again by the worker that still computes it under an earlier claim.
    private struct Claim: Hashable {
        var key: ShardKey
        var epoch: Epoch

        init(_ shard: ClaimedShard) {
            self.key = shard.key
            self.epoch = shard.epoch
        }
    }

    private struct Held {
        let shard: ClaimedShard
        var progress: ShardProgress
        var cancel: @Sendable () -> Void
        var loss: Loss?
        var pulse = ShardPulse()
        var isBegun = false
        /// What it waits for; nil when it waits for nothing.
        var trouble: String?
    }

    private struct State {
        var lease: WorkerLease
        var held: [Claim: Held] = [:]
        var safeUntil: ContinuousClock.Instant
        var isDrainRequested = false
        /// What keeps the worker from some work; nil when nothing does.
        var trouble: NodeHealth.Trouble?
    }

    private let state: Mutex<State>

    init(_ lease: WorkerLease, safeUntil: ContinuousClock.Instant) {
        self.state = Mutex(State(lease: lease, safeUntil: safeUntil))
    }

    var lease: WorkerLease { self.state.withLock { $0.lease } }

    // MARK: The worker's side

    func hold(_ shard: ClaimedShard, cancel: @escaping @Sendable () -> Void) {
        self.state.withLock { $0.held[Claim(shard)] = Held(shard: shard, progress: shard.progress(), cancel: cancel) }
    }

    /// Has a shard's loss do something else from now on: at once if it is lost already.
    func onLoss(of shard: ClaimedShard, _ cancel: @escaping @Sendable () -> Void) {
        let isLost = self.state.withLock { state in
            state.held[Claim(shard)]?.cancel = cancel
            return state.held[Claim(shard)]?.loss != nil
        }
        if isLost { cancel() }
    }

    /// Notes how far the computation is, which is a sign of life.
    func report(_ shard: ClaimedShard, samples: Int, tokens: Int) {
        self.state.withLock { state in
            state.held[Claim(shard)]?.progress = shard.progress(samples: samples, tokens: tokens)
            state.held[Claim(shard)]?.pulse.sign()
        }
    }

    /// Notes that work on the shard moves, though not how far it is.
    func sign(of shard: ClaimedShard) { self.state.withLock { $0.held[Claim(shard)]?.pulse.sign() } }

    func enter(_ phase: ShardPhase, _ shard: ClaimedShard) {
        self.state.withLock { state in
            state.held[Claim(shard)]?.pulse.enter(phase)
            if phase == .computing { state.held[Claim(shard)]?.isBegun = true }
        }
    }

    /// Notes what the shard waits for, for those who look at the worker; nil when it waits no more.
    func note(_ trouble: String?, for shard: ClaimedShard) {
        self.state.withLock { $0.held[Claim(shard)]?.trouble = trouble }
    }

    /// Notes what keeps the worker from some work, for those who look at it; nil when nothing does.
    func note(_ trouble: NodeHealth.Trouble?) { self.state.withLock { $0.trouble = trouble } }

    /// Ends the shard's time on the board, and says whether it was taken away meanwhile.
    @discardableResult
    func drop(_ shard: ClaimedShard) -> Loss? {
        self.state.withLock { $0.held.removeValue(forKey: Claim(shard))?.loss }
    }

    func loss(of shard: ClaimedShard) -> Loss? { self.state.withLock { $0.held[Claim(shard)]?.loss } }

    var isDrainRequested: Bool { self.state.withLock { $0.isDrainRequested } }

    /// False when others may be given the worker's shards soon: nothing new is to be begun.
    func isSafe(at now: ContinuousClock.Instant) -> Bool { self.state.withLock { now < $0.safeUntil } }

    /// Shards claimed under a lease that was lost since.
    ///
    /// Anybody may claim them, this worker too, which must not.
    var adrift: [ClaimedShard] {
        self.state.withLock { state in
            state.held.values.filter { $0.loss == nil && $0.shard.incarnation != state.lease.incarnation }.map(\.shard)
        }
    }

    /// The lease to claim under; nil while something is adrift.
    ///
    /// One look at both: if the lease is replaced after it, what is begun by then goes adrift, and the database refuses a
    /// claim under the lease that was lost.
    var claimingLease: WorkerLease? {
        self.state.withLock { state in
            let isAdrift = state.held.values.contains {
                $0.loss == nil && $0.shard.incarnation != state.lease.incarnation
            }
            return isAdrift ? nil : state.lease
        }
    }

    // MARK: The heartbeat's side

    /// What is held under this lease.
    func holding(under lease: WorkerLease) -> [ShardProgress] {
        self.state.withLock { state in
            state.held.values.filter { $0.shard.incarnation == lease.incarnation }.map(\.progress)
                .sorted { $0.key < $1.key }
        }
    }

    /// What is wrong now, of the first shard that waits for something, or of the worker.
    func trouble(at now: ContinuousClock.Instant) -> String? {
        self.state.withLock { state in
            state.held.values.filter { $0.trouble != nil }.min { $0.shard.key < $1.shard.key }?.trouble
                ?? state.trouble.flatMap { now < $0.until ? $0.text : nil }
        }
    }

    /// The moment by which the lease must have been renewed.
    var safeUntil: ContinuousClock.Instant { self.state.withLock { $0.safeUntil } }

    /// Takes the reply to a heartbeat under `lease` that was sent at `sent`.
    func renewed(_ lease: WorkerLease, _ reply: HeartbeatReply, sent: ContinuousClock.Instant) {
        let cancels = self.state.withLock { state -> [@Sendable () -> Void] in
            guard state.lease == lease else { return [] }
            state.safeUntil = max(state.safeUntil, sent + lease.safeDuration)
            state.isDrainRequested = state.isDrainRequested || reply.isDrainRequested
            let own = state.held.filter { $0.value.shard.incarnation == lease.incarnation }.map(\.key)
            return Self.mark(own.filter { reply.lost.contains($0.key) }, .lost, &state)
                + Self.mark(own.filter { reply.cancelled.contains($0.key) }, .cancelled, &state)
        }
        for cancel in cancels { cancel() }
    }

    /// Goes on under another lease, which was asked for at `sent`; false when that has happened already.
    ///
    /// What was not begun under the old one is given up at once: it costs nothing, and others may have it.
    func replace(_ old: WorkerLease, by new: WorkerLease, sent: ContinuousClock.Instant) -> Bool {
        let cancels = self.state.withLock { state -> [@Sendable () -> Void]? in
            guard state.lease == old else { return nil }
            state.lease = new
            state.safeUntil = sent + new.safeDuration
            let unbegun = state.held.filter { !$0.value.isBegun }.map(\.key)
            return Self.mark(unbegun, .lost, &state)
        }
        for cancel in cancels ?? [] { cancel() }
        return cancels != nil
    }

    /// Claims that the database says can't be committed any more.
    func supersede(_ shards: [ClaimedShard]) {
        let cancels = self.state.withLock { Self.mark(shards.map(Claim.init), .lost, &$0) }
        for cancel in cancels { cancel() }
    }

    /// Lets time pass in which the worker could have worked, and answers what hangs, if anything does.
    func pass(_ time: Duration, _ limits: StallLimits) -> Stall? {
        self.state.withLock { state in
            for claim in state.held.keys { state.held[claim]?.pulse.pass(time) }
            return state.held.values.filter { $0.pulse.isStalled(limits) }
                .max { $0.pulse.silence < $1.pulse.silence }
                .map { Stall(shard: $0.shard, phase: $0.pulse.phase, silence: $0.pulse.silence) }
        }
    }

    private static func mark(_ claims: [Claim], _ loss: Loss, _ state: inout State) -> [@Sendable () -> Void] {
        claims.compactMap { claim in
            guard let held = state.held[claim] else { return nil }
            // What was cancelled may prove to be lost later on, but its work is stopped only once.
            if held.loss == nil || loss == .lost { state.held[claim]?.loss = loss }
            return held.loss == nil ? held.cancel : nil
        }
    }
}
