internal import JobQueue

/// What a worker is doing with a shard that it holds.
enum ShardPhase: String, Sendable, Hashable {
    case preparing
    /// Ready for the next step, which is not its turn yet.
    case waiting
    case computing
    case publishing
    /// Finished; the database has the last word, however long that takes.
    case committing
}

/// How long a step may show no sign of life.
struct StallLimits: Sendable, Hashable {
    /// For the device; ten times the longest silence so far is allowed too.
    var computing: Duration
    /// For reading from the store and writing to it.
    var store: Duration

    /// The limit in a phase; nil where silence is normal.
    func limit(in phase: ShardPhase, longestSilence: Duration) -> Duration? {
        switch phase {
        case .waiting, .committing: nil
        case .computing: max(self.computing, longestSilence * 10)
        case .preparing, .publishing: self.store
        }
    }
}

/// Signs of life of one shard's work, without any clock: somebody who is awake says how much time passes.
struct ShardPulse: Sendable, Hashable {
    private(set) var phase = ShardPhase.preparing
    /// Since the last sign of life.
    private(set) var silence = Duration.zero
    /// Between two signs of life in this phase.
    private var longestSilence = Duration.zero
    private var hasSign = false

    mutating func enter(_ phase: ShardPhase) {
        self = ShardPulse()
        self.phase = phase
    }

    /// Something has moved.
    mutating func sign() {
        // What comes before the first sign is not the work's own pace: the model is loaded then.
        if self.hasSign { self.longestSilence = max(self.longestSilence, self.silence) }
        self.hasSign = true
        self.silence = .zero
    }

    mutating func pass(_ time: Duration) { self.silence += time }

    func isStalled(_ limits: StallLimits) -> Bool {
        guard let limit = limits.limit(in: self.phase, longestSilence: self.longestSilence) else { return false }
        return self.silence > limit
    }
}

/// Work that has shown no sign of life for too long: a device, a driver or a file server hangs.
struct Stall: Sendable, Hashable, CustomStringConvertible {
    let shard: ClaimedShard
    let phase: ShardPhase
    let silence: Duration

    var description: String {
        let suspect = self.phase == .computing ? "the device or its driver" : "the store's file system"
        return "\(self.phase.rawValue) shard \(self.shard.key) has shown no progress for \(self.silence.rounded): "
            + "\(suspect) seems to hang"
    }
}
