public import FoundationEssentials
public import JobQueue
import Postgres
import SQL

extension PostgresJobQueue {
    @discardableResult
    public func cancel(_ work: WorkTarget) async throws(QueueError) -> Int {
        let reason =
            switch work {
            case .run: "the run was cancelled"
            case .job: "the job was cancelled"
            }
        return try await change(work, .cancelJobs, [work.run.text, work.ordinal, reason], to: "cancel \(work)")
    }

    @discardableResult
    public func hold(_ work: WorkTarget, reason: String) async throws(QueueError) -> Int {
        try QueueError.check(reason, "the reason", 1...1000)
        return try await change(work, .holdJobs, [work.run.text, work.ordinal, reason], to: "hold \(work)")
    }

    @discardableResult
    public func release(_ work: WorkTarget) async throws(QueueError) -> Int {
        try await change(work, .releaseJobs, [work.run.text, work.ordinal], to: "release \(work)")
    }

    @discardableResult
    public func retry(_ work: WorkTarget, onlyFailed: Bool) async throws(QueueError) -> Int {
        try await change(work, .retryJobs, [work.run.text, work.ordinal, onlyFailed], to: "retry \(work)")
    }

    @discardableResult
    public func mixEngines(of work: WorkTarget) async throws(QueueError) -> Int {
        try await change(work, .mixEngines, [work.run.text, work.ordinal], to: "let other engines finish \(work)")
    }

    @discardableResult
    public func setPriority(_ priority: Priority, of work: WorkTarget) async throws(QueueError) -> Int {
        try await change(
            work, .setTier, [work.run.text, work.ordinal, priority.rawValue], to: "change the priority of \(work)")
    }

    @discardableResult
    public func archive(olderThan age: Duration, limit: Int) async throws(QueueError) -> Int {
        let parameters: [(any PostgresEncodable)?] = [age.inSeconds, min(max(0, limit), storableCount.upperBound)]
        return try await query(.archiveRuns, parameters, to: "archive old runs") { rows throws(PostgresError) in
            try rows.only().decode("archived", as: Int.self)
        }
    }

    /// Cancels runs that score results again and whose command has died, and answers how many.
    public func cancelAbandonedRescorings(limit: Int) async throws(QueueError) -> Int {
        let parameters = [min(max(0, limit), storableCount.upperBound)]
        return try await query(.cancelAbandonedRescorings, parameters, to: "cancel abandoned rescorings") {
            rows throws(PostgresError) in
            try rows.only().decode("cancelled", as: Int.self)
        }
    }

    /// Calls one of the functions that answer how much they changed, and null for what does not exist.
    private func change(
        _ work: WorkTarget, _ statement: Query, _ parameters: [(any PostgresEncodable)?], to task: String
    ) async throws(QueueError) -> Int {
        let changed: Int?
        do {
            changed = try await query(statement, parameters, to: task) { rows throws(PostgresError) in
                try rows.only().decode("changed", as: Int?.self)
            }
        } catch  where error.code == .conflict {
            throw QueueError.isArchived(work.run)
        }
        guard let changed else {
            switch work {
            case .run(let run): throw QueueError.runNotFound(run.text)
            case .job(let job): throw QueueError.jobNotFound(job.name)
            }
        }
        return changed
    }
}

extension PostgresJobQueue {
    public func projects() async throws(QueueError) -> [ProjectRecord] {
        try await query(.listProjects, [nil], to: "list the projects", read: ProjectRecord.all(in:))
    }

    func project(named name: String) async throws(QueueError) -> ProjectRecord {
        let found = try await query(
            .listProjects, [name], to: "look for project '\(name)'", read: ProjectRecord.all(in:))
        guard let project = found.first else {
            throw QueueError.projectNotFound(name)
        }
        return project
    }

    @discardableResult
    public func changeProject(_ name: String, _ change: ProjectChange) async throws(QueueError) -> ProjectRecord {
        try change.validate(for: name)
        let parameters: [(any PostgresEncodable)?] = [
            name, change.weight, change.softCap.value, change.hardCap.value, change.softCap == .remove,
            change.hardCap == .remove, change.ceiling.value?.rawValue, change.ceiling == .remove,
        ]
        try await query(.changeProject, parameters, to: "change project '\(name)'") { _ in }
        return try await project(named: name)
    }
}

extension ProjectRecord {
    fileprivate static func all(in rows: PostgresRows) throws(PostgresError) -> [ProjectRecord] {
        var records: [ProjectRecord] = []
        for row in rows {
            records.append(
                ProjectRecord(
                    name: try row.decode("name"), weight: try row.decode("weight"),
                    softCap: try row.decode("soft_cap"), hardCap: try row.decode("hard_cap"),
                    ceiling: try row.optionalName("max_tier"), usedSeconds: try row.decode("used_seconds"),
                    running: try row.decode("running"),
                    ready: try row.decode("ready")))
        }
        return records
    }
}

extension PostgresJobQueue {
    @discardableResult
    public func addModel(_ model: ModelRecord, replacing: Bool) async throws(QueueError) -> ModelRecord {
        try model.validate()
        let parameters: [(any PostgresEncodable)?] = [
            model.name, model.path, model.sha256, model.bytes, model.architecture, model.parameters,
            model.contextLength, model.vocabularySize, model.tokenizerSHA256, model.quantization, replacing,
        ]
        try await query(.addModel, parameters, to: "add model '\(model.name)'") { _ in }
        let stored = try await self.model(named: model.name)
        guard stored.sha256 == model.sha256 else {
            throw QueueError.modelConflict(stored, model)
        }
        return stored
    }

    public func models() async throws(QueueError) -> [ModelRecord] {
        try await query(.listModels, [nil], to: "list the models", read: ModelRecord.all(in:))
    }

    public func model(named name: String) async throws(QueueError) -> ModelRecord {
        try QueueError.check(name, "the model's name", 1...200)
        let found = try await query(.listModels, [name], to: "look for model '\(name)'", read: ModelRecord.all(in:))
        guard let model = found.first else {
            throw QueueError.modelNotFound(name, existing: try await models().map(\.name))
        }
        return model
    }
}

extension ModelRecord {
    static func all(in rows: PostgresRows) throws(PostgresError) -> [ModelRecord] {
        var records: [ModelRecord] = []
        for row in rows {
            records.append(try ModelRecord(row))
        }
        return records
    }

    private init(_ row: PostgresRow) throws(PostgresError) {
        self.init(
            name: try row.decode("name"), path: try row.decode("path"), sha256: try row.decode("sha256"),
            bytes: try row.decode("bytes"), architecture: try row.decode("architecture"),
            parameters: try row.decode("parameters"), contextLength: try row.decode("context_length"),
            vocabularySize: try row.decode("vocabulary_size"),
            tokenizerSHA256: try row.decode("tokenizer_sha256"), quantization: try row.decode("quantization"),
            addedAt: try row.date("added_at"))
    }
}

extension PostgresJobQueue {
    @discardableResult
    public func addDataSet(_ dataSet: DataSetRecord, replacing: Bool) async throws(QueueError) -> DataSetAddition {
        try dataSet.validate()
        do {
            return try await pool.withTransaction { connection in
                let changed = try await dataSet.store(on: connection, replacing: replacing)
                let rows = try await connection.query(PostgresStatement(.listDataSetSplits), dataSet.name.columns)
                let stored = try DataSetRecord.all(in: rows).first ?? dataSet
                try stored.checkContent(dataSet)
                return DataSetAddition(record: stored, changed: changed)
            }
        } catch {
            throw QueueError(error, task: "add data set '\(dataSet.name)'")
        }
    }

    public func dataSets() async throws(QueueError) -> [DataSetRecord] {
        try await query(.listDataSetSplits, [nil, nil], to: "list the data sets", read: DataSetRecord.all(in:))
    }

    public func dataSet(
        _ name: DataSetName, with splits: [String]
    ) async throws(QueueError) -> DataSetRecord {
        let found = try await query(
            .listDataSetSplits, name.columns, to: "look for data set '\(name)'", read: DataSetRecord.all(in:))
        guard let dataSet = found.first else {
            throw QueueError.dataSetNotFound(name, splits: splits, existing: try await dataSets().map(\.name))
        }
        try dataSet.checkSplits(splits)
        return dataSet
    }

    public func removeDataSet(_ name: DataSetName) async throws(QueueError) {
        let splits = try await query(.removeDataSet, name.columns, to: "remove data set '\(name)'") {
            rows throws(PostgresError) in try rows.only().decode("splits", as: Int.self)
        }
        guard splits > 0 else {
            throw QueueError.dataSetNotFound(name, splits: [], existing: try await dataSets().map(\.name))
        }
    }
}

extension DataSetName {
    fileprivate var columns: [(any PostgresEncodable)?] { [name, config ?? ""] }
}

extension DataSetRecord {
    /// Inserts the splits that are not there, and answers which.
    fileprivate func store(on connection: PostgresConnection, replacing: Bool) async throws -> [String] {
        var changed: [String] = []
        // In one order for all, so that none waits for another in a circle.
        for split in splits.sorted(by: { $0.name < $1.name }) {
            let parameters: [(any PostgresEncodable)?] = [
                split.name, split.sha256, split.rows, split.columns, split.source, split.user, replacing,
            ]
            let isChanged = try await connection.query(
                PostgresStatement(.addDataSetSplit), name.columns + parameters
            ).only().decode("changed", as: Bool.self)
            if isChanged { changed.append(split.name) }
        }
        return changed
    }

    /// The rows are in the order of names.
    fileprivate static func all(in rows: PostgresRows) throws(PostgresError) -> [DataSetRecord] {
        var records: [DataSetRecord] = []
        for row in rows {
            let name = DataSetName(unchecked: try row.decode("name"), config: try row.decode("config"))
            if records.last?.name != name { records.append(DataSetRecord(name, splits: [])) }
            records[records.count - 1].splits.append(try Split(row))
        }
        return records
    }
}

extension DataSetRecord.Split {
    fileprivate init(_ row: PostgresRow) throws(PostgresError) {
        self.init(
            name: try row.decode("split"), sha256: try row.decode("sha256"), rows: try row.decode("row_count"),
            columns: try row.decode("columns"), source: try row.decode("source"),
            user: try row.decode("user_name"), addedAt: try row.date("added_at"))
    }
}

extension PostgresJobQueue {
    public func databaseIdentity() async throws(QueueError) -> DatabaseIdentity {
        try await query(.databaseIdentity, to: "find out which store the database belongs to") {
            rows throws(PostgresError) in try DatabaseIdentity(try rows.only())
        }
    }

    public func adoptStore(
        _ store: UUID, path: String, user: String, onlyFirst: Bool
    ) async throws(QueueError) -> StoreAdoption {
        try StoreAdoption.check(path: path, user: user)
        try await query(.adoptStore, [store, path, user, onlyFirst], to: "adopt the store") { _ in }
        guard let adoption = try await databaseIdentity().adoption else {
            throw QueueError(.internalFailure, "the store's adoption was not kept")
        }
        return adoption
    }

    public func verdicts(on claims: [ClaimReference]) async throws(QueueError) -> [ClaimReference: ClaimVerdict] {
        guard !claims.isEmpty else { return [:] }
        let parameters: [(any PostgresEncodable)?] = [
            claims.map(\.run.text), claims.map(\.ordinal), claims.map(\.shard), claims.map(\.epoch.rawValue),
            claims.map(\.incarnation.uuid),
        ]
        return try await query(.judgeClaims, parameters, to: "find out which claims are dead") {
            rows throws(PostgresError) in
            var verdicts: [ClaimReference: ClaimVerdict] = [:]
            for row in rows {
                verdicts[claims[try row.decode("number", as: Int.self) - 1]] = try row.name("verdict")
            }
            return verdicts
        }
    }

    public func withdraw(
        _ results: [ResultWithdrawal], of job: JobID, user: String, again: Bool
    ) async throws(QueueError) -> [Int] {
        for result in results { try result.validate() }
        try QueueError.check(user, "the user's name", 1...200)
        let parameters: [(any PostgresEncodable)?] = [
            job.run.text, job.ordinal, results.map(\.shard), results.map(\.epoch.rawValue),
            results.map(\.incarnation.uuid), results.map(\.reason), user, again,
        ]
        let withdrawn: [Int]?
        do {
            withdrawn = try await query(.withdrawResults, parameters, to: "take results of job \(job) out") {
                rows throws(PostgresError) in try rows.only().decode("withdrawn", as: [Int]?.self)
            }
        } catch  where error.code == .conflict {
            throw QueueError.isArchived(job.run)
        }
        guard let withdrawn else {
            throw QueueError.jobNotFound(job.name)
        }
        return withdrawn
    }

    public func withdrawnResults(of job: JobID) async throws(QueueError) -> [WithdrawnResult] {
        try await query(.listWithdrawnResults, [job.number], to: "list what was taken out of job \(job)") {
            rows throws(PostgresError) in
            var results: [WithdrawnResult] = []
            for row in rows {
                results.append(try WithdrawnResult(row))
            }
            return results
        }
    }

    @discardableResult
    public func restore(_ run: RunID) async throws(QueueError) -> Bool {
        let restored = try await query(.restoreRun, [run.text], to: "bring run \(run) back from the archive") {
            rows throws(PostgresError) in try rows.only().decode("restored", as: Bool?.self)
        }
        guard let restored else {
            throw QueueError.runNotFound(run.text)
        }
        return restored
    }

    public func namedHashes() async throws(QueueError) -> Set<String> {
        try await query(.listNamedHashes, to: "list the data sets in use") { rows throws(PostgresError) in
            var hashes: Set<String> = []
            for row in rows {
                hashes.insert(try row.decode("sha256", as: String.self))
            }
            return hashes
        }
    }
}

extension DatabaseIdentity {
    fileprivate init(_ row: PostgresRow) throws(PostgresError) {
        self.init(
            systemIdentifier: try row.decode("system_identifier"), databaseOID: try row.decode("database_oid"),
            databaseName: try row.decode("database_name"), adoption: nil)
        guard let store = try row.decode("store_uuid", as: UUID?.self) else { return }
        adoption = StoreAdoption(
            store: store, database: try row.decode("database_uuid"),
            systemIdentifier: try row.decode("adopted_system"), databaseOID: try row.decode("adopted_oid"),
            path: try row.decode("path"), user: try row.decode("adopted_by"), adoptedAt: try row.date("adopted_at"))
    }
}

extension WithdrawnResult {
    fileprivate init(_ row: PostgresRow) throws(PostgresError) {
        self.init(
            shard: try row.decode("shard_no"), epoch: Epoch(try row.decode("epoch")), path: try row.decode("path"),
            bytes: try row.decode("bytes"), sha256: try row.decode("sha256"), digest: try row.decode("digest"),
            reason: try row.decode("reason"), user: try row.decode("withdrawn_by"),
            withdrawnAt: try row.date("withdrawn_at"))
    }
}

extension PostgresJobQueue {
    public func dueChores() async throws(QueueError) -> [Chore] {
        try await query(.dueChores, to: "see what is due in the queue") { rows throws(PostgresError) in
            var names: Set<String> = []
            for row in rows {
                names.insert(try row.decode("name"))
            }
            // Those of a newer schema are for newer programs.
            return Chore.allCases.filter { names.contains($0.rawValue) }
        }
    }

    @discardableResult
    public func run(_ chore: Chore, isForced: Bool) async throws(QueueError) -> ChoreOutcome? {
        do {
            let rows = try await pool.query(
                PostgresStatement(.runChore), [chore.rawValue, isForced], timeout: Self.choreTimeout)
            guard !rows.isEmpty else { return nil }
            var outcome = ChoreOutcome()
            for row in rows {
                let changed: Int = try row.decode("changed")
                switch try row.decode("what", as: String.self) {
                case "workers": outcome.report.workers = changed
                case "requeued": outcome.report.requeued = changed
                case "held": outcome.report.held = changed
                case "promotion": outcome.report.promoted = changed
                default: break
                }
                outcome.changed += changed
            }
            return outcome
        } catch {
            let failure = QueueError(error, task: "do the queue's chore '\(chore.rawValue)'")
            // `assay doctor` reads it. While the database is away it can't be written down.
            try? await query(.noteChoreFailure, [chore.rawValue, "\(error)"], to: "record a failed chore") { _ in }
            throw failure
        }
    }

    public func chores() async throws(QueueError) -> [ChoreRecord] {
        try await query(.listChores, to: "list the queue's chores") { rows throws(PostgresError) in
            var records: [ChoreRecord] = []
            for row in rows {
                guard let chore = Chore(rawValue: try row.decode("name")) else { continue }
                records.append(
                    ChoreRecord(
                        chore: chore, interval: .seconds(try row.decode("every_seconds", as: Double.self)),
                        succeededAt: try row.optionalDate("succeeded_at"), seconds: try row.decode("seconds"),
                        failedAt: try row.optionalDate("failed_at"), error: try row.decode("error")))
            }
            return records
        }
    }

    /// Long enough for the slices that chores work in, and shorter than any session's own limit.
    private static let choreTimeout: Duration = .seconds(10)
}
