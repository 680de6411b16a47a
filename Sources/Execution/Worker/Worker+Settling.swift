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
        // On the board until all is said, or the queue would take it for a claim that this worker does not know of.
        defer { _ = tenure.board.drop(shard.key) }
        let loss = tenure.board.loss(of: shard.key)
        guard error.code != .cancelled, loss == nil else {
            logger.notice("shard given up", metadata: ["reason": "\(loss.map { "\($0)" } ?? "abandoned")"])
            self.summary.released += 1
            self.begun -= 1
            if loss != .lost { await self.release(shard, tenure) }
            return
        }
        logger.error("shard failed", metadata: ["error": "\(error)"])
        self.summary.failed += 1
        if error.code != .permanent { self.failuresInRow += 1 }
        let failure = ShardFailure(message: error.message, isPermanent: error.code == .permanent, seconds: seconds)
        let board = tenure.board
        do throws(QueueError) {
            // Once the lease is lost the shard is another worker's to try.
            let outcome = try await self.patiently("record a failure", while: { !board.isLost }) {
                queue throws(QueueError) in
                try await queue.fail(shard, failure)
            }
            if outcome == .failed { self.summary.givenUp += 1 }
        } catch {
            if error.isTransient || error.code == .cancelled { return }
            throw ExecutionError(.permanent, "the failure of \(shard.key) could not be recorded: \(error)")
        }
    }

    /// Commits through outages, until the database has the last word or says that the lease is lost.
    ///
    /// A lease that merely ran out is no reason to throw the result away: if nobody else has claimed the shard since, it
    /// is still good. A worker that knows itself dead commits nothing.
    private func commit(
        _ publication: ShardPublication, of shard: ClaimedShard, _ tenure: Tenure, _ logger: Logger
    ) async throws(ExecutionError) {
        let board = tenure.board
        defer { _ = board.drop(shard.key) }
        let isOurs = { @Sendable in !board.isLost && board.loss(of: shard.key) != .lost }
        do throws(QueueError) {
            guard isOurs() else { throw QueueError(.leaseLost, "lost before it was published") }
            let outcome = try await self.patiently("commit a shard", while: isOurs) { queue throws(QueueError) in
                try await queue.commit(shard, publication)
            }
            switch outcome {
            case .committed, .already:
                self.summary.committed += 1
                self.failuresInRow = 0
                self.summary.samples += publication.samples
                self.summary.tokens += publication.tokens
                logger.info("shard committed", metadata: ["path": "\(publication.path)"])
            case .fenced:
                self.fenced("the shard is another worker's by now; this result does not count", logger)
            }
        } catch  where error.code == .leaseLost || error.isTransient {
            self.fenced("the lease was lost before the commit went through; this result does not count", logger)
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

    private func fenced(_ message: Logger.Message, _ logger: Logger) {
        self.summary.fenced += 1
        self.begun -= 1
        logger.warning(message)
    }
}
