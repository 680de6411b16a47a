import FoundationEssentials

extension Ledger {
    func facts(of work: WorkTarget, now: Date) throws(QueueError) -> [JobFacts] {
        switch work {
        case .job(let job): [try facts(of: job, now: now)]
        case .run(let run):
            try jobRecords(of: run).map { record throws(QueueError) in try facts(of: record.id, now: now) }
        }
    }

    private func facts(of id: JobID, now: Date) throws(QueueError) -> JobFacts {
        let job = try job(id)
        guard let record = try jobRecords(of: id.run).first(where: { $0.id == id }) else {
            throw QueueError.jobNotFound(id.name)
        }
        var facts = JobFacts(
            job: record, project: self.record(ofProject: job.project, now: now), now: now,
            nextAttemptAt: job.shards.compactMap(\.notBefore).min(),
            failure: job.shards.first { $0.state == .failed }?.reason,
            holdReason: job.shards.first { $0.state == .held }?.reason, givenBack: givenBack(job),
            trouble: trouble(job), engine: job.isMixed ? nil : job.engine, otherEngine: otherEngine(job),
            workers: workerFacts(of: job),
            secondsPerSample: pace(of: job)?.secondsPerSample)
        for rival in jobs where rival.id != id && rival.gate == .open && !rival.isCancelled {
            let ready = rival.counts.ready
            if rival.priority > job.priority {
                facts.readyInHigherTiers += ready
            } else if rival.priority == job.priority, rival.project != job.project {
                facts.readyInOtherProjects += ready
            } else if rival.priority == job.priority, rival.id < id {
                facts.readyInOlderJobs += ready
            }
        }
        return facts
    }

    func outlook(of run: RunID) throws(QueueError) -> RunOutlook {
        var outlook = RunOutlook()
        var (workersHere, workersSuitable) = (Set<Int>(), Set<Int>())
        var (tokens, seconds) = (0, 0.0)
        for record in try jobRecords(of: run) where record.progress.shards.open > 0 {
            let job = try job(record.id)
            let shards = record.progress.shards
            outlook.openShards += shards.open
            let undone = Double(record.progress.samples - record.progress.samplesDone)
            let left = undone * Double(shards.open) / Double(shards.total - shards.done)
            if let pace = pace(of: job) {
                outlook.deviceSecondsLeft += left * pace.secondsPerSample
                tokens += pace.tokens
                seconds += pace.seconds
            } else {
                outlook.samplesOfUnknownPace += Int(left.rounded())
            }
            for (index, worker) in workers.enumerated() where worker.state == .live {
                if worker.suits(job) && !worker.isDraining { workersSuitable.insert(index) }
            }
            for holder in running where jobs[holder.job].id == record.id {
                workersHere.insert(Int(holder.claim.worker.number) - 1)
            }
        }
        outlook.tokensPerSecond = seconds > 0 ? Double(tokens) / seconds : nil
        outlook.workersHere = workersHere.count
        outlook.workersSuitable = workersSuitable.count
        return outlook
    }

    private func givenBack(_ job: Job) -> JobFacts.GivenBack? {
        guard job.counts.ready > 0,
            let last = attempts[job.id.number]?.last(where: { $0.error.map(QueueNote.isOwn) == false }),
            last.outcome == .released, let reason = last.error, let at = last.endedAt
        else { return nil }
        return JobFacts.GivenBack(reason: reason, host: last.host, at: at)
    }

    private func trouble(_ job: Job) -> String? {
        running.filter { jobs[$0.job].id == job.id }.map { workers[Int($0.claim.worker.number) - 1] }
            // What a worker says of a job that it leaves to others is no trouble of this one.
            .filter { $0.note?.hasPrefix("job ") == false }
            .compactMap { worker in worker.note.map { "\(worker.description.host): \($0)" } }.min()
    }

    /// The engine of a worker that could take the job if it had another.
    private func otherEngine(_ job: Job) -> String? {
        workers.filter { $0.state == .live && $0.isUnlike(job) }.compactMap(\.description.identity)
            .min { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
    }

    private func workerFacts(of job: Job) -> JobFacts.WorkerFacts {
        let holders = Dictionary(grouping: running, by: \.claim.worker)
        var facts = JobFacts.WorkerFacts()
        for (index, worker) in workers.enumerated() where worker.state == .live {
            let held = (holders[WorkerID(Int64(index) + 1)] ?? []).map { jobs[$0.job].id }
            let isSuitable = worker.suits(job) && !worker.isDraining
            facts.live += 1
            facts.draining += worker.isDraining ? 1 : 0
            facts.withLabels += worker.hasLabels(of: job) ? 1 : 0
            facts.withMemory += worker.hasMemory(for: job) ? 1 : 0
            facts.withDevice += worker.hasDevice(of: job) ? 1 : 0
            facts.suitable += isSuitable ? 1 : 0
            facts.unlike += worker.isUnlike(job) ? 1 : 0
            facts.busyElsewhere += isSuitable && held.contains { $0 != job.id } ? 1 : 0
            facts.here += held.contains(job.id) ? 1 : 0
        }
        return facts
    }

    /// What this model did on this task so far.
    func pace(of job: Job) -> (secondsPerSample: Double, tokens: Int, seconds: Double)? {
        let results =
            jobs
            .filter {
                $0.submission.task == job.submission.task && $0.submission.modelSHA256 == job.submission.modelSHA256
            }
            .flatMap { $0.shards.compactMap(\.result?.publication) }
        let samples = results.map(\.samples).reduce(0, +)
        let seconds = results.map(\.seconds).reduce(0, +)
        return samples == 0 ? nil : (seconds / Double(samples), results.map(\.tokens).reduce(0, +), seconds)
    }

    func record(ofProject name: String, now: Date) -> ProjectRecord {
        let project = projects[name] ?? Project(usedAt: now)
        return ProjectRecord(
            name: name, weight: project.weight, softCap: project.softCap, hardCap: project.hardCap,
            ceiling: project.ceiling, usedSeconds: project.used(at: now), running: runningShards(of: name),
            ready: jobs.filter { $0.project == name }.map(\.counts.ready).reduce(0, +))
    }

    mutating func changeProject(
        _ name: String, _ change: ProjectChange, now: Date
    ) throws(QueueError) -> ProjectRecord {
        try change.validate(for: name)
        var project = projects[name] ?? Project(usedAt: now)
        project.weight = change.weight ?? project.weight
        project.softCap = change.softCap.applied(to: project.softCap)
        project.hardCap = change.hardCap.applied(to: project.hardCap)
        project.ceiling = change.ceiling.applied(to: project.ceiling)
        projects[name] = project
        return record(ofProject: name, now: now)
    }
}

extension Ledger.Worker {
    /// It meets all that the job requires.
    func suits(_ job: Ledger.Job) -> Bool { meets(job) && job.takes(engine: description.identity) }

    /// It is not leaving and meets all that the job requires, but has another engine than the job's.
    fileprivate func isUnlike(_ job: Ledger.Job) -> Bool {
        meets(job) && !isDraining && !job.takes(engine: description.identity)
    }

    private func meets(_ job: Ledger.Job) -> Bool { hasLabels(of: job) && hasMemory(for: job) && hasDevice(of: job) }

    fileprivate func hasLabels(of job: Ledger.Job) -> Bool {
        Set(job.submission.needLabels).isSubset(of: description.labels)
    }

    fileprivate func hasMemory(for job: Ledger.Job) -> Bool {
        job.submission.needGPUMegabytes <= description.gpuMegabytes
    }

    fileprivate func hasDevice(of job: Ledger.Job) -> Bool {
        job.submission.needDevice.map { $0 == description.deviceKind } ?? true
    }
}
