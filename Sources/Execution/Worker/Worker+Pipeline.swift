internal import JobQueue
internal import UVEventLoop

extension Worker {
    /// Works until nothing is left or the worker is to end; false when the lease was lost.
    func work(_ tenure: Tenure) async throws(ExecutionError) -> Bool {
        self.idleSince = nil
        let result = await Result.of { () async throws(ExecutionError) in try await self.advance(tenure) }
        if let next = self.next.take() { await self.giveBack(next, tenure) }
        try await self.settled()
        return try result.get()
    }

    private func advance(_ tenure: Tenure) async throws(ExecutionError) -> Bool {
        var wakeups = self.wakeups.makeAsyncIterator()
        while try await !self.isOver(tenure) {
            if tenure.board.isLost { return false }
            if let next = self.next.take() {
                try await self.process(await self.moreUrgent(than: next, tenure) ?? next, tenure)
                continue
            }
            await self.rest()
            switch try await self.claim(tenure) {
            case .shard(let shard): try await self.process(self.hold(shard, tenure), tenure)
            case .leaseLost: return false
            case .nothingNow where self.settling == nil:
                self.idleSince = nil
                await wakeups.next(isolation: #isolation)
            case .nothingLeft where self.settling == nil: return true
            // What is being published may fail, and be there to be tried again.
            case .nothingNow, .nothingLeft: try await self.settled()
            }
        }
        return !tenure.board.isLost
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
        let computation = await self.compute(held, tenure)
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
