import FoundationEssentials

extension Ledger {
    func runRecords(limit: Int, project: String?) -> [RunRecord] {
        let all = runs.values.filter { project == nil || $0.submission.project == project }
        // Newest first; runs of the same moment by their id.
        let sorted = all.sorted {
            ($1.submittedAt, $0.submission.id) < ($0.submittedAt, $1.submission.id)
        }
        return sorted.prefix(max(0, limit)).map(record(of:))
    }

    func run(matching typed: String) throws(QueueError) -> RunRecord {
        let prefix = try RunPrefix(typed).text
        let matches = runs.values.filter { $0.submission.id.text.hasPrefix(prefix) }
        guard let first = matches.first else {
            throw QueueError.runNotFound(typed)
        }
        guard matches.count == 1 else {
            let ids = matches.map(\.submission.id).sorted()
            throw QueueError.runIsAmbiguous(typed, Array(ids.prefix(5)), areMore: ids.count > 5)
        }
        return record(of: first)
    }

    func jobRecords(of id: RunID) throws(QueueError) -> [JobRecord] {
        guard let run = runs[id] else {
            throw QueueError.runNotFound(id.text)
        }
        return run.jobs.compactMap { index(of: $0) }.map { record(of: jobs[$0]) }
    }

    func shardRecords(of id: JobID) throws(QueueError) -> [ShardRecord] {
        let job = try job(id)
        return job.shards.enumerated().map { index, shard in
            ShardRecord(
                key: ShardKey(job: id, index: index), range: shard.range, state: job.state(of: shard),
                reason: [.blocked, .ready].contains(shard.state) ? job.gateReason : shard.reason,
                epoch: shard.epoch, failures: shard.failures, losses: shard.losses, notBefore: shard.notBefore,
                worker: shard.claim?.worker, startedAt: shard.claim?.startedAt, endedAt: shard.endedAt,
                samplesDone: shard.samplesDone, tokensDone: shard.tokensDone)
        }
    }

    func troubles(of run: RunID, limit: Int) -> [AttemptRecord] {
        let troubled = (runs[run]?.jobs ?? []).flatMap { attempts[$0.number] ?? [] }.filter { $0.error != nil }
        let byEnd = troubled.enumerated().sorted {
            ($0.element.endedAt ?? .distantFuture, $0.offset) < ($1.element.endedAt ?? .distantFuture, $1.offset)
        }
        return byEnd.suffix(max(0, limit)).map(\.element)
    }

    func attemptRecords(of id: JobID) throws(QueueError) -> [AttemptRecord] {
        let job = try job(id)
        var records = attempts[id.number] ?? []
        for (index, shard) in job.shards.enumerated() {
            guard let claim = shard.claim, let worker = self.index(of: claim.worker) else { continue }
            guard shard.state == .running || shard.result != nil else { continue }
            records.append(
                AttemptRecord(
                    key: ShardKey(job: id, index: index), epoch: shard.epoch,
                    outcome: shard.state == .running ? .running : .done, error: nil, worker: claim.worker,
                    host: workers[worker].description.host, device: workers[worker].description.device,
                    startedAt: claim.startedAt, endedAt: shard.result?.committedAt,
                    seconds: shard.result?.publication.seconds))
        }
        for withdrawal in withdrawn[id.number] ?? [] {
            let result = withdrawal.result
            guard let worker = self.index(of: result.worker) else { continue }
            records.append(
                AttemptRecord(
                    key: result.key, epoch: result.epoch, outcome: .withdrawn, error: withdrawal.record.reason,
                    worker: result.worker, host: workers[worker].description.host,
                    device: workers[worker].description.device, startedAt: withdrawal.startedAt,
                    endedAt: result.committedAt, seconds: result.publication.seconds))
        }
        // In the order of their ends within a shard and epoch, what is still running last.
        return records.sorted {
            ($0.key.index, $0.epoch.rawValue, $0.endedAt ?? .distantFuture)
                < ($1.key.index, $1.epoch.rawValue, $1.endedAt ?? .distantFuture)
        }
    }

    func results(of id: JobID) throws(QueueError) -> [ShardResult] {
        try job(id).shards.compactMap(\.result)
    }

    func openShardCount(run: RunID?) -> Int {
        jobs.filter { run == nil || $0.id.run == run }.map { $0.counts.open }.reduce(0, +)
    }

    func workerRecords(now: Date) -> [WorkerRecord] {
        let holders = running.map(\.claim.worker)
        return workers.enumerated().reversed().compactMap { index, worker in
            if let endedAt = worker.endedAt, now.timeIntervalSince(endedAt) >= 86_400 {
                return nil
            }
            let id = WorkerID(Int64(index) + 1)
            return WorkerRecord(
                id: id, incarnation: worker.incarnation, host: worker.description.host, pid: worker.description.pid,
                device: worker.description.device, deviceKind: worker.description.deviceKind,
                labels: worker.description.labels,
                gpuMegabytes: worker.description.gpuMegabytes, engine: worker.description.engine,
                identity: worker.description.identity,
                warmModels: worker.warmModels, state: worker.state, isDraining: worker.isDraining,
                registeredAt: worker.registeredAt, seenAt: worker.seenAt, leaseUntil: worker.leaseUntil,
                note: worker.note,
                holding: holders.count { $0 == id })
        }
    }

    func job(_ id: JobID) throws(QueueError) -> Job {
        guard let index = index(of: id) else {
            throw QueueError.jobNotFound(id.name)
        }
        return jobs[index]
    }
}

extension Ledger {
    private func record(of run: Run) -> RunRecord {
        let parts = run.jobs.compactMap { index(of: $0) }.map { jobs[$0] }
        let spans = parts.map(\.span)
        let counts = parts.reduce(ShardCounts()) { $0 + $1.counts }
        return RunRecord(
            id: run.submission.id, name: run.submission.name, project: run.submission.project,
            user: run.submission.user, priority: run.submission.priority, jobCount: parts.count,
            submittedAt: run.submittedAt, cancelledAt: run.cancelledAt, archivedAt: run.archivedAt,
            startedAt: spans.compactMap(\.start).min(),
            finishedAt: counts.open + counts.held > 0 ? nil : spans.compactMap(\.end).max(),
            progress: WorkProgress(
                shards: counts, samples: parts.map(\.submission.sampleCount).reduce(0, +),
                samplesDone: parts.map(\.progress.samplesDone).reduce(0, +),
                tokensDone: parts.map(\.progress.tokensDone).reduce(0, +)))
    }

    private func record(of job: Job) -> JobRecord {
        var record = JobRecord(
            id: job.id, task: job.submission.task, model: job.submission.model,
            modelSHA256: job.submission.modelSHA256, needLabels: job.submission.needLabels,
            needGPUMegabytes: job.submission.needGPUMegabytes, needDevice: job.submission.needDevice,
            maxAttempts: job.submission.maxAttempts, maxFailures: job.submission.maxFailures, priority: job.priority,
            gate: job.gate, reason: job.gateReason ?? job.cancelReason, startedAt: job.span.start,
            finishedAt: job.progress.isOver ? job.span.end : nil, progress: job.progress)
        record.isMixed = job.isMixed
        return record
    }
}

extension Ledger.Job {
    var counts: ShardCounts {
        shards.reduce(into: ShardCounts()) { $0[state(of: $1)] += 1 }
    }

    /// A shard's state as people see it: behind a closed gate nothing is ready, it is held or it waits.
    func state(of shard: Ledger.Shard) -> ShardState {
        switch (gate, shard.state) {
        case (.held, .blocked), (.held, .ready): .held
        case (.waiting, .ready): .blocked
        default: shard.state
        }
    }

    var progress: WorkProgress {
        WorkProgress(
            shards: counts, samples: submission.sampleCount, samplesDone: shards.map(\.samplesDone).reduce(0, +),
            tokensDone: shards.map(\.tokensDone).reduce(0, +))
    }

    var span: (start: Date?, end: Date?) {
        (shards.compactMap { $0.claim?.startedAt }.min(), shards.compactMap(\.endedAt).max())
    }
}
