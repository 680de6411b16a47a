import FoundationEssentials
import Postgres
import SQL

extension PostgresJobQueue {
    public func facts(of job: JobID) async throws(QueueError) -> JobFacts {
        let record = try await self.job(matching: job.name)
        let found = try await query(.jobFacts, [job.number], to: "find out about job \(job)") {
            rows throws(PostgresError) -> (project: String, facts: JobFacts)? in
            guard let row = try rows.atMostOne() else { return nil }
            let name: String = try row.decode("project")
            return (name, try JobFacts(row, record, ProjectRecord(name: name)))
        }
        guard let found else {
            throw QueueError.jobNotFound(job.name)
        }
        var facts = found.facts
        facts.project = try await self.project(named: found.project)
        return facts
    }

    public func outlook(of run: RunID) async throws(QueueError) -> RunOutlook {
        try await query(.runOutlook, [run.text], to: "estimate what is left of run \(run)") {
            rows throws(PostgresError) in try RunOutlook(try rows.only())
        }
    }
}

extension RunOutlook {
    fileprivate init(_ row: PostgresRow) throws(PostgresError) {
        self.init(
            deviceSecondsLeft: try row.decode("device_seconds_left"),
            samplesOfUnknownPace: try row.decode("samples_of_unknown_pace"),
            tokensPerSecond: try row.decode("tokens_per_second"), openShards: try row.decode("open_shards"),
            workersHere: try row.decode("workers_here"), workersSuitable: try row.decode("workers_suitable"))
    }
}

extension JobFacts {
    fileprivate init(_ row: PostgresRow, _ job: JobRecord, _ project: ProjectRecord) throws(PostgresError) {
        self.init(
            job: job, project: project, now: try row.date("now"),
            nextAttemptAt: try row.optionalDate("next_attempt_at"), failure: try row.decode("failure"),
            holdReason: try row.decode("hold_reason"), workers: try WorkerFacts(row),
            readyInHigherTiers: try row.decode("ready_in_higher_tiers"),
            readyInOlderJobs: try row.decode("ready_in_older_jobs"),
            readyInOtherProjects: try row.decode("ready_in_other_projects"),
            secondsPerSample: try row.decode("seconds_per_sample"))
    }
}

extension JobFacts.WorkerFacts {
    fileprivate init(_ row: PostgresRow) throws(PostgresError) {
        self.init()
        live = try row.decode("live")
        draining = try row.decode("draining")
        withLabels = try row.decode("with_labels")
        withMemory = try row.decode("with_memory")
        withDevice = try row.decode("with_device")
        suitable = try row.decode("suitable")
        busyElsewhere = try row.decode("busy_elsewhere")
        here = try row.decode("here")
    }
}
