public import JobQueue
public import Logging
internal import Synchronization
public import UVEventLoop

/// Claims shards, has them processed, and commits the results, until told to stop.
public actor Worker {
    private let description: WorkerDescription
    private let options: WorkerOptions
    private let queue: any WorkQueue
    private let heartbeatQueue: any WorkQueue
    private let heartbeatLoop: EventLoop
    private let processor: any ShardProcessor
    private let logger: Logger
    private let wakeups: AsyncStream<Void>
    private let wakeup: AsyncStream<Void>.Continuation
    private let isDraining = Atomic(false)
    private let clock = ContinuousClock()
    private var summary = WorkerSummary()

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

    /// Computes one shard and settles it with the queue.
    private func work(on shard: ClaimedShard, _ board: LeaseBoard, _ logger: Logger) async throws(ExecutionError) {
        var logger = logger
        logger[metadataKey: "shard"] = "\(shard.key)"
        logger[metadataKey: "attempt"] = "\(shard.attempt)"
        let started = self.clock.now
        let processor = self.processor
        let work = Task {
            await ShardOutcome.of { () async throws(ExecutionError) in
                try await processor.process(shard) { samples, tokens in
                    board.report(shard.progress(samples: samples, tokens: tokens))
                }
            }
        }
        board.hold(shard) { work.cancel() }
        let outcome = await withTaskCancellationHandler {
            await work.value
        } onCancel: {
            work.cancel()
        }
        let seconds = (self.clock.now - started).seconds
        switch outcome {
        case .published(var publication):
            publication.seconds = seconds
            try await self.commit(publication, of: shard, board, logger)
        case .failed(let error):
            let loss = board.drop(shard.key)
            if error.code == .cancelled || loss != nil {
                logger.notice("shard given up", metadata: ["reason": "\(loss.map { "\($0)" } ?? "abandoned")"])
                self.summary.released += 1
                if loss == nil || loss == .expired { await self.giveBack(shard, logger) }
            } else {
                logger.error("shard failed", metadata: ["error": "\(error)"])
                self.summary.failed += 1
                let failure = ShardFailure(
                    message: error.message, isPermanent: error.code == .permanent, seconds: seconds)
                _ = try await self.patiently("fail") { queue throws(QueueError) in
                    try await queue.fail(shard, failure)
                }
            }
        }
    }

    private func giveBack(_ shard: ClaimedShard, _ logger: Logger) async {
        let queue = self.queue
        let release = Task { _ = try await queue.release([shard]) }
        if case .failure(let error) = await release.result {
            logger.warning("could not give the shard back; its lease runs out", metadata: ["error": "\(error)"])
        }
    }

    /// Commits through outages for as long as the lease is safe; the database has the last word.
    private func commit(
        _ publication: ShardPublication, of shard: ClaimedShard, _ board: LeaseBoard, _ logger: Logger
    ) async throws(ExecutionError) {
        defer { _ = board.drop(shard.key) }
        while true {
            do {
                switch try await self.queue.commit(shard, publication) {
                case .committed, .already:
                    self.summary.committed += 1
                    self.summary.samples += publication.samples
                    self.summary.tokens += publication.tokens
                    logger.info("shard committed", metadata: ["path": "\(publication.path)"])
                case .fenced:
                    self.summary.fenced += 1
                    logger.warning("the shard is another worker's by now; this result does not count")
                }
                return
            } catch  where error.isTransient {
                guard board.loss(of: shard.key) != .lost, !Task.isCancelled else {
                    logger.warning("lease lost before the commit went through; the result is left to the collector")
                    return
                }
                logger.warning("commit failed; trying again", metadata: ["error": "\(error)"])
                try? await self.heartbeatLoop.sleep(for: .milliseconds(500))
            } catch {
                throw ExecutionError(.permanent, "\(shard.key) could not be committed: \(error)")
            }
        }
    }

    /// Repeats a call through outages of the database, until cancelled.
    private func patiently<Value: Sendable>(
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

/// A `Result` that keeps the error's type across a task.
enum ShardOutcome: Sendable {
    case published(ShardPublication)
    case failed(ExecutionError)

    static func of(_ body: () async throws(ExecutionError) -> ShardPublication) async -> ShardOutcome {
        do {
            return .published(try await body())
        } catch {
            return .failed(error)
        }
    }
}

extension Duration {
    var seconds: Double {
        let (seconds, attoseconds) = self.components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
