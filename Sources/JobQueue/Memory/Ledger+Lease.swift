import FoundationEssentials

/// So many losses of one shard make it suspect; the SQL function reap_workers has the same number.
let poisonLosses = 3

extension Ledger {
    mutating func register(
        _ description: WorkerDescription, ttl: Duration, incarnation: Incarnation, now: Date
    ) throws(QueueError) -> WorkerLease {
        try description.validate(ttl: ttl)
        workers.append(
            Worker(
                description: description, incarnation: incarnation, ttl: ttl, registeredAt: now, seenAt: now,
                leaseUntil: now + ttl.inSeconds, warmModels: description.warmModels, warmSince: now))
        return WorkerLease(worker: WorkerID(Int64(workers.count)), incarnation: incarnation, ttl: ttl)
    }

    mutating func heartbeat(
        _ lease: WorkerLease, holding: [ShardProgress], note: String?, now: Date
    ) throws(QueueError) -> HeartbeatReply {
        guard let worker = index(of: lease.worker), workers[worker].incarnation == lease.incarnation,
            workers[worker].state == .live
        else {
            throw QueueError.leaseLost(lease.worker)
        }
        let ttl = workers[worker].ttl
        workers[worker].seenAt = now
        workers[worker].note = note
        workers[worker].leaseUntil = now + ttl.inSeconds
        var reply = HeartbeatReply(ttl: ttl, isDrainRequested: workers[worker].isDraining)

        for report in holding.map(\.normalized) {
            let place = place(of: report.key, epoch: report.epoch, incarnation: lease.incarnation)
            guard let place, [.running, .done].contains(jobs[place.job].shards[place.shard].state) else {
                reply.lost.append(report.key)
                continue
            }
            guard jobs[place.job].shards[place.shard].state == .running else { continue }
            jobs[place.job].shards[place.shard].samplesDone =
                min(report.samples, jobs[place.job].shards[place.shard].range.rowCount)
            jobs[place.job].shards[place.shard].tokensDone = report.tokens
            if jobs[place.job].isCancelled {
                reply.cancelled.append(report.key)
            }
        }
        let known = Set(holding.map { HeldEpoch(key: $0.key, epoch: $0.epoch) })
        for place in running where place.claim.incarnation == lease.incarnation {
            let key = ShardKey(job: jobs[place.job].id, index: place.shard)
            let epoch = jobs[place.job].shards[place.shard].epoch
            let isOld = now.timeIntervalSince(place.claim.startedAt) > ttl.inSeconds / 2
            guard isOld, !known.contains(HeldEpoch(key: key, epoch: epoch)) else { continue }
            giveBack((place.job, place.shard), note: QueueNote.unknownClaim, now: now)
            reply.orphaned.append(key)
        }
        reply.lost.sort()
        reply.cancelled.sort()
        reply.orphaned.sort()
        return reply
    }

    mutating func deregister(_ lease: WorkerLease, note: String?, now: Date) {
        guard let worker = index(of: lease.worker), workers[worker].incarnation == lease.incarnation else { return }
        if workers[worker].state == .live {
            workers[worker].state = .left
            workers[worker].note = note
            workers[worker].endedAt = now
        }
        for place in running where place.claim.incarnation == lease.incarnation {
            giveBack(
                (place.job, place.shard), note: note.map { "the worker left: \($0)" } ?? QueueNote.left, now: now)
        }
    }

    mutating func run(_ chore: Chore, now: Date) -> ChoreOutcome {
        switch chore {
        case .workers:
            let report = reapWorkers(now: now)
            return ChoreOutcome(report: report, changed: report.workers + report.requeued + report.held)
        case .gates:
            openGates(now: now)
        case .charges:
            for name in projects.keys {
                projects[name]?.charge(now: now)
            }
        case .promotion:
            let promoted = promote(now: now)
            return ChoreOutcome(report: ReapReport(promoted: promoted), changed: promoted)
        case .tallies, .cancellations, .mending, .archive, .statistics, .departures:
            // Nothing of this is put off here.
            break
        }
        return ChoreOutcome()
    }

    private mutating func reapWorkers(now: Date) -> ReapReport {
        var report = ReapReport()
        for worker in workers.indices where workers[worker].state == .live && workers[worker].leaseUntil < now {
            workers[worker].state = .dead
            workers[worker].endedAt = now
            report.workers += 1
        }
        for place in running {
            guard let worker = index(of: place.claim.worker), workers[worker].state != .live else { continue }
            lose((place.job, place.shard), now: now, &report)
        }
        return report
    }

    private mutating func lose(_ place: (job: Int, shard: Int), now: Date, _ report: inout ReapReport) {
        log(place, .lost, error: "the worker's lease ran out", seconds: nil, now: now)
        let isCancelled = jobs[place.job].isCancelled
        // A shard that was only fetched is under no suspicion.
        let wasBegun = jobs[place.job].shards[place.shard].isBegun
        jobs[place.job].shards[place.shard].losses += wasBegun ? 1 : 0
        restart(place, now: now)
        let losses = jobs[place.job].shards[place.shard].losses
        if isCancelled {
            return
        }
        guard wasBegun, losses >= poisonLosses else {
            report.requeued += 1
            return
        }
        jobs[place.job].shards[place.shard].state = .held
        jobs[place.job].shards[place.shard].endedAt = now
        jobs[place.job].shards[place.shard].reason =
            "suspected poison: \(losses) workers died while they had this shard"
        report.held += 1
    }

    @discardableResult
    mutating func promote(now: Date) -> Int {
        var count = 0
        for job in jobs.indices {
            for shard in jobs[job].shards.indices where jobs[job].shards[shard].state == .blocked {
                guard let notBefore = jobs[job].shards[shard].notBefore,
                    // Nobody waits for so long: the clock was set back.
                    notBefore <= now || notBefore > now + 660
                else { continue }
                jobs[job].shards[shard].state = .ready
                jobs[job].shards[shard].notBefore = nil
                count += 1
            }
        }
        return count
    }

    mutating func drain(_ worker: WorkerID) throws(QueueError) {
        guard let index = index(of: worker), workers[index].state == .live else {
            throw QueueError.workerNotFound(worker)
        }
        workers[index].isDraining = true
    }
}

private struct HeldEpoch: Hashable {
    var key: ShardKey
    var epoch: Epoch
}
