internal import JobQueue
internal import Logging
internal import UVEventLoop

extension Worker {
    /// Computes one shard and settles it with the queue.
    func work(on shard: ClaimedShard, _ board: LeaseBoard, _ logger: Logger) async throws(ExecutionError) {
        var logger = logger
        logger[metadataKey: "shard"] = "\(shard.key)"
        logger[metadataKey: "attempt"] = "\(shard.attempt)"
        let started = self.clock.now
        let processor = self.processor
        let work = Task {
            await ShardOutcome.of { () async throws(ExecutionError) in
                try await processor.process(shard) { samples, tokens in
                    board.report(shard.progress(samples: samples, tokens: tokens))
                }
            }
        }
        board.hold(shard) { work.cancel() }
        let outcome = await withTaskCancellationHandler {
            await work.value
        } onCancel: {
            work.cancel()
        }
        let seconds = (self.clock.now - started).seconds
        switch outcome {
        case .published(var publication):
            publication.seconds = seconds
            try await self.commit(publication, of: shard, board, logger)
        case .failed(let error):
            let loss = board.drop(shard.key)
            if error.code == .cancelled || loss != nil {
                logger.notice("shard given up", metadata: ["reason": "\(loss.map { "\($0)" } ?? "abandoned")"])
                self.summary.released += 1
                if loss == nil || loss == .expired { await self.giveBack(shard, logger) }
            } else {
                logger.error("shard failed", metadata: ["error": "\(error)"])
                self.summary.failed += 1
                let failure = ShardFailure(
                    message: error.message, isPermanent: error.code == .permanent, seconds: seconds)
                _ = try await self.patiently("fail") { queue throws(QueueError) in
                    try await queue.fail(shard, failure)
                }
            }
        }
    }

    private func giveBack(_ shard: ClaimedShard, _ logger: Logger) async {
        let queue = self.queue
        let release = Task { _ = try await queue.release([shard]) }
        if case .failure(let error) = await release.result {
            logger.warning("could not give the shard back; its lease runs out", metadata: ["error": "\(error)"])
        }
    }

    /// Commits through outages for as long as the lease is safe; the database has the last word.
    private func commit(
        _ publication: ShardPublication, of shard: ClaimedShard, _ board: LeaseBoard, _ logger: Logger
    ) async throws(ExecutionError) {
        defer { _ = board.drop(shard.key) }
        while true {
            do {
                switch try await self.queue.commit(shard, publication) {
                case .committed, .already:
                    self.summary.committed += 1
                    self.summary.samples += publication.samples
                    self.summary.tokens += publication.tokens
                    logger.info("shard committed", metadata: ["path": "\(publication.path)"])
                case .fenced:
                    self.summary.fenced += 1
                    logger.warning("the shard is another worker's by now; this result does not count")
                }
                return
            } catch  where error.isTransient {
                guard board.loss(of: shard.key) != .lost, !Task.isCancelled else {
                    logger.warning("lease lost before the commit went through; the result is left to the collector")
                    return
                }
                logger.warning("commit failed; trying again", metadata: ["error": "\(error)"])
                try? await self.heartbeatLoop.sleep(for: .milliseconds(500))
            } catch  where error.code == .cancelled {
                // Whether the commit went through is the database's to know; the shard is offered back either way.
                logger.notice("abandoned while committing")
                self.summary.released += 1
                await self.giveBack(shard, logger)
                return
            } catch {
                throw ExecutionError(.permanent, "\(shard.key) could not be committed: \(error)")
            }
        }
    }
}

/// A `Result` that keeps the error's type across a task.
enum ShardOutcome: Sendable {
    case published(ShardPublication)
    case failed(ExecutionError)

    static func of(_ body: () async throws(ExecutionError) -> ShardPublication) async -> ShardOutcome {
        do {
            return .published(try await body())
        } catch {
            return .failed(error)
        }
    }
}

extension Duration {
    var seconds: Double {
        let (seconds, attoseconds) = self.components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
