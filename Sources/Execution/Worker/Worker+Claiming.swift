internal import JobQueue
internal import Logging
internal import UVEventLoop

extension Worker {
    /// What the queue has for this worker.
    enum Offer: Sendable {
        case shard(ClaimedShard)
        /// There may be something later.
        case nothingNow
        /// There is work, but none of it can be claimed now.
        case nothingClaimable
        case nothingLeft
    }

    /// Asks for a shard, through outages, until there is an answer or the worker is to end.
    func claim(_ tenure: Tenure) async throws(ExecutionError) -> Offer {
        let (options, board, request, caretaker) = (self.options, tenure.board, self.request(), self.caretaker)
        let isWanted = self.isWanted
        do throws(QueueError) {
            return try await self.patiently("claim a shard", while: isWanted, migration: Self.migrationPatience) {
                queue throws(QueueError) -> Offer in
                try await self.secureLease(tenure, queue)
                // The worker must not take from itself what it still computes or publishes; that is settled first.
                guard let lease = board.claimingLease else { return .nothingNow }
                do throws(QueueError) {
                    if let shard = try await queue.claim(lease, request).first { return .shard(shard) }
                    // What is due now and then may have made something claimable; if that fails, others will do it.
                    if await caretaker.doDueChores(), let shard = try await queue.claim(lease, request).first {
                        return .shard(shard)
                    }
                } catch  where error.code == .leaseLost {
                    // The worker was declared dead: it needs another lease before it can claim.
                    try await tenure.keeper.renew(through: queue)
                    return .nothingNow
                }
                guard options.endsWhenDrained else { return .nothingNow }
                return try await queue.openShardCount(run: options.run) == 0
                    ? .nothingLeft : .nothingClaimable
            }
        } catch {
            // Asked to end: the loop sees it by itself.
            if error.isTransient || error.code == .cancelled || error.code == .leaseLost { return .nothingNow }
            throw ExecutionError(.permanent, "\(error)")
        }
    }

    /// What this worker can take now.
    func request(above priority: Priority? = nil, isPrefetch: Bool = false) -> ClaimRequest {
        let now = self.clock.now
        return ClaimRequest(
            run: self.options.run, above: priority, isPrefetch: isPrefetch, excluding: self.health.shunned(at: now),
            without: self.health.missingModels(at: now))
    }

    /// Nothing new is begun under a lease that is in danger.
    ///
    /// One that has run out is renewed from here, because the heartbeat may be the only one that has no way to the
    /// database.
    private func secureLease(_ tenure: Tenure, _ queue: any WorkQueue) async throws(QueueError) {
        let (board, now) = (tenure.board, self.clock.now)
        guard !board.isSafe(at: now) else { return }
        guard now >= board.safeUntil + (board.lease.ttl - board.lease.safeDuration) else {
            throw QueueError(.unavailable, "the lease is waiting to be renewed")
        }
        try await tenure.keeper.renew(through: queue)
    }

    /// Takes a shard in hand and begins to prepare it.
    func hold(_ shard: ClaimedShard, _ tenure: Tenure) -> HeldShard {
        let preparation = Task {
            let start = self.clock.now
            let result = await Result.of { () async throws(ExecutionError) in
                try await self.preparePatiently(shard, tenure)
            }
            self.prefetchClock.prepared(in: self.clock.now - start)
            tenure.board.enter(.waiting, shard)
            return result
        }
        tenure.board.hold(shard) { preparation.cancel() }
        return HeldShard(shard: shard, preparation: preparation)
    }

    /// Claims the next shard beside one that is computed, when it is time for it and `mayClaim` was not refused before.
    func prefetch(
        beside shard: ClaimedShard, _ mayClaim: PendingResult<Bool>, _ tenure: Tenure
    ) -> Task<HeldShard?, Never> {
        guard self.options.prefetches, self.health.isFit else { return Task { nil } }
        let delay = self.prefetchClock.delay(shard.job, rows: shard.rowCount)
        let loop = self.heartbeatLoop
        return Task {
            let alarm = Task {
                guard let delay, (try? await loop.sleep(for: delay)) != nil else { return }
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

    /// Tells the queue that a shard that was fetched ahead is computed now; false when an idle worker has taken it over.
    ///
    /// While the database is away nobody takes anything, and the fence decides in the end.
    func begin(_ held: HeldShard, _ tenure: Tenure) async -> Bool {
        do throws(QueueError) {
            guard try await self.queue.begin([held.shard]).isEmpty else { return true }
        } catch {
            tenure.logger.debug("could not say that a shard begins", metadata: ["error": "\(error)"])
            return true
        }
        tenure.logger(for: held.shard).info("an idle worker has taken the shard over that was fetched ahead")
        held.preparation.cancel()
        _ = await held.preparation.value
        _ = tenure.board.drop(held.shard)
        return false
    }

    /// One try; in an outage the claim that follows it deals with that.
    private func claimNext(above priority: Priority? = nil, _ tenure: Tenure) async -> HeldShard? {
        guard tenure.board.isSafe(at: self.clock.now), let lease = tenure.board.claimingLease else { return nil }
        do throws(QueueError) {
            // What is asked for because it is more urgent begins at once.
            let request = self.request(above: priority, isPrefetch: priority == nil)
            return try await self.queue.claim(lease, request).first.map { self.hold($0, tenure) }
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
        if tenure.board.drop(held.shard) != .lost { await self.release(held.shard, tenure) }
    }

    func release(_ shard: ClaimedShard, _ tenure: Tenure, note: String? = nil) async {
        // A task of its own: this one may be cancelled.
        let queue = self.queue
        let release = Task { _ = try await queue.release([shard], note: note) }
        if case .failure(let error) = await release.result {
            tenure.logger(for: shard).warning(
                "could not give the shard back; its lease runs out", metadata: ["error": "\(error)"])
        }
    }
}
