extension RunSubmission {
    /// Checks that the submission holds together: every row of every job in exactly one shard.
    ///
    /// - Throws: `invalid` with the first thing that is wrong.
    public func validate() throws(QueueError) {
        try check(name, "the run's name", 1...200)
        try check(project, "the project's name", 1...64)
        try check(user, "the user's name", 1...200)
        try check(specification, "the run's specification", storableText)
        guard !jobs.isEmpty else {
            throw QueueError(.invalid, "run \(id) has no jobs: a run needs at least one")
        }
        for (place, job) in jobs.enumerated() {
            guard job.ordinal == place else {
                throw QueueError(
                    .invalid,
                    "job number \(job.ordinal) stands at place \(place) of run \(id): jobs are numbered in order")
            }
            try job.validate(as: "\(id).\(place)")
            try job.validateDependencies(in: id)
        }
    }
}

extension JobSubmission {
    fileprivate func validate(as job: String) throws(QueueError) {
        try check(task, "the task's name of job \(job)", 1...200)
        try check(model, "the model's name of job \(job)", 1...200)
        try check(sha256: modelSHA256, "the model's sha256 of job \(job)")
        try check(specification, "the specification of job \(job)", storableText)
        try check(sampleCount, "the number of samples of job \(job)", 1...storableCount.upperBound)
        try check(needGPUMegabytes, "the GPU memory of job \(job)", storableCount)
        try check(maxAttempts, "the number of attempts of job \(job)", 1...100)
        try check(maxFailures ?? 0, "max_failures of job \(job)", storableCount)
        try check(deviceKind: needDevice ?? "cpu", "the device that job \(job) needs")
        if let work { try check(sha256: work, "the hash of what job \(job) works on") }
        for label in needLabels {
            try check(label, "a label of job \(job)", 1...200)
        }
        var next = 0
        for (index, shard) in shards.enumerated() {
            guard shard.rowStart == next, shard.rowCount > 0, shard.rowCount <= sampleCount - next else {
                throw QueueError(
                    .invalid,
                    """
                    shard \(index) of job \(job) has \(shard.rowCount) rows from \(shard.rowStart): the shards must \
                    cover the rows 0 to \(sampleCount - 1) in order, and \(next) comes next
                    """)
            }
            next += shard.rowCount
        }
        guard next == sampleCount else {
            throw QueueError(
                .invalid, "the shards of job \(job) end at row \(next): there are \(sampleCount) rows")
        }
    }
}

extension JobSubmission {
    /// Checks that the job waits for others only, and for earlier ones of its run.
    fileprivate func validateDependencies(in run: RunID) throws(QueueError) {
        for dependency in after {
            switch dependency.target {
            case .sibling(let other), .job(run, let other):
                guard (0..<ordinal).contains(other) else {
                    throw QueueError(
                        .invalid,
                        "job \(run).\(ordinal) is to wait for job \(run).\(other): jobs wait for earlier ones only")
                }
            case .run(run):
                throw QueueError(.invalid, "job \(run).\(ordinal) is to wait for its own run, which would never end")
            case .job, .run: break
            }
        }
    }
}
