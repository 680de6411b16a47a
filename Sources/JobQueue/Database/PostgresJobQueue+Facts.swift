import FoundationEssentials
import Postgres
import SQL

extension PostgresJobQueue {
    public func facts(of work: WorkTarget) async throws(QueueError) -> [JobFacts] {
        let (jobs, task) = (try await records(of: work), "find out about \(work)")
        let numbers = Dictionary(jobs.map { ($0.id.number, $0) }, uniquingKeysWith: { first, _ in first })
        let found = try await query(.jobFacts, [work.run.text, work.ordinal], to: task) {
            rows throws(PostgresError) in
            var found: [JobFacts] = []
            for row in rows {
                guard let job = numbers[try row.decode("job_id")] else { continue }
                found.append(try JobFacts(row, job, ProjectRecord(name: try row.decode("project"))))
            }
            return found
        }
        guard let name = found.first?.project.name else {
            throw QueueError.runNotFound(work.run.text)
        }
        let project = try await self.project(named: name)
        return found.map { facts in
            var facts = facts
            facts.project = project
            return facts
        }
    }

    private func records(of work: WorkTarget) async throws(QueueError) -> [JobRecord] {
        switch work {
        case .run(let run): try await jobs(of: run)
        case .job(let job): [try await self.job(matching: job.name)]
        }
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
            holdReason: try row.decode("hold_reason"), givenBack: try GivenBack(row),
            trouble: try row.decode("trouble"), engine: try row.decode("engine"),
            otherEngine: try row.decode("other_engine"),
            workers: try WorkerFacts(row),
            readyInHigherTiers: try row.decode("ready_in_higher_tiers"),
            readyInOlderJobs: try row.decode("ready_in_older_jobs"),
            readyInOtherProjects: try row.decode("ready_in_other_projects"),
            secondsPerSample: try row.decode("seconds_per_sample"))
    }
}

extension JobFacts.GivenBack {
    fileprivate init?(_ row: PostgresRow) throws(PostgresError) {
        guard let at = try row.optionalDate("given_back_at") else { return nil }
        self.init(reason: try row.decode("given_back_reason"), host: try row.decode("given_back_host"), at: at)
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
        unlike = try row.decode("unlike")
        busyElsewhere = try row.decode("busy_elsewhere")
        here = try row.decode("here")
    }
}
