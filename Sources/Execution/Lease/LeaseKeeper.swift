internal import JobQueue
internal import Logging
internal import UVEventLoop

/// Renews a worker's lease from a thread, loop and connection of its own, so that GPU work can't delay it.
///
/// The lease's end is noticed by a clock of its own: a heartbeat that hangs can't delay it either.
actor LeaseKeeper {
    nonisolated let loop: EventLoop
    private let queue: any WorkQueue
    private let lease: WorkerLease
    private let board: LeaseBoard
    private let logger: Logger
    private let clock = ContinuousClock()
    private var outage = Outage()
    private var backoff: Backoff
    private var isFailing = false

    nonisolated var unownedExecutor: UnownedSerialExecutor { self.loop.asUnownedSerialExecutor() }

    init(loop: EventLoop, queue: any WorkQueue, lease: WorkerLease, board: LeaseBoard, logger: Logger) {
        self.loop = loop
        self.queue = queue
        self.lease = lease
        self.board = board
        self.logger = logger
        self.backoff = Backoff(first: lease.heartbeatInterval / 16, longest: lease.heartbeatInterval)
    }

    /// Beats until cancelled, or until the lease is lost for good.
    func run() async {
        await withTaskGroup { group in
            group.addTask { await self.renew() }
            group.addTask { await self.watch() }
            await group.next()
            group.cancelAll()
        }
    }

    private func renew() async {
        while !Task.isCancelled, !self.board.isLost {
            let pause = self.isFailing ? self.backoff.pause() : self.lease.heartbeatInterval
            guard (try? await self.loop.sleep(for: pause)) != nil else { return }
            await self.beat()
        }
    }

    /// Stops the work at the very moment when the lease is not safe any more, whatever the heartbeat does.
    private func watch() async {
        while !Task.isCancelled, !self.board.isLost {
            let now = self.clock.now
            let left = self.board.safeUntil - now
            if left <= .zero, self.board.expire(at: now) > 0 {
                self.logger.warning("the lease could not be renewed in time; giving up what is being computed")
            }
            // In small pieces, because the loop's clock stands still while the machine is suspended; this one does not.
            let pause = left > .zero ? min(left, .seconds(1)) : min(self.lease.heartbeatInterval, .seconds(1))
            guard (try? await self.loop.sleep(for: pause)) != nil else { return }
        }
    }

    /// One renewal; the time that counts is that before sending.
    func beat() async {
        let sent = self.clock.now
        do throws(QueueError) {
            let reply = try await self.heartbeat()
            self.board.renewed(reply, sent: sent, safeDuration: self.lease.safeDuration)
            self.isFailing = false
            self.backoff.reset()
            self.outage.ended(self.logger)
        } catch {
            switch error.code {
            case .cancelled: return
            case .leaseLost:
                self.logger.warning("the lease is lost; what was being computed belongs to others now")
                self.board.markLost()
            default:
                self.isFailing = true
                self.outage.failed(error, doing: "renew the lease", self.logger)
            }
        }
    }

    /// Asks the queue, and does not wait for ever: a call that hangs is left to itself.
    private func heartbeat() async throws(QueueError) -> HeartbeatReply {
        let (queue, lease, loop, holding) = (self.queue, self.lease, self.loop, self.board.holding)
        let limit = lease.heartbeatTimeout
        let answer = PendingResult<HeartbeatReply>()
        let call = Task {
            do {
                answer.finish(.success(try await queue.heartbeat(lease, holding: holding)))
            } catch {
                answer.finish(.failure(error))
            }
        }
        let alarm = Task {
            guard (try? await loop.sleep(for: limit)) != nil else { return }
            answer.finish(.failure(QueueError(.unavailable, "no answer to a heartbeat within \(limit.rounded)")))
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
