internal import JobQueue
internal import Logging
internal import UVEventLoop

/// Renews a worker's lease from a thread, loop and connection of its own, so that GPU work can't delay it.
actor LeaseKeeper {
    nonisolated let loop: EventLoop
    private let queue: any WorkQueue
    private let lease: WorkerLease
    private let board: LeaseBoard
    private let logger: Logger
    private let clock = ContinuousClock()

    nonisolated var unownedExecutor: UnownedSerialExecutor { self.loop.asUnownedSerialExecutor() }

    init(loop: EventLoop, queue: any WorkQueue, lease: WorkerLease, board: LeaseBoard, logger: Logger) {
        self.loop = loop
        self.queue = queue
        self.lease = lease
        self.board = board
        self.logger = logger
    }

    /// Beats until cancelled, or until the lease is lost for good.
    func run() async {
        while !Task.isCancelled, !self.board.isLost {
            do {
                try await self.loop.sleep(for: self.lease.heartbeatInterval)
            } catch {
                return
            }
            await self.beat()
        }
    }

    /// One renewal; the time that counts is that before sending.
    func beat() async {
        let sent = self.clock.now
        do {
            let reply = try await self.queue.heartbeat(self.lease, holding: self.board.holding)
            self.board.renewed(reply, sent: sent, safeDuration: self.lease.safeDuration)
        } catch  where error.code == .leaseLost {
            self.logger.warning("the lease is lost; what was being computed belongs to others now")
            self.board.markLost()
        } catch {
            self.logger.warning("heartbeat failed", metadata: ["error": "\(error)"])
            self.board.expire(at: self.clock.now)
        }
    }
}
