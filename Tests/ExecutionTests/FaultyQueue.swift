import JobQueue
import Synchronization
import UVEventLoop

/// A queue whose calls fail or hang when the test says so.
final class FaultyQueue: WorkQueue {
    enum Call: Hashable, Sendable {
        case register, claim, heartbeat, commit, fail, release
        /// Whichever comes.
        case any
    }

    enum Fault: Hashable, Sendable {
        /// Answers that there is no database; so many times.
        case unavailable(Int)
        /// Answers that there is no such function; so many times.
        case misfit(Int)
        /// Never answers; until the fault is taken away.
        case hangs
    }

    private struct State {
        var faults: [Call: Fault] = [:]
        var hanging: [PendingResult<Void>] = []
    }

    private let queue: any WorkQueue
    private let state = Mutex(State())

    init(_ queue: any WorkQueue) { self.queue = queue }

    func set(_ fault: Fault?, for call: Call) {
        let released = self.state.withLock { state in
            state.faults[call] = fault
            return fault == nil ? state.hanging : []
        }
        for pending in released { pending.finish(.success(())) }
    }

    private func meet(_ call: Call) async throws(QueueError) {
        let (error, pending) = self.state.withLock { state -> (QueueError?, PendingResult<Void>?) in
            let call = state.faults[.any] == nil ? call : .any
            switch state.faults[call] {
            case .unavailable(let count):
                state.faults[call] = count > 1 ? .unavailable(count - 1) : nil
                return (QueueError(.unavailable, "no database"), nil)
            case .misfit(let count):
                state.faults[call] = count > 1 ? .misfit(count - 1) : nil
                return (QueueError(.schema, "no such function"), nil)
            case .hangs:
                let pending = PendingResult<Void>()
                state.hanging.append(pending)
                return (nil, pending)
            case nil: return (nil, nil)
            }
        }
        if let error { throw error }
        guard let pending else { return }
        do {
            try await pending.value {}
        } catch {
            throw QueueError(.cancelled, "cancelled")
        }
    }

    func register(_ description: WorkerDescription, ttl: Duration) async throws(QueueError) -> WorkerLease {
        try await self.meet(.register)
        return try await self.queue.register(description, ttl: ttl)
    }

    func claim(_ lease: WorkerLease, _ request: ClaimRequest) async throws(QueueError) -> [ClaimedShard] {
        try await self.meet(.claim)
        return try await self.queue.claim(lease, request)
    }

    func begin(_ claimed: [ClaimedShard]) async throws(QueueError) -> [ShardKey] {
        try await self.queue.begin(claimed)
    }

    func heartbeat(
        _ lease: WorkerLease, holding: [ShardProgress], note: String?
    ) async throws(QueueError) -> HeartbeatReply {
        try await self.meet(.heartbeat)
        return try await self.queue.heartbeat(lease, holding: holding, note: note)
    }

    func commit(_ results: [ShardCommit]) async throws(QueueError) -> [CommitOutcome] {
        try await self.meet(.commit)
        return try await self.queue.commit(results)
    }

    func supersededClaims(among claimed: [ClaimedShard]) async throws(QueueError) -> [ClaimedShard] {
        try await self.meet(.heartbeat)
        return try await self.queue.supersededClaims(among: claimed)
    }

    func equalResults(of shard: ClaimedShard) async throws(QueueError) -> [EqualResult] {
        try await self.meet(.any)
        return try await self.queue.equalResults(of: shard)
    }

    func fail(_ claimed: ClaimedShard, _ failure: ShardFailure) async throws(QueueError) -> FailureOutcome {
        try await self.meet(.fail)
        return try await self.queue.fail(claimed, failure)
    }

    func release(_ claimed: [ClaimedShard], note: String?) async throws(QueueError) -> [ShardKey] {
        try await self.meet(.release)
        return try await self.queue.release(claimed, note: note)
    }

    func deregister(_ lease: WorkerLease, note: String?) async throws(QueueError) {
        try await self.queue.deregister(lease, note: note)
    }

    func dueChores() async throws(QueueError) -> [Chore] { try await self.queue.dueChores() }

    func run(_ chore: Chore, isForced: Bool) async throws(QueueError) -> ChoreOutcome? {
        try await self.queue.run(chore, isForced: isForced)
    }

    func chores() async throws(QueueError) -> [ChoreRecord] { try await self.queue.chores() }
    func drain(_ worker: WorkerID) async throws(QueueError) { try await self.queue.drain(worker) }
    func workers() async throws(QueueError) -> [WorkerRecord] { try await self.queue.workers() }
    func openShardCount(run: RunID?) async throws(QueueError) -> Int { try await self.queue.openShardCount(run: run) }
    func submissions() async -> AsyncStream<Void> { await self.queue.submissions() }
}
