import JobQueue
import Testing
import WorkerLogic

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
        var board = self.board()
        let shard = try self.shard(0)
        board.report(Claim(shard), samples: 1, tokens: 1)
        #expect(board.holding(under: self.lease).isEmpty)
        board.hold(shard)
        board.report(Claim(shard), samples: 3, tokens: 40)
        #expect(board.holding(under: self.lease) == [shard.progress(samples: 3, tokens: 40)])
        let loss = board.drop(Claim(shard))
        #expect(loss == nil)
        #expect(board.holding(under: self.lease).isEmpty)
    }

    @Test func aRenewalCountsFromTheMomentItWasSent() {
        var board = self.board()
        #expect(board.isSafe(at: self.start + .seconds(49)))
        #expect(!board.isSafe(at: self.start + .seconds(50)))
        let stopped = board.renewed(
            self.lease, HeartbeatReply(ttl: .seconds(60)), sent: self.start + .seconds(40))
        #expect(stopped.isEmpty)
        #expect(board.isSafe(at: self.start + .seconds(89)))
        #expect(!board.isSafe(at: self.start + .seconds(90)))
    }

    @Test func whatTheDatabaseTookAwayIsStoppedOnce() throws {
        var board = self.board()
        let (lost, cancelled, kept) = (try self.shard(0), try self.shard(1), try self.shard(2))
        for shard in [lost, cancelled, kept] { board.hold(shard) }
        let reply = HeartbeatReply(ttl: .seconds(60), lost: [lost.key], cancelled: [cancelled.key])
        let first = board.renewed(self.lease, reply, sent: self.start)
        let again = board.renewed(self.lease, reply, sent: self.start)
        #expect(first == [Claim(lost), Claim(cancelled)] && again.isEmpty)
        let losses = [lost, cancelled, kept].map { board.drop(Claim($0)) }
        #expect(losses == [.lost, .cancelled, nil])
    }

    /// Nobody can know whether others have the shard but the database.
    @Test func aLeaseThatRanOutTakesNothingAway() throws {
        var board = self.board()
        let shard = try self.shard(0)
        board.hold(shard)
        #expect(!board.isSafe(at: self.start + .seconds(3600)))
        #expect(board.loss(of: Claim(shard)) == nil)
    }

    @Test func underAnotherLeaseWhatWasBegunGoesOnAndTheRestIsGivenUp() throws {
        var board = self.board()
        let (begun, waiting) = (try self.shard(0), try self.shard(1))
        board.hold(begun)
        board.enter(.computing, Claim(begun))
        board.hold(waiting)
        board.enter(.waiting, Claim(waiting))
        #expect(board.adrift.isEmpty)
        let next = WorkerLease(worker: WorkerID(2), incarnation: .random(), ttl: .seconds(60))
        let stopped = board.replace(self.lease, by: next, sent: self.start + .seconds(100))
        #expect(stopped == [Claim(waiting)])
        #expect(board.lease == next)
        #expect(board.isSafe(at: self.start + .seconds(149)))
        #expect(board.loss(of: Claim(waiting)) == .lost)
        // The database is asked about what belongs to the old lease.
        #expect(board.holding(under: next).isEmpty)
        #expect(board.adrift == [begun])
        // Somebody else was quicker.
        let again = board.replace(self.lease, by: next, sent: self.start)
        #expect(again == nil)
    }

    @Test func aSupersededClaimIsLostAndTheNextOneOfTheSameShardIsNot() throws {
        var board = self.board()
        let old = try self.shard(0)
        board.hold(old)
        board.enter(.computing, Claim(old))
        let next = WorkerLease(worker: WorkerID(2), incarnation: .random(), ttl: .seconds(60))
        let replaced = board.replace(self.lease, by: next, sent: self.start)
        #expect(replaced == [])
        let new = try self.shard(0, epoch: 2, next)
        board.hold(new)
        let stopped = board.supersede([old])
        #expect(stopped == [Claim(old)])
        let losses = [old, new].map { board.drop(Claim($0)) }
        #expect(losses == [.lost, nil])
        #expect(board.adrift.isEmpty)
    }

    @Test func anOldReplyTakesNothingBack() {
        var board = self.board()
        let reply = HeartbeatReply(ttl: .seconds(60))
        _ = board.renewed(self.lease, reply, sent: self.start + .seconds(40))
        _ = board.renewed(self.lease, reply, sent: self.start + .seconds(10))
        #expect(board.safeUntil == self.start + .seconds(90))
        // Nor does one to an earlier lease.
        let next = WorkerLease(worker: WorkerID(2), incarnation: .random(), ttl: .seconds(60))
        _ = board.replace(self.lease, by: next, sent: self.start + .seconds(100))
        _ = board.renewed(self.lease, reply, sent: self.start + .seconds(500))
        #expect(board.safeUntil == self.start + .seconds(150))
    }

    @Test func aDrainRequestIsKept() {
        var board = self.board()
        _ = board.renewed(self.lease, HeartbeatReply(ttl: .seconds(60), isDrainRequested: true), sent: self.start)
        _ = board.renewed(self.lease, HeartbeatReply(ttl: .seconds(60)), sent: self.start)
        #expect(board.isDrainRequested)
    }

    @Test func whatHangsLongestIsFound() throws {
        var board = self.board()
        let limits = StallLimits(computing: .seconds(900), store: .seconds(1800))
        let (computed, published) = (try self.shard(0), try self.shard(1))
        board.hold(computed)
        board.enter(.computing, Claim(computed))
        board.hold(published)
        board.enter(.publishing, Claim(published))
        let none = board.pass(.seconds(900), limits)
        #expect(none == nil)
        board.report(Claim(computed), samples: 1, tokens: 1)
        let still = board.pass(.seconds(899), limits)
        #expect(still == nil)
        board.report(Claim(computed), samples: 1, tokens: 1)
        let found = board.pass(.seconds(2), limits)
        let stall = try #require(found)
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
