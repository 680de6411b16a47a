internal import JobQueue
internal import Logging

extension Worker {
    /// Publishes and commits what was computed, or records why it was not.
    func settle(
        _ computation: Computation, _ shard: ClaimedShard, _ tenure: Tenure
    ) async -> Result<Void, ExecutionError> {
        let logger = tenure.logger(for: shard)
        let seconds = computation.duration.seconds
        return await Result.of { () async throws(ExecutionError) in
            let published = await Result.of { () async throws(ExecutionError) in
                try await self.publishPatiently(try computation.result.get(), of: shard, tenure, logger)
            }
            switch published {
            case .success(var publication):
                publication.seconds = seconds
                try await self.commit(publication, of: shard, tenure, logger)
            case .failure(let error):
                try await self.settle(error, seconds: seconds, of: shard, tenure, logger)
            }
        }
    }

    private func settle(
        _ error: ExecutionError, seconds: Double, of shard: ClaimedShard, _ tenure: Tenure, _ logger: Logger
    ) async throws(ExecutionError) {
        let board = tenure.board
        // On the board until all is said, or the queue would take it for a claim that this worker does not know of.
        defer { board.drop(shard) }
        board.enter(.committing, shard)
        let loss = board.loss(of: shard)
        guard error.code.isFailure, loss == nil else {
            var note: String?
            if loss == nil, error.code != .cancelled {
                note = "\(error)"
                self.lacks(error, for: shard, logger)
            } else {
                logger.notice("shard given up", metadata: ["reason": "\(loss.map { "\($0)" } ?? "abandoned")"])
            }
            self.summary.released += 1
            self.begun -= 1
            if loss != .lost { await self.release(shard, tenure, note: note) }
            return
        }
        logger.error("shard failed", metadata: ["error": "\(error)"])
        self.summary.failed += 1
        if error.code != .permanent { self.health.failed() }
        let failure = ShardFailure(message: error.message, isPermanent: error.code == .permanent, seconds: seconds)
        do throws(QueueError) {
            // Once the shard is lost it is another worker's to try.
            let outcome = try await self.patiently("record a failure", while: { board.loss(of: shard) == nil }) {
                queue throws(QueueError) in
                try await queue.fail(shard, failure)
            }
            if outcome == .failed { self.summary.givenUp += 1 }
            // A job that stays locked must not tie up the worker.
            guard outcome == .jobIsLocked else { return }
            logger.warning("the failure can't be recorded while somebody keeps the job locked; shard given back")
            await self.release(
                shard, tenure, note: "failed while somebody kept the job locked: \(error.message)")
        } catch {
            if error.isPassing || error.code == .cancelled { return }
            throw ExecutionError(.permanent, "the failure of \(shard.key) could not be recorded: \(error)")
        }
    }

    /// Commits through outages and migrations, until the database has the last word.
    ///
    /// A lease that ran out or was lost is no reason to throw the result away: if nobody else has claimed the shard since,
    /// it is still good.
    private func commit(
        _ publication: ShardPublication, of shard: ClaimedShard, _ tenure: Tenure, _ logger: Logger
    ) async throws(ExecutionError) {
        let board = tenure.board
        defer { board.drop(shard) }
        board.enter(.committing, shard)
        let isOurs = { @Sendable in board.loss(of: shard) != .lost }
        do throws(QueueError) {
            let outcome = try await self.patiently("commit a shard", while: isOurs) { queue throws(QueueError) in
                try await queue.commit(shard, publication)
            }
            switch outcome {
            case .committed, .already:
                self.summary.committed += 1
                self.health.committed(shard.job)
                self.summary.samples += publication.samples
                self.summary.tokens += publication.tokens
                logger.info("shard committed", metadata: ["path": "\(publication.path)"])
            case .fenced:
                self.fenced("the shard is another worker's by now; this result does not count", logger)
            case .unlike: await self.leave(shard, tenure, logger)
            }
        } catch  where error.isPassing {
            self.fenced("another worker has the shard by now; the commit did not go through and is not needed", logger)
        } catch  where error.code == .cancelled {
            // Whether the commit went through is the database's to know; the shard is offered back either way.
            logger.notice("abandoned while committing")
            self.summary.released += 1
            self.begun -= 1
            await self.release(shard, tenure)
        } catch {
            throw ExecutionError(.permanent, "\(shard.key) could not be committed: \(error)")
        }
    }

    /// Other results of the job come from another engine: workers that have it may do the shard.
    private func leave(_ shard: ClaimedShard, _ tenure: Tenure, _ logger: Logger) async {
        logger.warning("the job's first result came from another engine than this worker's; shard given back")
        self.health.isUnlike(shard.job, at: self.clock.now)
        self.summary.released += 1
        self.begun -= 1
        await self.release(
            shard, tenure, note: "the first result of the job came from another engine than this worker's")
    }

    private func fenced(_ message: Logger.Message, _ logger: Logger) {
        self.summary.fenced += 1
        self.begun -= 1
        logger.warning(message)
    }
}

extension ExecutionError.Code {
    /// An attempt failed, as against one that was given up or could not be made here.
    var isFailure: Bool {
        switch self {
        case .permanent, .transient, .storeFull: true
        case .cancelled, .nodeFault, .storeRefused, .storeUnavailable: false
        }
    }
}
