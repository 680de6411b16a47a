internal import JobQueue
internal import Synchronization

/// What the worker and its heartbeat know of each other: shards held, progress, and how long the lease is safe.
///
/// The worker computes on one thread, the heartbeat lives on another; this is all that they share.
final class LeaseBoard: Sendable {
    /// Why a shard was taken away while it was computed.
    enum Loss: Sendable, Hashable {
        /// The database gave it to somebody else, or the worker was declared dead.
        case lost
        case cancelled
        /// The lease could not be renewed in time.
        case expired
    }

    private struct Held {
        var progress: ShardProgress
        var cancel: @Sendable () -> Void
        var loss: Loss?
    }

    private struct State {
        var held: [ShardKey: Held] = [:]
        var safeUntil: ContinuousClock.Instant
        var isLost = false
        var isDrainRequested = false
    }

    private let state: Mutex<State>

    init(safeUntil: ContinuousClock.Instant) { self.state = Mutex(State(safeUntil: safeUntil)) }

    // MARK: The worker's side

    func hold(_ shard: ClaimedShard, cancel: @escaping @Sendable () -> Void) {
        self.state.withLock { $0.held[shard.key] = Held(progress: shard.progress(), cancel: cancel) }
    }

    /// Has a shard's loss do something else from now on: at once if it is lost already.
    func onLoss(of key: ShardKey, _ cancel: @escaping @Sendable () -> Void) {
        let isLost = self.state.withLock { state in
            state.held[key]?.cancel = cancel
            return state.held[key]?.loss != nil
        }
        if isLost { cancel() }
    }

    func report(_ progress: ShardProgress) {
        self.state.withLock { $0.held[progress.key]?.progress = progress }
    }

    /// Ends the shard's time on the board, and says whether it was taken away meanwhile.
    func drop(_ key: ShardKey) -> Loss? {
        self.state.withLock { $0.held.removeValue(forKey: key)?.loss }
    }

    func loss(of key: ShardKey) -> Loss? { self.state.withLock { $0.held[key]?.loss } }

    var isLost: Bool { self.state.withLock { $0.isLost } }
    var isDrainRequested: Bool { self.state.withLock { $0.isDrainRequested } }

    /// False when others may be given the worker's shards soon: nothing new is to be begun.
    func isSafe(at now: ContinuousClock.Instant) -> Bool {
        self.state.withLock { !$0.isLost && now < $0.safeUntil }
    }

    // MARK: The heartbeat's side

    var holding: [ShardProgress] {
        self.state.withLock { $0.held.values.map(\.progress).sorted { $0.key < $1.key } }
    }

    /// The moment by which the lease must have been renewed.
    var safeUntil: ContinuousClock.Instant { self.state.withLock { $0.safeUntil } }

    /// Takes the reply to a heartbeat that was sent at `sent`.
    func renewed(_ reply: HeartbeatReply, sent: ContinuousClock.Instant, safeDuration: Duration) {
        let cancels = self.state.withLock { state in
            state.safeUntil = max(state.safeUntil, sent + safeDuration)
            state.isDrainRequested = state.isDrainRequested || reply.isDrainRequested
            return Self.mark(reply.lost, .lost, &state) + Self.mark(reply.cancelled, .cancelled, &state)
        }
        for cancel in cancels { cancel() }
    }

    /// The database says that this worker is dead: all that it held belongs to others.
    func markLost() {
        let cancels = self.state.withLock { state in
            state.isLost = true
            return Self.mark(Array(state.held.keys), .lost, &state)
        }
        for cancel in cancels { cancel() }
    }

    /// Stops the work if the lease could not be renewed in time, and answers how many shards that concerns.
    @discardableResult
    func expire(at now: ContinuousClock.Instant) -> Int {
        let cancels = self.state.withLock { state in
            now < state.safeUntil ? [] : Self.mark(Array(state.held.keys), .expired, &state)
        }
        for cancel in cancels { cancel() }
        return cancels.count
    }

    private static func mark(_ keys: [ShardKey], _ loss: Loss, _ state: inout State) -> [@Sendable () -> Void] {
        keys.compactMap { key in
            guard let held = state.held[key] else { return nil }
            // What ran out may prove to be lost for good later on, but it is cancelled only once.
            if held.loss == nil || loss == .lost { state.held[key]?.loss = loss }
            return held.loss == nil ? held.cancel : nil
        }
    }
}
