internal import JobQueue
internal import Logging
internal import UVEventLoop

extension Worker {
    /// What the queue has for this worker.
    enum Offer: Sendable {
        case shard(ClaimedShard)
        /// There may be something later.
        case nothingNow
        case nothingLeft
        case leaseLost
    }

    /// Asks for a shard, through outages, until there is an answer or the worker is to end.
    func claim(_ tenure: Tenure) async throws(ExecutionError) -> Offer {
        let (options, board, lease, caretaker) = (self.options, tenure.board, tenure.lease, self.caretaker)
        let isWanted = self.isWanted
        do throws(QueueError) {
            return try await self.patiently("claim a shard", while: { isWanted() && !board.isLost }) {
                queue throws(QueueError) -> Offer in
                // A lease in danger must be renewed before anything new is begun; about one that has run out the queue is
                // asked, because the heartbeat may be the only one that has no way to it.
                guard board.isSafe(at: .now) || .now >= board.safeUntil + (lease.ttl - lease.safeDuration) else {
                    if board.isLost { return .leaseLost }
                    throw QueueError(.unavailable, "the lease is waiting to be renewed")
                }
                if let shard = try await queue.claim(lease, ClaimRequest(run: options.run)).first {
                    return .shard(shard)
                }
                // What is due now and then may have made something claimable; if that fails, others will do it.
                if await caretaker.doDueChores(),
                    let shard = try await queue.claim(lease, ClaimRequest(run: options.run)).first
                {
                    return .shard(shard)
                }
                guard options.endsWhenDrained else { return .nothingNow }
                return try await queue.openShardCount(run: options.run) == 0 ? .nothingLeft : .nothingNow
            }
        } catch {
            if error.code == .leaseLost || board.isLost { return .leaseLost }
            // Asked to end: the loop sees it by itself.
            if error.isTransient || error.code == .cancelled { return .nothingNow }
            throw ExecutionError(.permanent, "\(error)")
        }
    }

    /// Takes a shard in hand and begins to prepare it.
    func hold(_ shard: ClaimedShard, _ tenure: Tenure) -> HeldShard {
        let processor = self.processor
        let preparation = Task {
            let start = self.clock.now
            let result = await Result.of { () async throws(ExecutionError) in try await processor.prepare(shard) }
            self.prefetchClock.prepared(in: self.clock.now - start)
            return result
        }
        tenure.board.hold(shard) { preparation.cancel() }
        return HeldShard(shard: shard, preparation: preparation)
    }

    /// Claims the next shard beside one that is computed, when it is time for it and `mayClaim` was not refused before.
    func prefetch(
        beside shard: ClaimedShard, _ mayClaim: PendingResult<Bool>, _ tenure: Tenure
    ) -> Task<HeldShard?, Never> {
        guard self.options.prefetches, self.isFit else { return Task { nil } }
        let delay = self.prefetchClock.delay(rows: shard.rowCount)
        let loop = self.heartbeatLoop
        return Task {
            let alarm = Task {
                try? await loop.sleep(for: delay)
                mayClaim.finish(.success(true))
            }
            defer { alarm.cancel() }
            guard (try? await mayClaim.value {}) == true, !self.isDone, !tenure.board.isDrainRequested else {
                return nil
            }
            return await self.claimNext(tenure)
        }
    }

    /// What goes before a shard that was claimed ahead: one of a higher tier, if there is any by now.
    func moreUrgent(than held: HeldShard, _ tenure: Tenure) async -> HeldShard? {
        guard held.shard.priority < .urgent, let urgent = await self.claimNext(above: held.shard.priority, tenure)
        else {
            return nil
        }
        tenure.logger(for: held.shard).info(
            "given back for a shard of a higher tier", metadata: ["instead": "\(urgent.shard.key)"])
        await self.giveBack(held, tenure)
        return urgent
    }

    /// One try; in an outage the claim that follows it deals with that.
    private func claimNext(above priority: Priority? = nil, _ tenure: Tenure) async -> HeldShard? {
        guard tenure.board.isSafe(at: self.clock.now) else { return nil }
        do throws(QueueError) {
            let request = ClaimRequest(run: self.options.run, above: priority)
            return try await self.queue.claim(tenure.lease, request).first.map { self.hold($0, tenure) }
        } catch {
            tenure.logger.debug("nothing claimed ahead", metadata: ["error": "\(error)"])
            return nil
        }
    }

    /// Gives a shard back that was not begun.
    func giveBack(_ held: HeldShard, _ tenure: Tenure) async {
        held.preparation.cancel()
        // What it may have of an engine must be gone before another model is loaded.
        _ = await held.preparation.value
        if tenure.board.drop(held.shard.key) != .lost { await self.release(held.shard, tenure) }
    }

    func release(_ shard: ClaimedShard, _ tenure: Tenure) async {
        // A task of its own: this one may be cancelled.
        let queue = self.queue
        let release = Task { _ = try await queue.release([shard]) }
        if case .failure(let error) = await release.result {
            tenure.logger(for: shard).warning(
                "could not give the shard back; its lease runs out", metadata: ["error": "\(error)"])
        }
    }
}
