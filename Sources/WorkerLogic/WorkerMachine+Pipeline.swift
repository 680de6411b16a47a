internal import JobQueue
internal import Logging

// What can be done now is done, whatever the event was.
extension WorkerMachine {
    /// Does one thing that can be done now; false when there is none.
    mutating func step() -> Bool {
        self.stepOfStore() || self.stepOfSettlement() || self.stepOfDevice() || self.stepOfNext()
            || self.stepOfPrefetch() || self.stepOfErrand() || self.stepOfLeaving()
    }

    /// Nothing of a shard that was given back is still under way.
    var isClear: Bool {
        guard self.returning.isEmpty else { return false }
        for purpose in self.calls.values {
            switch purpose {
            case .release, .prefetch, .urgent, .begin: return false
            default: continue
            }
        }
        return true
    }

    /// The device and the place before it are empty.
    var hasRoom: Bool {
        guard self.current == nil, self.computed == nil, self.next == nil else { return false }
        return self.isClear
    }

    // MARK: Claiming

    mutating func stepOfErrand() -> Bool {
        guard self.phase == .starting || self.phase == .working else { return false }
        if let errand = self.errand {
            guard !errand.isAsking else { return false }
            if let retryAt = errand.patience.retryAt, self.now < retryAt, !self.isOver { return false }
            self.errand?.patience.retryAt = nil
            return self.pursue(errand)
        }
        guard self.phase == .working, self.hasRoom, !self.isOver, self.idle == nil, let board = self.board else {
            return false
        }
        // What is adrift is settled before anything is claimed, or this worker would take it from itself.
        guard board.adrift.isEmpty else { return false }
        guard self.rest == nil else { return false }
        if let pause = self.health.pause(using: &self.random) {
            // A worker that fails at once would otherwise take all there is, and use up the attempts of every shard.
            self.say(
                .warning, "one shard after the other fails here; waiting before the next, so that others can take them",
                ["failures": "\(self.health.failuresInRow)", "wait": "\(pause.rounded)"])
            self.rest = self.now + pause
            return true
        }
        self.errand = Errand(stage: .start, sent: self.now)
        return true
    }

    mutating func pursue(_ errand: Errand) -> Bool {
        if case .registering = errand.stage {
            if self.isOver {
                self.errand = nil
                return true
            }
            self.askForErrand(.register(self.description, ttl: self.options.leaseTTL))
            return true
        }
        guard let board = self.board, !self.isOver, board.adrift.isEmpty else {
            self.errand = nil
            return true
        }
        guard board.isSafe(at: self.now) else {
            // The heartbeat may be the only one that has no way to the database.
            guard self.now >= board.end else { return false }
            self.renewForErrand()
            return true
        }
        self.isWoken = false
        self.errand?.stage = .claiming
        self.askForErrand(.claim(board.lease, self.request()))
        return true
    }

    mutating func renewForErrand() {
        guard let renewal = self.renewal(on: .work, .errand) else { return }
        self.errand?.stage = .renewing(renewal)
        self.errand?.isAsking = true
    }

    mutating func askForErrand(_ question: QueueCall.Question) {
        self.errand?.isAsking = true
        self.errand?.sent = self.now
        self.ask(question, .errand)
    }

    /// What this worker can take now.
    func request(above priority: Priority? = nil, isPrefetch: Bool = false) -> ClaimRequest {
        ClaimRequest(
            run: self.options.run, above: priority, isPrefetch: isPrefetch,
            excluding: self.health.shunned(at: self.now), without: self.health.missingModels(at: self.now))
    }

    mutating func errandAnswered(_ answer: QueueAnswer) {
        guard let errand = self.errand else { return }
        self.errand?.isAsking = false
        if case .renewing(let renewal) = errand.stage {
            return self.errandRenewed(self.goOn(renewal, .success(answer)))
        }
        self.isBack()
        switch (errand.stage, answer) {
        case (.registering, .registered(let lease)):
            self.errand = nil
            self.board = LeaseBoard(lease, safeUntil: errand.sent + lease.safeDuration)
            self.phase = .working
            self.watched = self.now
            self.beatAt = self.now + lease.heartbeatInterval
            self.beatBackoff = Backoff(first: lease.heartbeatInterval / 16, longest: lease.heartbeatInterval)
        case (_, .claimed(let shard?)):
            self.errand = nil
            let claim = self.hold(shard)
            self.isWanted ? self.begin(claim) : self.giveBack(claim)
        case (.claiming, .claimed(nil)):
            // What is due now and then may have made something claimable.
            self.errand?.stage = .doingChores
            self.askForErrand(.doDueChores)
        case (.doingChores, .didChores(true)):
            guard let lease = self.board?.lease else { return }
            self.errand?.stage = .claimingAgain
            self.askForErrand(.claim(lease, self.request()))
        case (.doingChores, .didChores(false)), (.claimingAgain, .claimed(nil)):
            guard self.options.endsWhenDrained else { return self.foundNothing() }
            self.errand?.stage = .counting
            self.askForErrand(.openShardCount(self.options.run))
        case (.counting, .open(let count)):
            // What is being published may fail, and be there to be tried again.
            guard self.settlement == nil else { return self.foundNothing() }
            if count == 0 {
                self.errand = nil
                self.isFinished = true
            } else {
                self.health.foundNothing()
                self.sayWhetherToLeave()
                self.foundNothing()
            }
        default: self.fail("the queue answered another question than was asked")
        }
    }

    /// There is nothing to claim now.
    mutating func foundNothing() {
        self.errand = nil
        guard self.settlement == nil else {
            self.idle = .untilSettled
            return
        }
        self.idleSince = nil
        if !self.isWoken { self.idle = .untilWoken }
    }

    mutating func errandRenewed(_ step: RenewalStep) {
        switch step {
        case .goesOn(let renewal):
            self.errand?.stage = .renewing(renewal)
            self.errand?.isAsking = true
        case .done: self.errand?.stage = .start
        case .failed(let error): self.errandFailed(error)
        }
    }

    mutating func errandFailed(_ error: QueueError) {
        guard var errand = self.errand else { return }
        errand.isAsking = false
        self.errand = errand
        let isRegistering: Bool
        switch errand.stage {
        case .renewing(let renewal):
            // The renewal's own step; a second failure of it is dealt with below.
            if case .beating = renewal.stage, error.code == .leaseLost {
                return self.errandRenewed(self.goOn(renewal, .failure(error)))
            }
            isRegistering = false
        case .registering: isRegistering = true
        default: isRegistering = false
        }
        if !isRegistering { errand.stage = .start }
        if error.isPassing, self.isWanted {
            let task = isRegistering ? "register" : "claim a shard"
            if self.wait(&errand.patience, error, doing: task, migration: Self.migrationPatience) {
                self.errand = errand
                return
            }
        } else if error.code == .leaseLost, !isRegistering {
            // The worker was declared dead: it needs another lease before it can claim.
            self.isBack()
            self.errand = errand
            guard errand.hasRenewed else {
                self.errand?.hasRenewed = true
                return self.renewForErrand()
            }
            self.errand?.hasRenewed = false
            self.errand?.patience.retryAt = self.now + errand.patience.backoff.pause(using: &self.random)
            return
        } else if error.code == .cancelled || error.isPassing {
            // Asked to end.
            self.errand = nil
            return
        } else {
            self.isBack()
        }
        self.errand = nil
        self.fail("\(error)")
    }

    /// Ends the worker with an error, once what it has in hand is settled.
    mutating func fail(_ message: String) {
        self.errand = nil
        self.failure = self.failure ?? ExecutionError(.permanent, message)
    }

    // MARK: Shards in hand

    /// Takes a shard in hand and begins to prepare it.
    mutating func hold(_ shard: ClaimedShard) -> Claim {
        let claim = Claim(shard)
        self.board?.hold(shard)
        self.holds[claim] = Hold(
            shard: shard, since: self.now, store: StorePatience(end: self.now + self.options.storePatience))
        self.actions.append(.prepare(shard))
        return claim
    }

    mutating func prepared(_ claim: Claim, _ error: ExecutionError?) {
        guard var hold = self.holds[claim], !hold.isPrepared else { return }
        hold.error = error
        if let error, self.returning[claim] == nil {
            if let retryAt = self.weigh(error, &hold.store, of: hold.shard, "can't be read") {
                hold.store.retryAt = retryAt
                self.holds[claim] = hold
                return
            }
            hold.error = self.verdict(error, on: hold.shard, "can't be read")
        } else if error == nil, hold.store.backoff.failures > 0 {
            self.say(.notice, "the store can be read again", of: hold.shard)
        }
        self.isPrepared(claim, &hold)
    }

    mutating func isPrepared(_ claim: Claim, _ hold: inout Hold) {
        hold.isPrepared = true
        hold.store.retryAt = nil
        self.holds[claim] = hold
        self.board?.note(nil, for: claim)
        self.pace.prepared(in: self.now - hold.since)
        self.board?.enter(.waiting, claim)
    }

    /// When to try again what the store refuses; nil when it is not to be tried again.
    mutating func weigh(
        _ error: ExecutionError, _ store: inout StorePatience, of shard: ClaimedShard, _ trouble: String
    ) -> Instant? {
        let claim = Claim(shard)
        guard error.isOfStore, self.board?.loss(of: claim) == nil, self.now < store.end else { return nil }
        // It answers, even if it is with an error.
        self.board?.sign(of: claim)
        self.board?.note("the store \(trouble): \(error)", for: claim)
        if store.backoff.failures == 0 {
            self.say(
                .warning,
                "the store \(trouble); trying again for \(Int(self.options.storePatience.inSeconds)) s",
                ["error": "\(error)"], of: shard)
        }
        guard self.isWanted else { return nil }
        return min(store.end, self.now + store.backoff.pause(using: &self.random))
    }

    /// What an error of the store comes to that is waited for no longer: every node may be without the store, so it is no
    /// fault of the shard's.
    func verdict(_ error: ExecutionError, on shard: ClaimedShard, _ trouble: String) -> ExecutionError {
        guard error.isOfStore else { return error }
        guard self.isWanted else {
            return ExecutionError(.cancelled, "asked to end while the store \(trouble)")
        }
        return error.code == .storeUnavailable || trouble == "can't be read"
            ? ExecutionError(.nodeFault, error.message) : error
    }

    /// Tries again what the store refused, or gives it up.
    mutating func stepOfStore() -> Bool {
        for claim in self.holds.keys.sorted() {
            guard var hold = self.holds[claim], let retryAt = hold.store.retryAt else { continue }
            if !self.isWanted || self.board?.loss(of: claim) != nil || self.returning[claim] != nil {
                hold.error = ExecutionError(.cancelled, "given up while the store can't be read")
                self.isPrepared(claim, &hold)
                return true
            }
            guard self.now >= retryAt else { continue }
            hold.store.retryAt = nil
            self.holds[claim] = hold
            self.actions.append(.prepare(hold.shard))
            return true
        }
        for (claim, isReleased) in self.returning.sorted(by: { $0.key < $1.key }) {
            // What it may have of an engine must be gone before another model is loaded.
            guard let hold = self.holds[claim], hold.isPrepared else { continue }
            self.returning[claim] = nil
            let loss = self.drop(claim)
            if isReleased, loss != .lost { self.ask(.release(hold.shard, note: nil), .release(hold.shard)) }
            return true
        }
        return false
    }

    /// Gives a shard back that was not begun.
    mutating func giveBack(_ claim: Claim, releasing: Bool = true) {
        self.returning[claim] = releasing
        if self.holds[claim]?.isPrepared == false { self.actions.append(.stop(claim)) }
    }

    @discardableResult
    mutating func drop(_ claim: Claim) -> LeaseBoard.Loss? {
        self.holds[claim] = nil
        self.actions.append(.forget(claim))
        return self.board?.drop(claim)
    }

    // MARK: The shard that was claimed ahead

    /// Claims the next shard beside one that is computed, when it is time for it.
    mutating func stepOfPrefetch() -> Bool {
        guard case .at(let time) = self.current?.prefetch, self.now >= time else { return false }
        self.current?.prefetch = .off
        guard !self.isOver, let board = self.board, board.isSafe(at: self.now), board.adrift.isEmpty else {
            return true
        }
        self.ask(.claim(board.lease, self.request(isPrefetch: true)), .prefetch)
        return true
    }

    mutating func stepOfNext() -> Bool {
        guard let next = self.next, !next.isAsked, self.current == nil, self.computed == nil, self.isClear,
            let board = self.board, let shard = self.holds[next.claim]?.shard
        else { return false }
        if self.isOver || board.loss(of: next.claim) != nil {
            // A shard that is given up after all may make room for this one.
            guard self.settlement == nil || !self.isWanted || board.loss(of: next.claim) != nil else { return false }
            self.next = nil
            self.giveBack(next.claim)
            return true
        }
        self.next?.isAsked = true
        // What is more urgent goes first.
        if shard.priority < .urgent, board.isSafe(at: self.now), board.adrift.isEmpty {
            self.ask(.claim(board.lease, self.request(above: shard.priority)), .urgent)
        } else {
            self.ask(.begin(shard), .begin)
        }
        return true
    }

    mutating func urgentAnswered(_ answer: QueueAnswer) {
        guard let next = self.next, let shard = self.holds[next.claim]?.shard else { return }
        guard case .claimed(let urgent?) = answer else { return self.askToBegin(shard) }
        self.say(
            .info, "given back for a shard of a higher tier", ["instead": "\(urgent.key)"], of: shard)
        self.next = nil
        self.giveBack(next.claim)
        let claim = self.hold(urgent)
        self.isWanted ? self.begin(claim) : self.giveBack(claim)
    }

    mutating func askToBegin(_ shard: ClaimedShard) { self.ask(.begin(shard), .begin) }

    // MARK: The device

    /// A shard is the next one on the device; it is computed once it is prepared.
    mutating func begin(_ claim: Claim) {
        guard let shard = self.holds[claim]?.shard else { return }
        guard self.isWanted else { return self.giveBack(claim) }
        self.begun += 1
        var prefetch = Current.Prefetch.off
        if self.options.prefetches, self.health.isFit {
            let delay = self.pace.delay(shard.job, rows: shard.rowCount)
            prefetch = delay.map { .at(self.now + $0) } ?? .whenNearEnd
        }
        self.current = Current(claim: claim, prefetch: prefetch)
    }

    mutating func stepOfDevice() -> Bool {
        guard let current = self.current, current.began == nil, let hold = self.holds[current.claim], hold.isPrepared,
            self.returning.isEmpty
        else { return false }
        if let error = hold.error {
            self.leaveDevice(current, error)
        } else if self.isAbandoned || self.board?.loss(of: current.claim) != nil {
            self.leaveDevice(current, ExecutionError(.cancelled, "stopped"))
        } else {
            self.current?.began = self.now
            self.board?.enter(.computing, current.claim)
            if let idleSince = self.idleSince { self.summary.idleSeconds += (self.now - idleSince).inSeconds }
            self.actions.append(.compute(current.claim))
        }
        return true
    }

    mutating func computed(_ claim: Claim, _ error: ExecutionError?) {
        guard let current = self.current, current.claim == claim, let began = current.began else { return }
        self.board?.enter(.waiting, claim)
        self.idleSince = self.now
        self.summary.deviceSeconds += (self.now - began).inSeconds
        if error == nil, let shard = self.holds[claim]?.shard {
            self.pace.computed(shard.job, rows: shard.rowCount, in: self.now - began)
        }
        self.leaveDevice(current, error)
    }

    mutating func leaveDevice(_ current: Current, _ error: ExecutionError?) {
        self.current = nil
        guard let shard = self.holds[current.claim]?.shard else { return }
        self.computed = Settlement(
            shard: shard, seconds: current.began.map { (self.now - $0).inSeconds } ?? 0, error: error,
            store: StorePatience(end: self.now + self.options.storePatience))
    }

    // MARK: Leaving

    mutating func stepOfLeaving() -> Bool {
        switch self.phase {
        case .starting:
            guard self.errand == nil else { return false }
            self.end()
            return true
        case .working:
            guard self.isOver, self.hasRoom, self.errand == nil, self.settlement == nil else { return false }
            self.phase = .leaving
            self.stopBeating()
            return true
        case .leaving:
            guard !self.isLeavingQueue, self.beat == nil, let lease = self.board?.lease else { return false }
            guard !self.hasLeft else {
                self.end()
                return true
            }
            self.ask(.deregister(lease, note: self.health.reasonToLeave), .farewell)
            return true
        case .ended: return false
        }
    }

    /// A call that ends the lease is under way.
    var isLeavingQueue: Bool {
        self.calls.values.contains {
            switch $0 {
            case .stallFailure, .stallLeaving, .leaving, .farewell, .stray: true
            default: false
            }
        }
    }

    mutating func end() {
        self.phase = .ended
        self.summary.reasonForLeaving = self.health.reasonToLeave
        self.actions.append(.end(self.summary, self.failure))
    }
}
