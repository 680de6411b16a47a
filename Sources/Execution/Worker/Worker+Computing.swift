internal import JobQueue

extension Worker {
    /// Computes a shard, until it is done or taken away.
    ///
    /// - Parameter progress: Told the samples done so far.
    func compute(
        _ held: HeldShard, _ tenure: Tenure, progress: @escaping @Sendable (_ samples: Int) -> Void
    ) async -> Computation {
        let (shard, board) = (held.shard, tenure.board)
        let work = Task {
            switch await held.preparation.value {
            case .failure(let error): return Computation(result: .failure(error), duration: .zero)
            case .success where Task.isCancelled:
                return Computation(result: .failure(ExecutionError(.cancelled, "stopped")), duration: .zero)
            case .success(let prepared): return await self.compute(prepared, shard, board, progress)
            }
        }
        let stop = { @Sendable in
            held.preparation.cancel()
            work.cancel()
        }
        board.onLoss(of: shard, stop)
        return await withTaskCancellationHandler {
            await work.value
        } onCancel: {
            stop()
        }
    }

    private func compute(
        _ prepared: any PreparedShard, _ shard: ClaimedShard, _ board: LeaseBoard,
        _ progress: @escaping @Sendable (_ samples: Int) -> Void
    ) async -> Computation {
        board.enter(.computing, shard)
        let start = self.clock.now
        if let idleSince = self.idleSince { self.summary.idleSeconds += (start - idleSince).seconds }
        let result = await Result.of { () async throws(ExecutionError) in
            try await prepared.compute { samples, tokens in
                board.report(shard, samples: samples, tokens: tokens)
                progress(samples)
            }
        }
        board.enter(.waiting, shard)
        let end = self.clock.now
        self.idleSince = end
        self.summary.deviceSeconds += (end - start).seconds
        if case .success = result { self.prefetchClock.computed(shard.job, rows: shard.rowCount, in: end - start) }
        return Computation(result: result, duration: end - start)
    }
}
