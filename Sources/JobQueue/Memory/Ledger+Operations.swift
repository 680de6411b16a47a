import FoundationEssentials

extension Ledger {
    mutating func cancel(_ work: WorkTarget, now: Date) throws(QueueError) -> Int {
        let reason =
            switch work {
            case .run: "the run was cancelled"
            case .job: "the job was cancelled"
            }
        return cancel(try open(work), of: work.run, reason: reason, now: now)
    }

    private mutating func cancel(_ places: [Int], of run: RunID, reason: String, now: Date) -> Int {
        var count = 0
        for job in places {
            if !jobs[job].isCancelled {
                jobs[job].isCancelled = true
                jobs[job].cancelReason = reason
            }
            jobs[job].gate = .open
            jobs[job].gateReason = nil
            for place in jobs[job].needs.indices {
                jobs[job].needs[place].isSettled = true
            }
            for shard in jobs[job].shards.indices
            where [.blocked, .ready, .held].contains(jobs[job].shards[shard].state) {
                jobs[job].shards[shard].cancel(reason, now: now)
                count += 1
            }
        }
        if jobs.allSatisfy({ $0.id.run != run || $0.isCancelled }) {
            let before = runs[run]?.cancelledAt
            runs[run]?.cancelledAt = before ?? now
        }
        return count
    }

    mutating func hold(_ work: WorkTarget, reason: String) throws(QueueError) -> Int {
        try check(reason, "the reason", 1...1000)
        var count = 0
        for job in try open(work) where !jobs[job].isCancelled && jobs[job].gate != .held {
            jobs[job].gate = .held
            jobs[job].gateReason = reason
            count += 1
        }
        return count
    }

    mutating func release(_ work: WorkTarget, now: Date) throws(QueueError) -> Int {
        var count = 0
        for job in try open(work) {
            if jobs[job].gate == .held {
                shut(job)
                count += 1
            }
            for shard in jobs[job].shards.indices
            where jobs[job].shards[shard].state == .held && !jobs[job].isCancelled {
                jobs[job].shards[shard].renew()
                count += 1
            }
        }
        openGates(now: now)
        return count
    }

    mutating func retry(_ work: WorkTarget, onlyFailed: Bool, now: Date) throws(QueueError) -> Int {
        var count = 0
        for job in try open(work) {
            if jobs[job].isCancelled, !onlyFailed {
                jobs[job].isCancelled = false
                jobs[job].cancelReason = nil
                shut(job)
                runs[jobs[job].id.run]?.cancelledAt = nil
            } else if jobs[job].gate == .held {
                shut(job)
            }
            guard !jobs[job].isCancelled else { continue }
            for shard in jobs[job].shards.indices {
                let state = jobs[job].shards[shard].state
                guard state == .failed || (!onlyFailed && (state == .cancelled || state == .held)) else { continue }
                jobs[job].shards[shard].renew()
                jobs[job].shards[shard].failures = 0
                jobs[job].shards[shard].avoids = nil
                count += 1
            }
        }
        for job in try open(work) { unfixEngine(of: job) }
        openGates(now: now)
        return count
    }

    mutating func setPriority(_ priority: Priority, of work: WorkTarget) throws(QueueError) -> Int {
        var count = 0
        let places = try open(work)
        if let first = places.first { try checkPriority(priority, in: jobs[first].project) }
        for job in places where jobs[job].priority != priority {
            jobs[job].priority = priority
            count += 1
        }
        if work.ordinal == nil {
            runs[work.run]?.submission.priority = priority
        }
        return count
    }

    mutating func archive(olderThan age: Duration, limit: Int, now: Date) -> Int {
        let old = runs.values.filter { run in
            run.archivedAt == nil && run.submittedAt < now - age.inSeconds
                && jobs.allSatisfy { job in
                    job.id.run != run.submission.id
                        || job.progress.isOver && (job.span.end ?? .distantPast) <= now - age.inSeconds
                }
        }
        let moved = old.sorted { $0.submittedAt < $1.submittedAt }.prefix(max(0, limit))
        for run in moved {
            runs[run.submission.id]?.archivedAt = now
        }
        return moved.count
    }
}

extension Ledger {
    /// Opens the gates of jobs whose dependencies have all ended, and cancels those whose turn can't come any more.
    mutating func openGates(now: Date) {
        for job in jobs.indices where jobs[job].gate == .waiting {
            var broken: [String] = []
            for place in jobs[job].needs.indices where !jobs[job].needs[place].isSettled {
                let need = jobs[job].needs[place]
                let needed = self.jobs(of: need)
                guard needed.allSatisfy(\.progress.isOver) else { continue }
                if need.condition == .ok, needed.contains(where: { $0.counts.failed + $0.counts.cancelled > 0 }) {
                    broken.append(need.name)
                } else {
                    jobs[job].needs[place].isSettled = true
                }
            }
            let waits = jobs[job].needs.filter { !$0.isSettled }.map(\.name)
            if !broken.isEmpty {
                let names = broken.joined(separator: ", ")
                _ = cancel(
                    [job], of: jobs[job].id.run,
                    reason: "it needed the results of \(names), which did not end well", now: now)
            } else if waits.isEmpty {
                jobs[job].gate = .open
                jobs[job].gateReason = nil
            } else {
                jobs[job].gateReason = "waits for \(waits.joined(separator: ", "))"
            }
        }
    }

    private func jobs(of need: Need) -> [Job] {
        (runs[need.run]?.jobs ?? []).filter { need.ordinal == nil || $0.ordinal == need.ordinal }
            .compactMap { index(of: $0) }.map { jobs[$0] }
    }

    /// Shuts a gate that `openGates` opens at once, unless there are dependencies.
    private mutating func shut(_ job: Int) {
        for place in jobs[job].needs.indices {
            jobs[job].needs[place].isSettled = false
        }
        jobs[job].gate = .waiting
        jobs[job].gateReason = "waits for other jobs"
    }

    /// The places of the jobs that are meant.
    ///
    /// - Throws: `notFound`; `conflict` when the run is archived.
    func open(_ work: WorkTarget) throws(QueueError) -> [Int] {
        guard let run = runs[work.run] else {
            throw QueueError.runNotFound(work.run.text)
        }
        let places = run.jobs.filter { work.ordinal == nil || $0.ordinal == work.ordinal }
            .compactMap { index(of: $0) }
        guard !places.isEmpty else {
            throw QueueError.jobNotFound("\(work.run).\(work.ordinal ?? 0)")
        }
        guard run.archivedAt == nil else {
            throw QueueError.isArchived(work.run)
        }
        return places
    }
}

extension Ledger.Shard {
    fileprivate mutating func renew() {
        state = .ready
        reason = nil
        endedAt = nil
        losses = 0
        samplesDone = 0
        tokensDone = 0
    }
}
