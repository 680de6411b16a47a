internal import JobQueue
internal import Logging
internal import UVEventLoop

/// Renews a worker's lease from a thread, loop and connection of its own, so that GPU work can't delay it, and ends
/// the worker's time when its work hangs.
///
/// A lease that is not renewed in time stops nothing that was begun: whether anybody else has the shard is for the
/// database to say. When it says that the worker was declared dead, the keeper registers again.
actor LeaseKeeper {
    nonisolated let loop: EventLoop
    private let queue: any WorkQueue
    private let description: WorkerDescription
    private let board: LeaseBoard
    private let limits: StallLimits
    private let logger: Logger
    /// Told once that work hangs, after others may have it.
    private let onStall: @Sendable (Stall) -> Void
    private let clock = ContinuousClock()
    private var outage = Outage()
    private var backoff: Backoff
    private var isFailing = false
    private var isLeaving = false

    nonisolated var unownedExecutor: UnownedSerialExecutor { self.loop.asUnownedSerialExecutor() }

    init(
        loop: EventLoop, queue: any WorkQueue, description: WorkerDescription, board: LeaseBoard, limits: StallLimits,
        logger: Logger, onStall: @escaping @Sendable (Stall) -> Void
    ) {
        self.loop = loop
        self.queue = queue
        self.description = description
        self.board = board
        self.limits = limits
        self.logger = logger
        self.onStall = onStall
        let interval = board.lease.heartbeatInterval
        self.backoff = Backoff(first: interval / 16, longest: interval)
    }

    /// Beats until cancelled, or until work hangs.
    func run() async {
        await withTaskGroup { group in
            group.addTask { await self.renew() }
            group.addTask { await self.watch() }
            await group.next()
            group.cancelAll()
        }
    }

    private func renew() async {
        while !Task.isCancelled {
            let pause = self.isFailing ? self.backoff.pause() : self.board.lease.heartbeatInterval
            guard (try? await self.loop.sleep(for: pause)) != nil else { return }
            await self.beat()
        }
    }

    /// Looks again and again whether the lease is in danger and whether work hangs, whatever the heartbeat does.
    private func watch() async {
        let interval = min(self.board.lease.heartbeatInterval, .seconds(1))
        var last = self.clock.now
        var isInDanger = false
        while (try? await self.loop.sleep(for: interval)) != nil {
            let now = self.clock.now
            // Time in which this process or its machine stood still is nobody's silence.
            let awake = min(now - last, interval * 2)
            last = now
            if let stall = self.board.pass(awake, self.limits) { return await self.end(stall) }
            let wasInDanger = isInDanger
            isInDanger = !self.board.isSafe(at: now)
            if isInDanger, !wasInDanger {
                self.logger.warning(
                    "the lease could not be renewed in time; what was begun goes on, and nothing else is begun")
            }
        }
    }

    /// One renewal; the time that counts is that before sending.
    func beat() async {
        guard !self.isLeaving else { return }
        do throws(QueueError) {
            try await self.renew(through: self.queue)
            self.isFailing = false
            self.backoff.reset()
            self.outage.ended(self.logger)
        } catch {
            guard error.code != .cancelled else { return }
            self.isFailing = true
            self.outage.failed(error, doing: "renew the lease", self.logger)
        }
    }

    /// Renews the lease, or gets another one if the worker was declared dead, and asks whether older claims still stand.
    ///
    /// - Parameter queue: A way to the database; the worker's own may be open while the heartbeat's is not.
    func renew(through queue: any WorkQueue) async throws(QueueError) {
        let (board, sent) = (self.board, self.clock.now)
        let lease = board.lease
        let (holding, note) = (board.holding(under: lease), board.trouble(at: sent))
        do throws(QueueError) {
            let reply = try await self.within(lease.heartbeatTimeout, "a heartbeat") { () throws(QueueError) in
                try await queue.heartbeat(lease, holding: holding, note: note)
            }
            board.renewed(lease, reply, sent: sent)
        } catch  where error.code == .leaseLost {
            try await self.register(after: lease, through: queue)
        }
        let adrift = board.adrift
        guard !adrift.isEmpty else { return }
        let lost = try await self.within(lease.heartbeatTimeout, "a question about claims") { () throws(QueueError) in
            try await queue.supersededClaims(among: adrift)
        }
        board.supersede(lost)
    }

    private func register(after lost: WorkerLease, through queue: any WorkQueue) async throws(QueueError) {
        guard self.board.lease == lost, !self.isLeaving else { return }
        let (description, sent) = (self.description, self.clock.now)
        let lease = try await self.within(lost.heartbeatTimeout, "registering") { () throws(QueueError) in
            try await queue.register(description, ttl: lost.ttl)
        }
        guard self.board.replace(lost, by: lease, sent: sent) else {
            // Done through another connection meanwhile.
            return try await queue.deregister(lease)
        }
        self.logger.warning(
            "the worker was declared dead; registered again, and what was begun counts unless others claim it first",
            metadata: ["worker": "\(lost.worker)", "registered_as": "\(lease.worker)"])
    }

    // MARK: Leaving while something hangs

    private func end(_ stall: Stall) async {
        self.logger.error("\(stall); ending this process, so that others get its shards")
        if stall.phase == .computing {
            // It may be the shard that hangs the device: an attempt, or it would go round for ever.
            let (queue, shard) = (self.queue, stall.shard)
            let failure = ShardFailure(message: "\(stall)", isPermanent: false, seconds: 0)
            _ = try? await self.within(Self.farewell, "recording the stall") { () throws(QueueError) in
                try await queue.fail(shard, failure)
            }
        }
        await self.leave(note: "\(stall)")
        self.onStall(stall)
    }

    /// Ends the lease without waiting for anything that works under it; takes a few seconds at most.
    ///
    /// - Parameter note: Why, where nobody asked the worker to leave.
    func leave(note: String? = nil) async {
        self.isLeaving = true
        let (queue, lease) = (self.queue, self.board.lease)
        do throws(QueueError) {
            try await self.within(Self.farewell, "deregistering") { () throws(QueueError) in
                try await queue.deregister(lease, note: note)
            }
        } catch {
            self.logger.warning(
                "could not deregister; the lease runs out by itself", metadata: ["error": "\(error)"])
        }
    }

    private static let farewell: Duration = .seconds(2)

    /// Waits for the queue's answer, but not for ever: a call that hangs is left to itself.
    private func within<Value: Sendable>(
        _ limit: Duration, _ what: String, _ body: @escaping @Sendable () async throws(QueueError) -> Value
    ) async throws(QueueError) -> Value {
        let loop = self.loop
        let answer = PendingResult<Value>()
        let call = Task {
            do throws(QueueError) {
                answer.finish(.success(try await body()))
            } catch {
                answer.finish(.failure(error))
            }
        }
        let alarm = Task {
            guard (try? await loop.sleep(for: limit)) != nil else { return }
            answer.finish(.failure(QueueError(.unavailable, "no answer to \(what) within \(limit.rounded)")))
        }
        defer {
            call.cancel()
            alarm.cancel()
        }
        do {
            return try await answer.value {}
        } catch {
            throw error as? QueueError ?? QueueError(.cancelled, "stopped", underlying: error)
        }
    }
}
