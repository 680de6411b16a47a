package import JobQueue

/// A claim of a shard, apart from earlier and later ones: a shard may be claimed again by the worker that still computes it
/// under an earlier claim.
package struct Claim: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let key: ShardKey
    package let epoch: Epoch

    package init(_ shard: ClaimedShard) {
        self.key = shard.key
        self.epoch = shard.epoch
    }

    /// As results are called: "k3f9x2a0.1/4 e2".
    package var description: String { "\(self.key) e\(self.epoch)" }

    package static func < (one: Claim, other: Claim) -> Bool {
        (one.key, one.epoch.rawValue) < (other.key, other.epoch.rawValue)
    }
}

/// What a worker knows of its lease: how long it is safe, which shards are held under it, how far they are, and which of
/// them the database has taken away.
///
/// A shard belongs to the lease under which it was claimed. When that one is lost, the worker gets another and keeps
/// computing: the result counts as long as nobody else has claimed the shard, and only the database knows that.
package struct LeaseBoard: Sendable {
    /// Why a shard was taken away while it was worked on.
    package enum Loss: Sendable, Hashable {
        /// Somebody else has it, or may have it without any loss to this worker.
        case lost
        case cancelled
    }

    private struct Held {
        let shard: ClaimedShard
        var progress: ShardProgress
        var loss: Loss?
        var pulse = ShardPulse()
        var isBegun = false
        /// What it waits for; nil when it waits for nothing.
        var trouble: String?
    }

    package private(set) var lease: WorkerLease
    /// The moment by which the lease must have been renewed.
    package private(set) var safeUntil: ContinuousClock.Instant
    /// Somebody asks the worker to finish and leave.
    package private(set) var isDrainRequested = false
    private var held: [Claim: Held] = [:]

    package init(_ lease: WorkerLease, safeUntil: ContinuousClock.Instant) {
        self.lease = lease
        self.safeUntil = safeUntil
    }

    /// From here on the database may have declared the worker dead, and only it can tell.
    package var end: ContinuousClock.Instant { self.safeUntil + (self.lease.ttl - self.lease.safeDuration) }

    /// False when others may be given the worker's shards soon: nothing new is to be begun.
    package func isSafe(at now: ContinuousClock.Instant) -> Bool { now < self.safeUntil }

    // MARK: Shards

    package mutating func hold(_ shard: ClaimedShard) {
        self.held[Claim(shard)] = Held(shard: shard, progress: shard.progress())
    }

    /// Ends the shard's time on the board, and says whether it was taken away meanwhile.
    @discardableResult
    package mutating func drop(_ claim: Claim) -> Loss? { self.held.removeValue(forKey: claim)?.loss }

    package func loss(of claim: Claim) -> Loss? { self.held[claim]?.loss }

    /// Notes how far the computation is, which is a sign of life.
    package mutating func report(_ claim: Claim, samples: Int, tokens: Int) {
        guard let shard = self.held[claim]?.shard else { return }
        self.held[claim]?.progress = shard.progress(samples: samples, tokens: tokens)
        self.held[claim]?.pulse.sign()
    }

    /// Notes that work on the shard moves, though not how far it is.
    package mutating func sign(of claim: Claim) { self.held[claim]?.pulse.sign() }

    package mutating func enter(_ phase: ShardPhase, _ claim: Claim) {
        self.held[claim]?.pulse.enter(phase)
        if phase == .computing { self.held[claim]?.isBegun = true }
    }

    /// Notes what the shard waits for, for those who look at the worker; nil when it waits no more.
    package mutating func note(_ trouble: String?, for claim: Claim) { self.held[claim]?.trouble = trouble }

    /// What the first shard that waits for something waits for.
    package var trouble: String? {
        self.held.filter { $0.value.trouble != nil }.min { $0.key < $1.key }?.value.trouble
    }

    /// Shards claimed under a lease that was lost since.
    ///
    /// Anybody may claim them, this worker too, which must not: it would take from itself what it still computes.
    package var adrift: [ClaimedShard] {
        self.held.filter { $0.value.loss == nil && $0.value.shard.incarnation != self.lease.incarnation }
            .sorted { $0.key < $1.key }.map(\.value.shard)
    }

    /// What is held under this lease.
    package func holding(under lease: WorkerLease) -> [ShardProgress] {
        self.held.values.filter { $0.shard.incarnation == lease.incarnation }.map(\.progress)
            .sorted { $0.key < $1.key }
    }

    // MARK: What the database says

    /// Takes the reply to a heartbeat under `lease` that was sent at `sent`.
    ///
    /// - Returns: What must be stopped now.
    package mutating func renewed(
        _ lease: WorkerLease, _ reply: HeartbeatReply, sent: ContinuousClock.Instant
    ) -> [Claim] {
        guard self.lease == lease else { return [] }
        self.safeUntil = max(self.safeUntil, sent + lease.safeDuration)
        self.isDrainRequested = self.isDrainRequested || reply.isDrainRequested
        let own = self.held.filter { $0.value.shard.incarnation == lease.incarnation }.map(\.key)
        return self.mark(own.filter { reply.lost.contains($0.key) }, .lost)
            + self.mark(own.filter { reply.cancelled.contains($0.key) }, .cancelled)
    }

    /// Goes on under another lease, which was asked for at `sent`.
    ///
    /// What was not begun under the old one is given up at once: it costs nothing, and others may have it.
    /// - Returns: What must be stopped now; nil when the old lease was replaced before.
    package mutating func replace(
        _ old: WorkerLease, by new: WorkerLease, sent: ContinuousClock.Instant
    ) -> [Claim]? {
        guard self.lease == old else { return nil }
        self.lease = new
        self.safeUntil = sent + new.safeDuration
        return self.mark(self.held.filter { !$0.value.isBegun }.map(\.key), .lost)
    }

    /// Takes claims that the database says can't be committed any more.
    ///
    /// - Returns: What must be stopped now.
    package mutating func supersede(_ shards: [ClaimedShard]) -> [Claim] { self.mark(shards.map(Claim.init), .lost) }

    private mutating func mark(_ claims: [Claim], _ loss: Loss) -> [Claim] {
        var stopped: [Claim] = []
        for claim in claims.sorted() {
            guard let held = self.held[claim] else { continue }
            // What was cancelled may prove to be lost later on, but its work is stopped only once.
            if held.loss == nil || loss == .lost { self.held[claim]?.loss = loss }
            if held.loss == nil { stopped.append(claim) }
        }
        return stopped
    }

    // MARK: Signs of life

    /// Lets time pass in which the worker could have worked, and answers what hangs, if anything does.
    package mutating func pass(_ time: Duration, _ limits: StallLimits) -> Stall? {
        for claim in self.held.keys { self.held[claim]?.pulse.pass(time) }
        return self.held.filter { $0.value.pulse.isStalled(limits) }
            .max { ($0.value.pulse.silence, $1.key) < ($1.value.pulse.silence, $0.key) }
            .map { Stall(shard: $0.value.shard, phase: $0.value.pulse.phase, silence: $0.value.pulse.silence) }
    }
}

/// What a worker is doing with a shard that it holds.
package enum ShardPhase: String, Sendable, Hashable {
    case preparing
    /// Ready for the next step, which is not its turn yet.
    case waiting
    case computing
    case publishing
    /// Finished; the database has the last word, however long that takes.
    case committing
}

/// How long a step may show no sign of life.
package struct StallLimits: Sendable, Hashable {
    /// For the device; ten times the longest silence so far is allowed too.
    package var computing: Duration
    /// For reading from the store and writing to it.
    package var store: Duration

    package init(computing: Duration, store: Duration) {
        self.computing = computing
        self.store = store
    }

    /// The limit in a phase; nil where silence is normal.
    package func limit(in phase: ShardPhase, longestSilence: Duration) -> Duration? {
        switch phase {
        case .waiting, .committing: nil
        case .computing: max(self.computing, longestSilence * 10)
        case .preparing, .publishing: self.store
        }
    }
}

/// Signs of life of one shard's work, without any clock: somebody who is awake says how much time passes.
package struct ShardPulse: Sendable, Hashable {
    package private(set) var phase = ShardPhase.preparing
    /// Since the last sign of life.
    package private(set) var silence = Duration.zero
    /// Between two signs of life in this phase.
    private var longestSilence = Duration.zero
    private var hasSign = false

    package init() {}

    package mutating func enter(_ phase: ShardPhase) {
        self = ShardPulse()
        self.phase = phase
    }

    /// Something has moved.
    package mutating func sign() {
        // What comes before the first sign is not the work's own pace: the model is loaded then.
        if self.hasSign { self.longestSilence = max(self.longestSilence, self.silence) }
        self.hasSign = true
        self.silence = .zero
    }

    package mutating func pass(_ time: Duration) { self.silence += time }

    package func isStalled(_ limits: StallLimits) -> Bool {
        guard let limit = limits.limit(in: self.phase, longestSilence: self.longestSilence) else { return false }
        return self.silence > limit
    }
}

/// Work that has shown no sign of life for too long: a device, a driver or a file server hangs.
package struct Stall: Sendable, Hashable, CustomStringConvertible {
    package let shard: ClaimedShard
    package let phase: ShardPhase
    package let silence: Duration

    package var description: String {
        let suspect = self.phase == .computing ? "the device or its driver" : "the store's file system"
        return "\(self.phase.rawValue) shard \(self.shard.key) has shown no progress for \(self.silence.rounded): "
            + "\(suspect) seems to hang"
    }
}
