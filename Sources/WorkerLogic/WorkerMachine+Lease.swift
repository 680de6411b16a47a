internal import JobQueue
internal import Logging

// The right to shards: heartbeats, another lease when one was lost, and leaving the queue whatever hangs.
extension WorkerMachine {
    // MARK: The lease

    func watchInterval(_ board: LeaseBoard) -> Duration { min(board.lease.heartbeatInterval, .seconds(1)) }

    /// Looks whether the lease is in danger and whether work hangs, whatever the heartbeat does.
    mutating func watch() {
        guard let board = self.board, self.stall == nil, !self.isLeaving, self.phase != .ended else { return }
        let interval = self.watchInterval(board)
        guard self.now >= self.watched + interval else { return }
        // Time in which this process or its machine stood still is nobody's silence.
        let awake = min(self.now - self.watched, interval * 2)
        self.watched = self.now
        let limits = self.options.stallLimits
        if let stall = self.board?.pass(awake, limits) { return self.leave(stall) }
        let wasInDanger = self.isInDanger
        self.isInDanger = !board.isSafe(at: self.now)
        if self.isInDanger, !wasInDanger {
            self.say(
                .warning, "the lease could not be renewed in time; what was begun goes on, and nothing else is begun")
        }
    }

    mutating func beatWhenDue() {
        guard self.phase == .working || self.phase == .starting, self.stall == nil, !self.isLeaving, self.beat == nil,
            let beatAt = self.beatAt, self.now >= beatAt
        else { return }
        self.beatAt = nil
        self.beat = self.renewal(on: .heartbeat, .beat)
    }

    mutating func renewal(on lane: QueueCall.Lane, _ purpose: Purpose) -> Renewal? {
        guard let board = self.board else { return nil }
        let lease = board.lease
        self.ask(
            .heartbeat(
                lease, holding: board.holding(under: lease),
                note: board.trouble ?? self.health.trouble(at: self.now)?.text),
            purpose, on: lane, within: lease.heartbeatTimeout)
        return Renewal(lane: lane, lease: lease, sent: self.now)
    }

    mutating func beatAnswered(_ answer: QueueAnswer) {
        guard let beat = self.beat.take() else { return }
        self.follow(self.goOn(beat, .success(answer)))
    }

    mutating func follow(_ step: RenewalStep) {
        guard let board = self.board else { return }
        switch step {
        case .goesOn(let renewal): self.beat = renewal
        case .done:
            self.beatBackoff?.reset()
            if let (lasted, failures) = self.beatOutage.ended(at: self.now) { self.sayBack(lasted, failures) }
            self.beatAt = self.now + board.lease.heartbeatInterval
        case .failed(let error):
            guard error.code != .cancelled else {
                self.beatAt = self.now + board.lease.heartbeatInterval
                return
            }
            let isFirst = self.beatOutage.failed(at: self.now)
            self.sayOutage(isFirst, error, doing: "renew the lease")
            self.beatAt = self.now + (self.beatBackoff?.pause(using: &self.random) ?? board.lease.heartbeatInterval)
        }
    }

    /// Takes the answer to a step of a renewal: renews the lease, or gets another one if the worker was declared dead, and
    /// asks whether older claims are still good.
    mutating func goOn(_ old: Renewal, _ answer: Result<QueueAnswer, QueueError>) -> RenewalStep {
        var renewal = old
        let purpose: Purpose = renewal.lane == .heartbeat ? .beat : .errand
        switch (renewal.stage, answer) {
        case (.beating, .success(.renewed(let reply))):
            self.stop(self.board?.renewed(renewal.lease, reply, sent: renewal.sent) ?? [])
        case (.beating, .failure(let error)) where error.code == .leaseLost:
            // It may have been replaced meanwhile, over the other way to the database.
            guard self.board?.lease == renewal.lease, !self.isLeaving else { break }
            renewal.stage = .registering
            renewal.sent = self.now
            self.ask(
                .register(self.description, ttl: renewal.lease.ttl), purpose, on: renewal.lane,
                within: renewal.lease.heartbeatTimeout)
            return .goesOn(renewal)
        case (.registering, .success(.registered(let lease))):
            guard !self.isLeaving, let stopped = self.board?.replace(renewal.lease, by: lease, sent: renewal.sent)
            else {
                self.ask(.deregister(lease, note: nil), .stray, on: renewal.lane, within: lease.heartbeatTimeout)
                return .done
            }
            self.stop(stopped)
            self.say(
                .warning,
                "the worker was declared dead; registered again, and what was begun counts unless others claim it first",
                ["worker": "\(renewal.lease.worker)", "registered_as": "\(lease.worker)"])
        case (.askingForClaims, .success(.superseded(let shards))):
            self.stop(self.board?.supersede(shards) ?? [])
            return .done
        case (_, .failure(let error)): return .failed(error)
        default: return .failed(QueueError(.internalFailure, "the queue answered another question than was asked"))
        }
        guard let adrift = self.board?.adrift, !adrift.isEmpty else { return .done }
        renewal.stage = .askingForClaims
        self.ask(
            .supersededClaims(among: adrift), purpose, on: renewal.lane, within: renewal.lease.heartbeatTimeout)
        return .goesOn(renewal)
    }

    mutating func stop(_ claims: [Claim]) {
        for claim in claims { self.actions.append(.stop(claim)) }
    }

    // MARK: Leaving while something hangs

    mutating func leave(_ stall: Stall) {
        self.stall = stall
        self.say(.error, "\(stall); ending this process, so that others get its shards")
        self.stopBeating()
        guard stall.phase == .computing else { return self.leaveAfterStall() }
        // It may be the shard that hangs the device: an attempt, or it would go round for ever.
        self.ask(
            .fail(stall.shard, ShardFailure(message: "\(stall)", isPermanent: false, seconds: 0)), .stallFailure,
            on: .heartbeat, within: Self.farewell)
    }

    mutating func leaveAfterStall() {
        guard let lease = self.board?.lease, let stall = self.stall else { return }
        self.ask(.deregister(lease, note: "\(stall)"), .stallLeaving, on: .heartbeat, within: Self.farewell)
    }

    mutating func leftAfterStall() {
        self.hasLeft = true
        if let stall = self.stall { self.actions.append(.stalled("\(stall)")) }
    }

    mutating func leaveAtOnce() {
        guard self.phase != .ended, let lease = self.board?.lease, !self.isLeaving else {
            return self.actions.append(.left)
        }
        self.isLeaving = true
        self.stopBeating()
        self.ask(.deregister(lease, note: nil), .leaving, on: .heartbeat, within: Self.farewell)
    }

    mutating func stopBeating() {
        self.beatAt = nil
        for (id, purpose) in self.calls {
            if case .beat = purpose { self.actions.append(.abort(id)) }
        }
    }
}
