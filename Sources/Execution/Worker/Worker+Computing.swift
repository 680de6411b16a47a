internal import JobQueue

extension Worker {
    /// Computes a shard, until it is done or taken away.
    func compute(_ held: HeldShard, _ tenure: Tenure) async -> Computation {
        let (shard, board) = (held.shard, tenure.board)
        let work = Task {
            switch await held.preparation.value {
            case .failure(let error): return Computation(result: .failure(error), duration: .zero)
            case .success where Task.isCancelled:
                return Computation(result: .failure(ExecutionError(.cancelled, "stopped")), duration: .zero)
            case .success(let prepared): return await self.compute(prepared, shard, board)
            }
        }
        let stop = { @Sendable in
            held.preparation.cancel()
            work.cancel()
        }
        board.onLoss(of: shard.key, stop)
        return await withTaskCancellationHandler {
            await work.value
        } onCancel: {
            stop()
        }
    }

    private func compute(
        _ prepared: any PreparedShard, _ shard: ClaimedShard, _ board: LeaseBoard
    ) async -> Computation {
        let start = self.clock.now
        if let idleSince = self.idleSince { self.summary.idleSeconds += (start - idleSince).seconds }
        let result = await Result.of { () async throws(ExecutionError) in
            try await prepared.compute { samples, tokens in
                board.report(shard.progress(samples: samples, tokens: tokens))
            }
        }
        let end = self.clock.now
        self.idleSince = end
        self.summary.deviceSeconds += (end - start).seconds
        if case .success = result { self.prefetchClock.computed(rows: shard.rowCount, in: end - start) }
        return Computation(result: result, duration: end - start)
    }
}
