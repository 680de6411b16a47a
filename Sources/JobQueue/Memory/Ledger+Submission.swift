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
        if projects[submission.project] == nil {
            projects[submission.project] = Project(usedAt: now)
        }
        var ids: [JobID] = []
        for job in submission.jobs {
            let id = JobID(number: Int64(jobs.count) + 1, run: submission.id, ordinal: job.ordinal)
            jobs.append(
                Job(
                    id: id, submission: job, project: submission.project, priority: submission.priority,
                    shards: job.shards.map { Shard(range: $0) }))
            ids.append(id)
        }
        runs[submission.id] = Run(submission: submission, digest: digest, jobs: ids, submittedAt: now)
    }

    mutating func cancel(_ id: RunID, now: Date) throws(QueueError) {
        guard let run = runs[id] else {
            throw QueueError.runNotFound(id.text)
        }
        runs[id]?.cancelledAt = run.cancelledAt ?? now
        for job in run.jobs.compactMap({ index(of: $0) }) {
            jobs[job].isCancelled = true
            for shard in jobs[job].shards.indices
            where [.blocked, .ready, .held].contains(jobs[job].shards[shard].state) {
                jobs[job].shards[shard].cancel(now: now)
            }
        }
    }
}

extension Ledger.Shard {
    mutating func cancel(now: Date) {
        state = .cancelled
        reason = "the run was cancelled"
        notBefore = nil
        endedAt = now
        samplesDone = 0
        tokensDone = 0
    }
}
