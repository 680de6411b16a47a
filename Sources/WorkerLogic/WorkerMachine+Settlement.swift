internal import JobQueue
internal import Logging

// From a computed shard to what the queue knows of it.
extension WorkerMachine {
    // MARK: Publishing and committing

    mutating func stepOfSettlement() -> Bool {
        guard var settlement = self.settlement else {
            // No more than one is published at a time.
            guard var computed = self.computed.take() else { return false }
            computed.store = StorePatience(end: self.now + self.options.storePatience)
            self.settlement = computed
            if computed.error == nil {
                self.publish(computed.claim)
            } else {
                self.settleFailure()
            }
            return true
        }
        let loss = self.board?.loss(of: settlement.claim)
        if let retryAt = settlement.store.retryAt {
            guard self.now >= retryAt || !self.isWanted || loss != nil else { return false }
            settlement.store.retryAt = nil
            self.settlement = settlement
            if self.isWanted, loss == nil {
                self.publish(settlement.claim)
            } else {
                self.settlement?.error = ExecutionError(.cancelled, "asked to end while the store takes no results")
                self.settleFailure()
            }
            return true
        }
        guard settlement.call == nil, let question = settlement.question, let retryAt = settlement.patience.retryAt
        else { return false }
        if self.isAbandoned {
            self.settlement?.patience.retryAt = nil
            self.settlementFailed(QueueError(.cancelled, "stopped while waiting"))
            return true
        }
        if self.isOthers(question, loss) {
            self.settlement?.patience.retryAt = nil
            self.concludeLoss(question)
            return true
        }
        guard self.now >= retryAt else { return false }
        self.settlement?.patience.retryAt = nil
        self.askForSettlement(question)
        return true
    }

    mutating func publish(_ claim: Claim) {
        self.board?.enter(.publishing, claim)
        self.actions.append(.publish(claim))
    }

    mutating func published(_ claim: Claim, _ result: Result<ShardPublication, ExecutionError>) {
        guard var settlement = self.settlement, settlement.claim == claim, settlement.question == nil else { return }
        switch result {
        case .success(var publication):
            if settlement.store.backoff.failures > 0 { self.say(.notice, "the store takes results again", of: claim) }
            self.board?.note(nil, for: claim)
            publication.seconds = settlement.seconds
            self.board?.enter(.committing, claim)
            // A lease that ran out or was lost is no reason to throw the result away: if nobody else has claimed the shard
            // since, it is still good.
            if self.board?.loss(of: claim) == .lost { return self.concludeLoss(.commit(publication)) }
            self.askForSettlement(.commit(publication))
        case .failure(let error):
            let retryAt = self.weigh(error, &settlement.store, of: settlement.shard, "takes no results")
            settlement.store.retryAt = retryAt
            settlement.error = self.verdict(error, on: settlement.shard, "takes no results")
            self.settlement = settlement
            guard retryAt == nil else { return }
            self.settleFailure()
        }
    }

    /// Records why there is no result, or gives the shard back.
    mutating func settleFailure() {
        guard let settlement = self.settlement, let error = settlement.error else { return }
        let (shard, claim) = (settlement.shard, settlement.claim)
        self.board?.note(nil, for: claim)
        // On the board until all is said, or the queue would take it for a claim that this worker does not know of.
        self.board?.enter(.committing, claim)
        let loss = self.board?.loss(of: claim)
        guard error.code.isFailure, loss == nil else {
            var note: String?
            if loss == nil, error.code != .cancelled {
                note = "\(error)"
                self.lacks(error, for: shard)
            } else {
                self.say(.notice, "shard given up", ["reason": loss.map { "\($0)" } ?? "abandoned"], of: shard)
            }
            return loss == .lost ? self.concludeRelease() : self.releaseSettled(note: note)
        }
        self.say(.error, "shard failed", ["error": "\(error)"], of: shard)
        self.summary.failed += 1
        if error.code != .permanent { self.health.failed() }
        self.askForSettlement(
            .fail(
                ShardFailure(
                    message: error.message, isPermanent: error.code == .permanent, seconds: settlement.seconds)))
    }

    mutating func askForSettlement(_ question: Settlement.Question) {
        guard let shard = self.settlement?.shard else { return }
        let call =
            switch question {
            case .commit(let publication): self.ask(.commit(shard, publication), .settlement)
            case .fail(let failure): self.ask(.fail(shard, failure), .settlement)
            case .release(let note): self.ask(.release(shard, note: note), .settlement)
            }
        self.settlement?.question = question
        self.settlement?.call = call
    }

    mutating func settlementAnswered(_ answer: QueueAnswer) {
        guard let settlement = self.settlement, let question = settlement.question else { return }
        self.settlement?.call = nil
        let shard = settlement.shard
        switch (question, answer) {
        case (.commit(let publication), .committed(.committed)), (.commit(let publication), .committed(.already)):
            self.isBack()
            self.summary.committed += 1
            self.health.committed(shard.job)
            self.summary.samples += publication.samples
            self.summary.tokens += publication.tokens
            self.say(.info, "shard committed", ["path": "\(publication.path)"], of: shard)
            self.concludeSettlement()
        case (.commit, .committed(.fenced)):
            self.isBack()
            self.concludeFenced("the shard is another worker's by now; this result does not count")
        case (.commit, .committed(.unlike)):
            // Workers that have the engine of the job's other results may do the shard.
            self.isBack()
            self.say(
                .warning, "the job's first result came from another engine than this worker's; shard given back",
                of: shard)
            self.health.isUnlike(shard.job, at: self.now)
            self.releaseSettled(note: "the first result of the job came from another engine than this worker's")
        case (.fail(let failure), .recorded(.jobIsLocked)):
            // A job that stays locked must not tie up the worker.
            self.isBack()
            self.say(
                .warning, "the failure can't be recorded while somebody keeps the job locked; shard given back",
                of: shard)
            self.askForSettlement(.release(note: "failed while somebody kept the job locked: \(failure.message)"))
        case (.fail, .recorded(let outcome)):
            self.isBack()
            if outcome == .failed { self.summary.givenUp += 1 }
            self.concludeSettlement()
        default: self.concludeSettlement()
        }
    }

    mutating func settlementFailed(_ error: QueueError) {
        guard var settlement = self.settlement, let question = settlement.question else { return }
        settlement.call = nil
        self.settlement = settlement
        let shard = settlement.shard
        let task: String
        switch question {
        case .release:
            self.say(
                .warning, "could not give the shard back; its lease runs out", ["error": "\(error)"], of: shard)
            return self.concludeSettlement()
        case .commit: task = "commit a shard"
        case .fail: task = "record a failure"
        }
        if error.isPassing {
            if self.isOthers(question, self.board?.loss(of: settlement.claim)) { return self.concludeLoss(question) }
            guard self.isAbandoned else {
                _ = self.wait(&settlement.patience, error, doing: task)
                self.settlement = settlement
                return
            }
        }
        guard error.isPassing || error.code == .cancelled else {
            self.isBack()
            self.fail(
                task == "commit a shard"
                    ? "\(shard.key) could not be committed: \(error)"
                    : "the failure of \(shard.key) could not be recorded: \(error)")
            return self.concludeSettlement()
        }
        guard case .commit = question else { return self.concludeSettlement() }
        // Whether the commit went through is the database's to know; the shard is offered back either way.
        self.say(.notice, "abandoned while committing", of: shard)
        self.releaseSettled(note: nil)
    }

    /// Once the shard is another worker's, there is nothing to say of it any more.
    func isOthers(_ question: Settlement.Question, _ loss: LeaseBoard.Loss?) -> Bool {
        switch question {
        case .commit: loss == .lost
        case .fail: loss != nil
        case .release: false
        }
    }

    mutating func concludeLoss(_ question: Settlement.Question) {
        guard case .commit = question else { return self.concludeSettlement() }
        self.concludeFenced("another worker has the shard by now; the result was not committed and is not needed")
    }

    mutating func concludeFenced(_ message: String) {
        self.summary.fenced += 1
        self.begun -= 1
        if let claim = self.settlement?.claim { self.say(.warning, message, of: claim) }
        self.concludeSettlement()
    }

    mutating func concludeRelease() {
        self.summary.released += 1
        self.begun -= 1
        self.concludeSettlement()
    }

    mutating func releaseSettled(note: String?) {
        self.summary.released += 1
        self.begun -= 1
        self.askForSettlement(.release(note: note))
    }

    mutating func concludeSettlement() {
        guard let settlement = self.settlement.take() else { return }
        self.drop(settlement.claim)
        if self.idle == .untilSettled { self.idle = nil }
    }

    /// Notes what this node lacks for a shard, which is given back for others.
    mutating func lacks(_ error: ExecutionError, for shard: ClaimedShard) {
        switch error.code {
        case .nodeFault: self.health.lacks(error, for: shard.job, model: shard.model, at: self.now)
        case .storeRefused: self.health.isOfNoUse(error.message)
        default: return
        }
        self.say(.warning, "shard given back: it can't be worked on here", ["reason": "\(error)"], of: shard)
        self.sayWhetherToLeave()
    }
}
