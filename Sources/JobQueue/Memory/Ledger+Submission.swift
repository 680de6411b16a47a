import FoundationEssentials

extension Ledger {
    mutating func submit(_ submission: RunSubmission, now: Date) throws(QueueError) {
        try submission.validate()
        let digest = submission.digest
        if let existing = runs[submission.id] {
            guard existing.digest == digest else {
                throw QueueError.submissionDiffers(submission.id)
            }
            return
        }
        let needs = try submission.jobs.map { job throws(QueueError) in try self.needs(of: job, in: submission) }
        try checkPriority(submission.priority, in: submission.project)
        if projects[submission.project] == nil {
            projects[submission.project] = Project(usedAt: now)
        }
        var ids: [JobID] = []
        for job in submission.jobs {
            let id = JobID(number: Int64(jobs.count) + 1, run: submission.id, ordinal: job.ordinal)
            jobs.append(
                Job(
                    id: id, submission: job, project: submission.project, priority: submission.priority,
                    gate: job.after.isEmpty ? .open : .waiting,
                    gateReason: job.after.isEmpty ? nil : "waits for other jobs", needs: needs[job.ordinal],
                    isMixed: job.mixed == true, shards: job.shards.map { Shard(range: $0) }))
            ids.append(id)
        }
        runs[submission.id] = Run(submission: submission, digest: digest, jobs: ids, submittedAt: now)
        openGates(now: now)
    }

    /// - Throws: `forbidden` above the project's ceiling.
    func checkPriority(_ priority: Priority, in project: String) throws(QueueError) {
        if let ceiling = projects[project]?.ceiling, priority > ceiling {
            throw QueueError.aboveCeiling(priority, ceiling, of: project)
        }
    }

    /// What a new job waits for.
    private func needs(
        of job: JobSubmission, in submission: RunSubmission
    ) throws(QueueError) -> [Need] {
        var needs: [Need] = []
        for dependency in job.after {
            let (run, ordinal): (RunID, Int?) =
                switch dependency.target {
                case .sibling(let ordinal): (submission.id, ordinal)
                case .job(let run, let ordinal): (run, ordinal)
                case .run(let run): (run, nil)
                }
            let exists =
                run == submission.id
                || runs[run].map { found in ordinal == nil || found.jobs.contains { $0.ordinal == ordinal } } ?? false
            guard exists else {
                throw QueueError.dependencyNotFound(dependency)
            }
            if let place = needs.firstIndex(where: { $0.run == run && $0.ordinal == ordinal }) {
                if dependency.condition == .ok { needs[place].condition = .ok }
            } else {
                needs.append(Need(run: run, ordinal: ordinal, condition: dependency.condition))
            }
        }
        return needs.sorted { ($0.run.text, $0.ordinal ?? -1) < ($1.run.text, $1.ordinal ?? -1) }
    }
}

extension Ledger.Shard {
    mutating func cancel(_ reason: String?, now: Date) {
        state = .cancelled
        self.reason = reason ?? "the run was cancelled"
        notBefore = nil
        endedAt = now
        samplesDone = 0
        tokensDone = 0
    }
}
