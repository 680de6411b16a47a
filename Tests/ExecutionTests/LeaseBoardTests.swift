import Synchronization
import Testing

@testable import Execution
@testable import JobQueue

@Suite struct LeaseBoardTests {
    private let start = ContinuousClock.now
    private let lease = WorkerLease(worker: WorkerID(1), incarnation: .random(), ttl: .seconds(60))

    private func shard(_ index: Int, epoch: Int = 1, _ lease: WorkerLease? = nil) throws -> ClaimedShard {
        let lease = lease ?? self.lease
        return ClaimedShard(
            key: ShardKey(job: Self.job, index: index), worker: lease.worker, epoch: Epoch(epoch),
            incarnation: lease.incarnation, range: ShardRange(rowStart: 0, rowCount: 1), attempt: 1, maxAttempts: 3,
            task: "t", model: "m", modelSHA256: "", specification: "{}")
    }

    private static let job = JobID(number: 1, run: .random(), ordinal: 1)

    private func board() -> LeaseBoard { LeaseBoard(self.lease, safeUntil: self.start + .seconds(50)) }

    @Test func progressIsReportedForWhatIsHeldAndForNothingElse() throws {
        let board = self.board()
        let shard = try self.shard(0)
        board.report(shard, samples: 1, tokens: 1)
        #expect(board.holding(under: self.lease).isEmpty)
        board.hold(shard) {}
        board.report(shard, samples: 3, tokens: 40)
        #expect(board.holding(under: self.lease) == [shard.progress(samples: 3, tokens: 40)])
        #expect(board.drop(shard) == nil)
        #expect(board.holding(under: self.lease).isEmpty)
    }

    @Test func aRenewalCountsFromTheMomentItWasSent() {
        let board = self.board()
        #expect(board.isSafe(at: self.start + .seconds(49)))
        #expect(!board.isSafe(at: self.start + .seconds(50)))
        board.renewed(self.lease, HeartbeatReply(ttl: .seconds(60)), sent: self.start + .seconds(40))
        #expect(board.isSafe(at: self.start + .seconds(89)))
        #expect(!board.isSafe(at: self.start + .seconds(90)))
    }

    @Test func whatTheDatabaseTookAwayIsCancelledOnce() throws {
        let board = self.board()
        let (lost, cancelled, kept) = (try self.shard(0), try self.shard(1), try self.shard(2))
        let counts = Mutex([0, 0, 0])
        board.hold(lost) { counts.withLock { $0[0] += 1 } }
        board.hold(cancelled) { counts.withLock { $0[1] += 1 } }
        board.hold(kept) { counts.withLock { $0[2] += 1 } }
        let reply = HeartbeatReply(ttl: .seconds(60), lost: [lost.key], cancelled: [cancelled.key])
        board.renewed(self.lease, reply, sent: self.start)
        board.renewed(self.lease, reply, sent: self.start)
        #expect(counts.withLock { $0 } == [1, 1, 0])
        #expect(board.drop(lost) == .lost)
        #expect(board.drop(cancelled) == .cancelled)
        #expect(board.drop(kept) == nil)
    }

    /// Nobody can know whether others have the shard but the database.
    @Test func aLeaseThatRanOutTakesNothingAway() throws {
        let board = self.board()
        let shard = try self.shard(0)
        board.hold(shard) { Issue.record("cancelled") }
        #expect(!board.isSafe(at: self.start + .seconds(3600)))
        #expect(board.loss(of: shard) == nil)
    }

    @Test func underAnotherLeaseWhatWasBegunGoesOnAndTheRestIsGivenUp() throws {
        let board = self.board()
        let (begun, waiting) = (try self.shard(0), try self.shard(1))
        let isCancelled = Mutex(false)
        board.hold(begun) { Issue.record("cancelled") }
        board.enter(.computing, begun)
        board.hold(waiting) { isCancelled.withLock { $0 = true } }
        board.enter(.waiting, waiting)
        #expect(board.adrift.isEmpty)
        let next = WorkerLease(worker: WorkerID(2), incarnation: .random(), ttl: .seconds(60))
        #expect(board.replace(self.lease, by: next, sent: self.start + .seconds(100)))
        #expect(board.lease == next)
        #expect(board.isSafe(at: self.start + .seconds(149)))
        #expect(isCancelled.withLock { $0 })
        #expect(board.loss(of: waiting) == .lost)
        // It is none of the new lease's shards, and the database is asked about it.
        #expect(board.holding(under: next).isEmpty)
        #expect(board.adrift == [begun])
        // Somebody else was quicker.
        #expect(!board.replace(self.lease, by: next, sent: self.start))
    }

    @Test func aSupersededClaimIsLostAndTheNextOneOfTheSameShardIsNot() throws {
        let board = self.board()
        let old = try self.shard(0)
        let isCancelled = Mutex(false)
        board.hold(old) { isCancelled.withLock { $0 = true } }
        board.enter(.computing, old)
        let next = WorkerLease(worker: WorkerID(2), incarnation: .random(), ttl: .seconds(60))
        #expect(board.replace(self.lease, by: next, sent: self.start))
        let new = try self.shard(0, epoch: 2, next)
        board.hold(new) { Issue.record("cancelled") }
        board.supersede([old])
        #expect(isCancelled.withLock { $0 })
        #expect(board.drop(old) == .lost)
        #expect(board.adrift.isEmpty)
        #expect(board.drop(new) == nil)
    }

    @Test func anOldReplyTakesNothingBack() {
        let board = self.board()
        let reply = HeartbeatReply(ttl: .seconds(60))
        board.renewed(self.lease, reply, sent: self.start + .seconds(40))
        board.renewed(self.lease, reply, sent: self.start + .seconds(10))
        #expect(board.safeUntil == self.start + .seconds(90))
        // Nor does one to an earlier lease.
        let next = WorkerLease(worker: WorkerID(2), incarnation: .random(), ttl: .seconds(60))
        #expect(board.replace(self.lease, by: next, sent: self.start + .seconds(100)))
        board.renewed(self.lease, reply, sent: self.start + .seconds(500))
        #expect(board.safeUntil == self.start + .seconds(150))
    }

    @Test func aDrainRequestIsKept() {
        let board = self.board()
        board.renewed(self.lease, HeartbeatReply(ttl: .seconds(60), isDrainRequested: true), sent: self.start)
        board.renewed(self.lease, HeartbeatReply(ttl: .seconds(60)), sent: self.start)
        #expect(board.isDrainRequested)
    }

    @Test func whatHangsLongestIsFound() throws {
        let board = self.board()
        let limits = StallLimits(computing: .seconds(900), store: .seconds(1800))
        let (computed, published) = (try self.shard(0), try self.shard(1))
        board.hold(computed) {}
        board.enter(.computing, computed)
        board.hold(published) {}
        board.enter(.publishing, published)
        #expect(board.pass(.seconds(900), limits) == nil)
        board.report(computed, samples: 1, tokens: 1)
        #expect(board.pass(.seconds(899), limits) == nil)
        board.report(computed, samples: 1, tokens: 1)
        let stall = try #require(board.pass(.seconds(2), limits))
        #expect((stall.shard, stall.phase) == (published, .publishing))
    }
}

@Suite struct ShardPulseTests {
    private let limits = StallLimits(computing: .seconds(900), store: .seconds(1800))

    private func pulse(in phase: ShardPhase, silentFor seconds: Int) -> ShardPulse {
        var pulse = ShardPulse()
        pulse.enter(phase)
        pulse.pass(.seconds(seconds))
        return pulse
    }

    @Test(arguments: [
        (ShardPhase.preparing, 1800), (.publishing, 1800), (.computing, 900),
    ])
    func silenceHasALimit(_ phase: ShardPhase, _ seconds: Int) {
        #expect(!self.pulse(in: phase, silentFor: seconds).isStalled(self.limits))
        #expect(self.pulse(in: phase, silentFor: seconds + 1).isStalled(self.limits))
    }

    /// Waiting for one's turn, or for a database that is away, is no stall.
    @Test(arguments: [ShardPhase.waiting, .committing])
    func waitingHasNone(_ phase: ShardPhase) {
        #expect(!self.pulse(in: phase, silentFor: 1_000_000).isStalled(self.limits))
    }

    @Test func slowWorkHasTenTimesItsOwnPace() {
        var pulse = self.pulse(in: .computing, silentFor: 800)
        pulse.sign()
        // Loading does not count as the work's pace.
        pulse.pass(.seconds(901))
        #expect(pulse.isStalled(self.limits))
        pulse.sign()
        pulse.pass(.seconds(9_010))
        #expect(!pulse.isStalled(self.limits))
        pulse.pass(.seconds(1))
        #expect(pulse.isStalled(self.limits))
    }

    @Test func aNewPhaseBeginsAfresh() {
        var pulse = self.pulse(in: .computing, silentFor: 899)
        pulse.enter(.publishing)
        pulse.pass(.seconds(1_799))
        #expect(!pulse.isStalled(self.limits))
    }
}
