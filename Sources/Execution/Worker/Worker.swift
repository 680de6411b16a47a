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
    /// Since the last result: failures that may be this worker's own.
    var failuresInRow = 0
    var restBackoff = Backoff.unfit
    /// How many of these failures were rested for.
    var restedFailures = 0
    /// Shards begun, but for those that were given up.
    var begun = 0
    /// Claimed, and next to be computed.
    var next: HeldShard?
    /// Publishes and commits the shard that was computed last.
    var settling: Task<Result<Void, ExecutionError>, Never>?
    var prefetchClock = PrefetchClock()
    /// When the device fell idle; nil when there was nothing to do for it.
    var idleSince: ContinuousClock.Instant?

    /// - Parameter heartbeatQueue: The same queue through a connection that lives on `heartbeatLoop`.
    public init(
        description: WorkerDescription, options: WorkerOptions, queue: any WorkQueue, heartbeatQueue: any WorkQueue,
        heartbeatLoop: EventLoop, processor: any ShardProcessor, logger: Logger
    ) {
        self.description = description
        self.options = options
        self.queue = queue
        self.heartbeatQueue = heartbeatQueue
        self.heartbeatLoop = heartbeatLoop
        self.caretaker = Caretaker(queue: queue, loop: heartbeatLoop, interval: options.careInterval, logger: logger)
        self.processor = processor
        self.logger = logger
        (self.wakeups, self.wakeup) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Finishes the shard in hand and ends; safe to call from anywhere, any number of times.
    public nonisolated func drain() {
        self.isDraining.store(true, ordering: .relaxed)
        self.wakeup.yield()
    }

    /// Works until drained or cancelled; cancelling abandons the shard in hand and gives it back.
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
        while !self.isDone {
            let hasEnded = try await self.workUnderOneLease()
            if hasEnded { break }
            self.logger.warning("registering anew after losing the lease")
        }
        return self.summary
    }

    /// Nothing new is to be begun.
    var isDone: Bool {
        self.isDraining.load(ordering: .relaxed) || Task.isCancelled
            || self.options.shardLimit.map { self.begun >= $0 } ?? false
    }

    /// False once somebody has asked the worker to end; for waits.
    nonisolated var isWanted: @Sendable () -> Bool { { !self.isDraining.load(ordering: .relaxed) } }

    /// Registers and works; false when the lease was lost and a new one is needed.
    private func workUnderOneLease() async throws(ExecutionError) -> Bool {
        guard let (lease, registered) = try await self.register() else { return true }
        var logger = self.logger
        logger[metadataKey: "worker"] = "\(lease.worker)"
        let tenure = Tenure(
            lease: lease, board: LeaseBoard(safeUntil: registered + lease.safeDuration), logger: logger)
        let keeper = LeaseKeeper(
            loop: self.heartbeatLoop, queue: self.heartbeatQueue, lease: lease, board: tenure.board, logger: logger)
        let heart = Task { await keeper.run() }
        let result = await Result.of { () async throws(ExecutionError) in try await self.work(tenure) }
        heart.cancel()
        await heart.value
        await self.leave(tenure)
        return try result.get()
    }

    /// A lease and the moment from which it counts; nil when asked to leave before the database answered.
    private func register() async throws(ExecutionError) -> (WorkerLease, ContinuousClock.Instant)? {
        let (description, ttl) = (self.description, self.options.leaseTTL)
        do throws(QueueError) {
            return try await self.patiently("register", while: self.isWanted) { queue throws(QueueError) in
                let sent = ContinuousClock.now
                return (try await queue.register(description, ttl: ttl), sent)
            }
        } catch {
            if error.isTransient || error.code == .cancelled { return nil }
            throw ExecutionError(.permanent, "\(error)")
        }
    }

    private func leave(_ tenure: Tenure) async {
        // A cancelled task could not talk to the database any more.
        let queue = self.queue
        let farewell = Task { try await queue.deregister(tenure.lease) }
        if case .failure(let error) = await farewell.result, (error as? QueueError)?.code != .leaseLost {
            tenure.logger.warning(
                "could not deregister; the lease runs out by itself", metadata: ["error": "\(error)"])
        }
    }
}
