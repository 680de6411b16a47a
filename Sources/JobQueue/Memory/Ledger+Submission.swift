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
                    shards: job.shards.map { Shard(range: $0) }))
            ids.append(id)
        }
        runs[submission.id] = Run(submission: submission, digest: digest, jobs: ids, submittedAt: now)
        openGates(now: now)
    }

    /// The numbers of the jobs that a new job waits for.
    private func needs(
        of job: JobSubmission, in submission: RunSubmission
    ) throws(QueueError) -> [Int64: JobDependency.Condition] {
        var needs: [Int64: JobDependency.Condition] = [:]
        for dependency in job.after {
            let found: [Int64]
            switch dependency.target {
            case .sibling(let ordinal): found = [Int64(jobs.count + ordinal + 1)]
            case .job(let run, let ordinal):
                found =
                    run == submission.id
                    ? [Int64(jobs.count + ordinal + 1)]
                    : runs[run]?.jobs.filter { $0.ordinal == ordinal }.map(\.number) ?? []
            case .run(let run): found = runs[run]?.jobs.map(\.number) ?? []
            }
            guard !found.isEmpty else {
                throw QueueError.dependencyNotFound(dependency)
            }
            for number in found where needs[number] != .ok {
                needs[number] = dependency.condition
            }
        }
        return needs
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
