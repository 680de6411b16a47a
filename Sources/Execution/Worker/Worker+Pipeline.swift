internal import JobQueue
internal import UVEventLoop

extension Worker {
    /// Works until nothing is left or the worker is to end.
    func work(_ tenure: Tenure) async throws(ExecutionError) {
        let result = await Result.of { () async throws(ExecutionError) in try await self.advance(tenure) }
        if let next = self.next.take() { await self.giveBack(next, tenure) }
        try await self.settled()
        try result.get()
    }

    private func advance(_ tenure: Tenure) async throws(ExecutionError) {
        var wakeups = self.wakeups.makeAsyncIterator()
        while try await !self.isOver(tenure) {
            tenure.board.note(self.health.trouble(at: self.clock.now))
            if let next = self.next.take() {
                if let urgent = await self.moreUrgent(than: next, tenure) {
                    try await self.process(urgent, tenure)
                } else if await self.begin(next, tenure) {
                    try await self.process(next, tenure)
                }
                continue
            }
            // What is adrift is settled before anything is claimed, or this worker would take it from itself.
            if !tenure.board.adrift.isEmpty { try await self.settled() }
            await self.rest()
            switch try await self.claim(tenure) {
            case .shard(let shard): try await self.process(self.hold(shard, tenure), tenure)
            // What is being published may fail, and be there to be tried again.
            case _ where self.settling != nil: try await self.settled()
            case .nothingLeft: return
            case .nothingClaimable:
                self.foundNothing()
                fallthrough
            case .nothingNow:
                guard !self.isDone else { continue }
                self.idleSince = nil
                await wakeups.next(isolation: #isolation)
            }
        }
    }

    /// The worker is to end, and what it has begun is settled.
    private func isOver(_ tenure: Tenure) async throws(ExecutionError) -> Bool {
        guard self.isDone || tenure.board.isDrainRequested else { return false }
        try await self.settled()
        // A shard that was given up after all makes room for another one.
        return self.isDone || tenure.board.isDrainRequested
    }

    /// Computes a shard while the next one is claimed and prepared, and leaves it to be published beside the next.
    private func process(_ held: HeldShard, _ tenure: Tenure) async throws(ExecutionError) {
        self.begun += 1
        let mayClaim = PendingResult<Bool>()
        let prefetch = self.prefetch(beside: held.shard, mayClaim, tenure)
        let isPaceKnown = self.prefetchClock.delay(held.shard.job, rows: held.shard.rowCount) != nil
        let computation = await self.compute(held, tenure) { samples in
            guard !isPaceKnown, PrefetchClock.isNearEnd(samples: samples, of: held.shard.rowCount) else { return }
            mayClaim.finish(.success(true))
        }
        mayClaim.finish(.success(false))
        // No more than one is published at a time.
        let earlier = await Result.of { () async throws(ExecutionError) in try await self.settled() }
        self.settling = Task { await self.settle(computation, held.shard, tenure) }
        self.next = await withTaskCancellationHandler {
            await prefetch.value
        } onCancel: {
            prefetch.cancel()
        }
        try earlier.get()
    }

    /// Waits until what was computed last is published and committed.
    private func settled() async throws(ExecutionError) {
        guard let settling = self.settling else { return }
        let result = await withTaskCancellationHandler {
            await settling.value
        } onCancel: {
            settling.cancel()
        }
        self.settling = nil
        try result.get()
    }
}
