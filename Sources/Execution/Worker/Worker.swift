public import JobQueue
public import Logging
internal import Synchronization
public import UVEventLoop

/// Claims shards, has them processed, and commits the results, until told to stop.
///
/// While a shard is computed, the next one is prepared and the last one published, so that the device does not wait.
public actor Worker {
    private let description: WorkerDescription
    let options: WorkerOptions
    let queue: any WorkQueue
    private let heartbeatQueue: any WorkQueue
    let heartbeatLoop: EventLoop
    let caretaker: Caretaker
    let processor: any ShardProcessor
    let logger: Logger
    let wakeups: AsyncStream<Void>
    private let wakeup: AsyncStream<Void>.Continuation
    private let isDraining = Atomic(false)
    let clock = ContinuousClock()
    var summary = WorkerSummary()
    var outage = Outage()
    /// Whether failures may be this node's own.
    var health: NodeHealth
    /// Shards begun, but for those that were given up.
    var begun = 0
    /// Claimed, and next to be computed.
    var next: HeldShard?
    /// Publishes and commits the shard that was computed last.
    var settling: Task<Result<Void, ExecutionError>, Never>?
    var prefetchClock = PrefetchClock()
    /// When the device fell idle; nil when there was nothing to do for it.
    var idleSince: ContinuousClock.Instant?

    /// From registering to leaving.
    private var tenure: Tenure?
    private let onStall: @Sendable (_ reason: String) -> Void

    /// - Parameters:
    ///   - heartbeatQueue: The same queue through a connection that lives on `heartbeatLoop`.
    ///   - onStall: Called when work hangs and the worker has left the queue: ends the process, since a thread that hangs
    ///     can't be ended.
    public init(
        description: WorkerDescription, options: WorkerOptions, queue: any WorkQueue, heartbeatQueue: any WorkQueue,
        heartbeatLoop: EventLoop, processor: any ShardProcessor, logger: Logger,
        onStall: @escaping @Sendable (_ reason: String) -> Void
    ) {
        self.description = description
        self.options = options
        self.queue = queue
        self.heartbeatQueue = heartbeatQueue
        self.heartbeatLoop = heartbeatLoop
        self.caretaker = Caretaker(queue: queue, loop: heartbeatLoop, interval: options.careInterval, logger: logger)
        self.processor = processor
        self.logger = logger
        self.onStall = onStall
        self.health = NodeHealth(endsWhenDrained: options.endsWhenDrained)
        (self.wakeups, self.wakeup) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Finishes the shard in hand and ends; safe to call from anywhere, any number of times.
    public nonisolated func drain() {
        self.isDraining.store(true, ordering: .relaxed)
        self.wakeup.yield()
    }

    /// Works until drained or cancelled, or until it turns out that nothing can be done on this node; cancelling abandons
    /// the shard in hand and gives it back.
    public func run() async throws(ExecutionError) -> WorkerSummary {
        let queue = self.queue
        let wakeup = self.wakeup
        let listener = Task {
            for await _ in await queue.submissions() { wakeup.yield() }
        }
        let caretaker = self.caretaker
        let care = Task { await caretaker.run() }
        defer {
            listener.cancel()
            care.cancel()
        }
        guard !self.isDone, let tenure = try await self.register() else { return self.summary }
        self.tenure = tenure
        let heart = Task { await tenure.keeper.run() }
        let result = await Result.of { () async throws(ExecutionError) in try await self.work(tenure) }
        heart.cancel()
        await heart.value
        await self.leave(tenure)
        try result.get()
        self.summary.reasonForLeaving = self.health.reasonToLeave
        return self.summary
    }

    /// Takes the worker out of the queue, so that others get its shards, whatever hangs in it.
    ///
    /// For the moment before the process is ended; takes a few seconds at most.
    public func leaveAtOnce() async { await self.tenure?.keeper.leave() }

    /// Nothing new is to be begun.
    var isDone: Bool {
        self.isDraining.load(ordering: .relaxed) || Task.isCancelled || self.health.reasonToLeave != nil
            || self.options.shardLimit.map { self.begun >= $0 } ?? false
    }

    /// False once somebody has asked the worker to end; for waits.
    nonisolated var isWanted: @Sendable () -> Bool { { !self.isDraining.load(ordering: .relaxed) } }

    /// A place in the queue; nil when asked to leave before the database answered.
    private func register() async throws(ExecutionError) -> Tenure? {
        let (description, ttl) = (self.description, self.options.leaseTTL)
        let (lease, sent): (WorkerLease, ContinuousClock.Instant)
        do throws(QueueError) {
            (lease, sent) = try await self.patiently(
                "register", while: self.isWanted, migration: Self.migrationPatience
            ) { queue throws(QueueError) in
                let sent = ContinuousClock.now
                return (try await queue.register(description, ttl: ttl), sent)
            }
        } catch {
            if error.isTransient || error.code == .cancelled { return nil }
            throw ExecutionError(.permanent, "\(error)")
        }
        let board = LeaseBoard(lease, safeUntil: sent + lease.safeDuration)
        let onStall = self.onStall
        let keeper = LeaseKeeper(
            loop: self.heartbeatLoop, queue: self.heartbeatQueue, description: description, board: board,
            limits: self.options.stallLimits, logger: self.logger
        ) { onStall("\($0)") }
        return Tenure(board: board, keeper: keeper, logger: self.logger)
    }

    private func leave(_ tenure: Tenure) async {
        // A cancelled task could not talk to the database any more.
        let (queue, lease) = (self.queue, tenure.board.lease)
        let note = self.health.reasonToLeave
        let farewell = Task { try await queue.deregister(lease, note: note) }
        if case .failure(let error) = await farewell.result, (error as? QueueError)?.code != .leaseLost {
            self.logger.warning(
                "could not deregister; the lease runs out by itself", metadata: ["error": "\(error)"])
        }
    }
}
