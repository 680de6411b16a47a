import Postgres
import SQL

extension PostgresJobQueue {
    @discardableResult
    public func submit(_ submission: RunSubmission) async throws(QueueError) -> RunRecord {
        try submission.validate()
        let digest = submission.digest
        do {
            try await pool.withTransaction { connection in
                try await submission.store(on: connection, digest: digest)
            }
        } catch {
            throw QueueError(error, task: "submit run \(submission.id)")
        }
        return try await run(matching: submission.id.text)
    }
}

extension PostgresJobQueue {
    /// Submits and takes it back, so that nothing that the database has to say against it is left out.
    public func checkSubmission(_ submission: RunSubmission) async throws(QueueError) {
        struct TakenBack: Error {}
        try submission.validate()
        do {
            try await pool.withTransaction { connection in
                try await submission.store(on: connection, digest: submission.digest)
                throw TakenBack()
            }
        } catch is TakenBack {
            return
        } catch {
            throw QueueError(error, task: "check run \(submission.id)")
        }
    }
}

extension RunSubmission {
    /// Inserts everything, unless the same submission is there already.
    func store(on connection: PostgresConnection, digest: String) async throws {
        _ = try await connection.query(PostgresStatement(.insertProject), [project])
        let inserted = try await connection.query(
            PostgresStatement(.insertRun), [id.text, project, name, user, priority.rawValue, digest, specification])
        guard !inserted.isEmpty else {
            let existing = try await connection.query(PostgresStatement(.findSubmission), [id.text]).only()
            guard try existing.decode("submission_sha256", as: String.self) == digest else {
                throw QueueError.submissionDiffers(id)
            }
            return
        }
        try await storeSpecifications(on: connection)
        for job in jobs {
            try await job.store(on: connection, run: id)
        }
        if jobs.contains(where: { !$0.after.isEmpty }) {
            // What they wait for may have ended already.
            _ = try await connection.query(PostgresStatement(.openGates))
        }
        _ = try await connection.query(PostgresStatement(.notifySubmitted), [id.text])
    }

    /// Each content once, and in one order for all submitters, so that none waits for another in a circle.
    private func storeSpecifications(on connection: PostgresConnection) async throws {
        let contents = Dictionary(
            jobs.map { ($0.specificationSHA256, $0.specification) }, uniquingKeysWith: { first, _ in first })
        for (sha256, specification) in contents.sorted(by: { $0.key < $1.key }) {
            _ = try await connection.query(PostgresStatement(.insertJobSpec), [sha256, specification])
        }
    }
}

extension JobSubmission {
    fileprivate func store(on connection: PostgresConnection, run: RunID) async throws {
        let parameters: [(any PostgresEncodable)?] = [
            run.text, ordinal, maxAttempts, needGPUMegabytes, sampleCount, shards.count, task, model, modelSHA256,
            specificationSHA256, needLabels, needDevice, maxFailures, !after.isEmpty,
        ]
        let number = try await connection.query(PostgresStatement(.insertJob), parameters).only()
            .decode("job_id", as: Int64.self)
        _ = try await connection.query(
            PostgresStatement(.insertShards), [number, shards.map(\.rowStart), shards.map(\.rowCount)])
        for dependency in after {
            try await dependency.store(on: connection, job: number, of: run)
        }
    }
}

extension JobDependency {
    fileprivate func store(on connection: PostgresConnection, job: Int64, of own: RunID) async throws {
        let (run, ordinal): (RunID, Int?) =
            switch target {
            case .sibling(let ordinal): (own, ordinal)
            case .job(let run, let ordinal): (run, ordinal)
            case .run(let run): (run, nil)
            }
        let found = try await connection.query(
            PostgresStatement(.insertDependency), [job, run.text, ordinal, condition.rawValue])
        guard !found.isEmpty else {
            throw QueueError.dependencyNotFound(self)
        }
    }
}
