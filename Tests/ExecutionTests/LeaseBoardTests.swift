import Synchronization
import Testing

@testable import Execution
@testable import JobQueue

@Suite struct LeaseBoardTests {
    private let start = ContinuousClock.now

    private func shard(_ index: Int) throws -> ClaimedShard {
        let job = JobID(number: 1, run: .random(), ordinal: 1)
        return ClaimedShard(
            key: ShardKey(job: job, index: index), worker: WorkerID(1), epoch: Epoch(1), incarnation: .random(),
            range: ShardRange(rowStart: 0, rowCount: 1), attempt: 1, maxAttempts: 3, task: "t", model: "m",
            modelSHA256: "", specification: "{}")
    }

    @Test func progressIsReportedForWhatIsHeldAndForNothingElse() throws {
        let board = LeaseBoard(safeUntil: self.start + .seconds(50))
        let shard = try self.shard(0)
        board.report(shard.progress(samples: 1, tokens: 1))
        #expect(board.holding.isEmpty)
        board.hold(shard) {}
        board.report(shard.progress(samples: 3, tokens: 40))
        #expect(board.holding == [shard.progress(samples: 3, tokens: 40)])
        #expect(board.drop(shard.key) == nil)
        #expect(board.holding.isEmpty)
    }

    @Test func aRenewalCountsFromTheMomentItWasSent() {
        let board = LeaseBoard(safeUntil: self.start + .seconds(50))
        #expect(board.isSafe(at: self.start + .seconds(49)))
        #expect(!board.isSafe(at: self.start + .seconds(50)))
        board.renewed(
            HeartbeatReply(ttl: .seconds(60)), sent: self.start + .seconds(40), safeDuration: .seconds(50))
        #expect(board.isSafe(at: self.start + .seconds(89)))
        #expect(!board.isSafe(at: self.start + .seconds(90)))
    }

    @Test func whatTheDatabaseTookAwayIsCancelledOnce() throws {
        let board = LeaseBoard(safeUntil: self.start + .seconds(50))
        let (lost, cancelled, kept) = (try self.shard(0), try self.shard(1), try self.shard(2))
        let counts = Mutex([0, 0, 0])
        board.hold(lost) { counts.withLock { $0[0] += 1 } }
        board.hold(cancelled) { counts.withLock { $0[1] += 1 } }
        board.hold(kept) { counts.withLock { $0[2] += 1 } }
        let reply = HeartbeatReply(ttl: .seconds(60), lost: [lost.key], cancelled: [cancelled.key])
        board.renewed(reply, sent: self.start, safeDuration: .seconds(50))
        board.renewed(reply, sent: self.start, safeDuration: .seconds(50))
        #expect(counts.withLock { $0 } == [1, 1, 0])
        #expect(board.drop(lost.key) == .lost)
        #expect(board.drop(cancelled.key) == .cancelled)
        #expect(board.drop(kept.key) == nil)
    }

    @Test func aLeaseThatCanNotBeRenewedStopsTheWorkInTime() throws {
        let board = LeaseBoard(safeUntil: self.start + .seconds(50))
        let shard = try self.shard(0)
        let isCancelled = Mutex(false)
        board.hold(shard) { isCancelled.withLock { $0 = true } }
        #expect(board.expire(at: self.start + .seconds(49)) == 0)
        #expect(!isCancelled.withLock { $0 })
        #expect(board.expire(at: self.start + .seconds(50)) == 1)
        #expect(isCancelled.withLock { $0 })
        #expect(board.expire(at: self.start + .seconds(51)) == 0)
        #expect(board.drop(shard.key) == .expired)
        #expect(!board.isLost)
    }

    @Test func aDeadWorkerHoldsNothing() throws {
        let board = LeaseBoard(safeUntil: self.start + .seconds(50))
        let shard = try self.shard(0)
        board.hold(shard) {}
        board.markLost()
        #expect(board.isLost)
        #expect(!board.isSafe(at: self.start))
        #expect(board.loss(of: shard.key) == .lost)
    }

    @Test func whatRanOutCanProveToBeLost() throws {
        let board = LeaseBoard(safeUntil: self.start + .seconds(50))
        let shard = try self.shard(0)
        let cancellations = Mutex(0)
        board.hold(shard) { cancellations.withLock { $0 += 1 } }
        board.expire(at: self.start + .seconds(50))
        #expect(board.loss(of: shard.key) == .expired)
        board.markLost()
        #expect(board.loss(of: shard.key) == .lost)
        #expect(cancellations.withLock { $0 } == 1)
    }

    @Test func anOldReplyTakesNothingBack() {
        let board = LeaseBoard(safeUntil: self.start + .seconds(50))
        let reply = HeartbeatReply(ttl: .seconds(60))
        board.renewed(reply, sent: self.start + .seconds(40), safeDuration: .seconds(50))
        board.renewed(reply, sent: self.start + .seconds(10), safeDuration: .seconds(50))
        #expect(board.safeUntil == self.start + .seconds(90))
    }

    @Test func aDrainRequestIsKept() {
        let board = LeaseBoard(safeUntil: self.start)
        board.renewed(
            HeartbeatReply(ttl: .seconds(60), isDrainRequested: true), sent: self.start, safeDuration: .seconds(1))
        board.renewed(HeartbeatReply(ttl: .seconds(60)), sent: self.start, safeDuration: .seconds(1))
        #expect(board.isDrainRequested)
    }
}
