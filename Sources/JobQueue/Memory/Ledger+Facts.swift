import FoundationEssentials

extension Ledger {
    func facts(of id: JobID, now: Date) throws(QueueError) -> JobFacts {
        let job = try job(id)
        guard let record = try jobRecords(of: id.run).first(where: { $0.id == id }) else {
            throw QueueError.jobNotFound(id.name)
        }
        var facts = JobFacts(
            job: record, project: self.record(ofProject: job.project, now: now), now: now,
            nextAttemptAt: job.shards.compactMap(\.notBefore).min(),
            failure: job.shards.first { $0.state == .failed }?.reason,
            holdReason: job.shards.first { $0.state == .held }?.reason, workers: workerFacts(of: job),
            secondsPerSample: pace(of: job))
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

    private func workerFacts(of job: Job) -> JobFacts.WorkerFacts {
        let holders = Dictionary(grouping: running, by: \.claim.worker)
        var facts = JobFacts.WorkerFacts()
        for (index, worker) in workers.enumerated() where worker.state == .live {
            let held = (holders[WorkerID(Int64(index) + 1)] ?? []).map { jobs[$0.job].id }
            let hasLabels = Set(job.submission.needLabels).isSubset(of: worker.description.labels)
            let hasMemory = job.submission.needGPUMegabytes <= worker.description.gpuMegabytes
            let hasDevice = job.submission.needDevice.map { $0 == worker.description.deviceKind } ?? true
            let isSuitable = hasLabels && hasMemory && hasDevice && !worker.isDraining
            facts.live += 1
            facts.draining += worker.isDraining ? 1 : 0
            facts.withLabels += hasLabels ? 1 : 0
            facts.withMemory += hasMemory ? 1 : 0
            facts.withDevice += hasDevice ? 1 : 0
            facts.suitable += isSuitable ? 1 : 0
            facts.busyElsewhere += isSuitable && held.contains { $0 != job.id } ? 1 : 0
            facts.here += held.contains(job.id) ? 1 : 0
        }
        return facts
    }

    /// Device time for a sample, from all that this model did on this task.
    private func pace(of job: Job) -> Double? {
        let results =
            jobs
            .filter {
                $0.submission.task == job.submission.task && $0.submission.modelSHA256 == job.submission.modelSHA256
            }
            .flatMap { $0.shards.compactMap(\.result?.publication) }
        let samples = results.map(\.samples).reduce(0, +)
        return samples == 0 ? nil : results.map(\.seconds).reduce(0, +) / Double(samples)
    }

    func record(ofProject name: String, now: Date) -> ProjectRecord {
        let project = projects[name] ?? Project(usedAt: now)
        return ProjectRecord(
            name: name, weight: project.weight, softCap: project.softCap, hardCap: project.hardCap,
            usedSeconds: project.used(at: now), running: runningShards(of: name),
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
        projects[name] = project
        return record(ofProject: name, now: now)
    }
}

extension CapChange {
    fileprivate func applied(to cap: Int?) -> Int? {
        switch self {
        case .keep: cap
        case .remove: nil
        case .set(let shards): shards
        }
    }
}
