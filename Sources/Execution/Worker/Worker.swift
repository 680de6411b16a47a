public import JobQueue
public import Logging
internal import Synchronization
public import UVEventLoop

/// Claims shards, has them processed, and commits the results, until told to stop.
public actor Worker {
    private let description: WorkerDescription
    private let options: WorkerOptions
    let queue: any WorkQueue
    private let heartbeatQueue: any WorkQueue
    let heartbeatLoop: EventLoop
    let processor: any ShardProcessor
    private let logger: Logger
    private let wakeups: AsyncStream<Void>
    private let wakeup: AsyncStream<Void>.Continuation
    private let isDraining = Atomic(false)
    let clock = ContinuousClock()
    var summary = WorkerSummary()

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
        defer { listener.cancel() }
        while !self.isDone {
            let hasEnded = try await self.workUnderOneLease()
            if hasEnded { break }
            self.logger.warning("registering anew after losing the lease")
        }
        return self.summary
    }

    private var isDone: Bool {
        self.isDraining.load(ordering: .relaxed) || Task.isCancelled
            || self.options.shardLimit.map { self.summary.committed + self.summary.failed >= $0 } ?? false
    }

    /// Registers and works; false when the lease was lost and a new one is needed.
    private func workUnderOneLease() async throws(ExecutionError) -> Bool {
        let registered = self.clock.now
        let lease = try await self.patiently("register") { queue throws(QueueError) in
            try await queue.register(self.description, ttl: self.options.leaseTTL)
        }
        var logger = self.logger
        logger[metadataKey: "worker"] = "\(lease.worker)"
        let board = LeaseBoard(safeUntil: registered + lease.safeDuration)
        let keeper = LeaseKeeper(
            loop: self.heartbeatLoop, queue: self.heartbeatQueue, lease: lease, board: board, logger: logger)
        let heart = Task { await keeper.run() }
        let hasEnded: Bool
        do {
            hasEnded = try await self.claimAndWork(lease, board, logger)
        } catch {
            await self.leave(lease, heart, logger)
            throw error
        }
        await self.leave(lease, heart, logger)
        return hasEnded
    }

    private func leave(_ lease: WorkerLease, _ heart: Task<Void, Never>, _ logger: Logger) async {
        heart.cancel()
        await heart.value
        // A cancelled task could not talk to the database any more.
        let queue = self.queue
        let farewell = Task { try await queue.deregister(lease) }
        if case .failure(let error) = await farewell.result, (error as? QueueError)?.code != .leaseLost {
            logger.warning("could not deregister; the lease runs out by itself", metadata: ["error": "\(error)"])
        }
    }

    private func claimAndWork(
        _ lease: WorkerLease, _ board: LeaseBoard, _ logger: Logger
    ) async throws(ExecutionError) -> Bool {
        var wakeups = self.wakeups.makeAsyncIterator()
        while !self.isDone, !board.isDrainRequested {
            let shards: [ClaimedShard]
            do {
                _ = try await self.queue.reap()
                shards = try await self.queue.claim(lease, limit: 1, run: self.options.run)
                if shards.isEmpty, self.options.endsWhenDrained,
                    try await self.queue.openShardCount(run: self.options.run) == 0
                {
                    return true
                }
            } catch  where error.code == .leaseLost {
                return false
            } catch  where error.isTransient {
                logger.warning("no database; trying again", metadata: ["error": "\(error)"])
                await wakeups.next(isolation: #isolation)
                continue
            } catch {
                throw ExecutionError(.permanent, "\(error)")
            }
            guard let shard = shards.first else {
                await wakeups.next(isolation: #isolation)
                continue
            }
            try await self.work(on: shard, board, logger)
            if board.isLost { return false }
        }
        return true
    }

    /// Repeats a call through outages of the database, until cancelled.
    func patiently<Value: Sendable>(
        _ name: String, _ body: (any WorkQueue) async throws(QueueError) -> Value
    ) async throws(ExecutionError) -> Value {
        while true {
            do {
                return try await body(self.queue)
            } catch  where error.isTransient {
                self.logger.warning("no database for \(name); trying again", metadata: ["error": "\(error)"])
                do {
                    try await self.heartbeatLoop.sleep(for: .seconds(1))
                } catch {
                    throw ExecutionError(.cancelled, "stopped while waiting for the database")
                }
            } catch {
                throw ExecutionError(.permanent, "\(name): \(error)")
            }
        }
    }
}
