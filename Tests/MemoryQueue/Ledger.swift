package import FoundationEssentials
package import JobQueue

/// The queue as a value: what the tables hold, and what may be done with them.
///
/// No clock, no chance, no concurrency: time and jitter come as arguments.
package struct Ledger: Sendable {
    struct Run: Sendable {
        var submission: RunSubmission
        var digest: String
        var jobs: [JobID]
        var submittedAt: Date
        var cancelledAt: Date?
        var archivedAt: Date?
    }

    package struct Job: Sendable {
        package var id: JobID
        package var submission: JobSubmission
        var project: String
        var priority: Priority
        package var isCancelled = false
        var cancelReason: String?
        var gate: JobGate = .open
        var gateReason: String?
        /// What it waits for, in the order of runs and jobs.
        var needs: [Need] = []
        /// What its first result came from.
        var engine: String?
        /// Its results may come from several engines.
        var isMixed = false
        package var shards: [Shard]
    }

    package struct Shard: Sendable {
        package var range: ShardRange
        package var state: ShardState = .ready
        var epoch = Epoch(0)
        var failures = 0
        package var losses = 0
        var samplesDone = 0
        var tokensDone = 0
        var claim: Claim?
        var notBefore: Date?
        var endedAt: Date?
        var reason: String?
        package var result: ShardResult?
        /// False while it was only fetched ahead.
        var isBegun = true
        /// The worker that failed it last, and until when others go first.
        var avoids: (worker: WorkerID, until: Date)?
    }

    /// A run that a job waits for, or one job of it.
    struct Need: Sendable {
        var run: RunID
        var ordinal: Int?
        var condition: JobDependency.Condition
        /// Met once, or of a job that does not wait any more.
        var isSettled = false

        /// What people call it.
        var name: String { ordinal.map { "\(run).\($0)" } ?? "run \(run)" }
    }

    /// Who claimed a shard last.
    struct Claim: Sendable {
        var worker: WorkerID
        var incarnation: Incarnation
        var startedAt: Date
    }

    struct Worker: Sendable {
        var description: WorkerDescription
        var incarnation: Incarnation
        var ttl: Duration
        var state: WorkerState = .live
        var isDraining = false
        var registeredAt: Date
        var seenAt: Date
        var leaseUntil: Date
        var endedAt: Date?
        var warmModels: [String]
        var warmSince: Date
        var note: String?
    }

    package struct Project: Sendable {
        package var weight: Double = 1
        var usedSeconds: Double = 0
        var usedAt: Date
        /// Device time that the next reaper charges.
        var uncharged: Double = 0
        var softCap: Int?
        var hardCap: Int?
        var ceiling: Priority?
    }

    /// A result that was taken out.
    struct Withdrawal: Sendable {
        var startedAt: Date
        var result: ShardResult
        var record: WithdrawnResult
    }

    var runs: [RunID: Run] = [:]
    /// The job with the number n stands at n - 1.
    package var jobs: [Job] = []
    /// The worker with the number n stands at n - 1.
    var workers: [Worker] = []
    package var projects: [String: Project] = [:]
    var attempts: [Int64: [AttemptRecord]] = [:]
    var models: [String: ModelRecord] = [:]
    var dataSets: [DataSetName: DataSetRecord] = [:]
    var schedules: [String: Schedule] = [:]
    var adoption: StoreAdoption?
    /// By the job's number.
    var withdrawn: [Int64: [Withdrawal]] = [:]

    package init() {}
}

extension Ledger {
    /// Where a shard stands in `jobs` and in its job; nil for one that was never submitted.
    func place(of key: ShardKey) -> (job: Int, shard: Int)? {
        guard let job = index(of: key.job), jobs[job].shards.indices.contains(key.index) else { return nil }
        return (job, key.index)
    }

    func index(of job: JobID) -> Int? {
        guard let index = Int(exactly: job.number - 1), jobs.indices.contains(index), jobs[index].id == job else {
            return nil
        }
        return index
    }

    func index(of worker: WorkerID) -> Int? {
        guard let index = Int(exactly: worker.number - 1), workers.indices.contains(index) else { return nil }
        return index
    }

    /// Where the shard of this claim stands, if nobody else has claimed it since.
    func place(of key: ShardKey, epoch: Epoch, incarnation: Incarnation) -> (job: Int, shard: Int)? {
        guard let place = place(of: key) else { return nil }
        let shard = jobs[place.job].shards[place.shard]
        guard shard.epoch == epoch, shard.claim?.incarnation == incarnation else { return nil }
        return place
    }

    /// All shards in the state `running`.
    var running: [(job: Int, shard: Int, claim: Claim)] {
        jobs.indices.flatMap { job in
            jobs[job].shards.indices.compactMap { shard in
                guard jobs[job].shards[shard].state == .running, let claim = jobs[job].shards[shard].claim else {
                    return nil
                }
                return (job, shard, claim)
            }
        }
    }

    /// Writes down a claim that ended without a result.
    mutating func log(
        _ place: (job: Int, shard: Int), _ outcome: AttemptOutcome, error: String?, seconds: Double?, now: Date
    ) {
        let job = jobs[place.job]
        let shard = job.shards[place.shard]
        guard let claim = shard.claim, let worker = index(of: claim.worker) else { return }
        attempts[job.id.number, default: []].append(
            AttemptRecord(
                key: ShardKey(job: job.id, index: place.shard), epoch: shard.epoch, outcome: outcome, error: error,
                worker: claim.worker, host: workers[worker].description.host,
                device: workers[worker].description.device, startedAt: claim.startedAt, endedAt: now,
                seconds: seconds))
        projects[job.project]?.uncharged += seconds ?? 0
    }
}

/// What the queue itself says of claims that ended without a result, in PostgreSQL too; no worker said it.
enum QueueNote {
    static let takenOver = "an idle worker took it over"
    static let unknownClaim = "the worker does not know of this claim"
    static let left = "the worker left"

    static func isOwn(_ text: String) -> Bool { [self.takenOver, self.unknownClaim, self.left].contains(text) }
}

extension Ledger {
    package mutating func submit(_ submission: RunSubmission, now: Date) throws(QueueError) {
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

    package func results(of id: JobID) throws(QueueError) -> [ShardResult] {
        try job(id).shards.compactMap(\.result)
    }

    package func openShardCount(run: RunID?) -> Int {
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
