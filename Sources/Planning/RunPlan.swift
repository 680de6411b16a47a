public import Datasets
public import Evaluation
public import JobQueue
public import LMEval
public import ResultStore

/// A job file that was checked to the last row: what will be submitted, and the data it needs.
public struct RunPlan: Sendable {
    public var submission: RunSubmission
    public var jobs: [PlannedJob]
    /// The rows of the data sets by sha256, to be copied into the store before submitting.
    public var dataSets: [String: DataSet]
    /// What has no effect in the task files, and what typing changed of their rows, to be told to who submits.
    public var notes: [String] = []
}

/// One job of a plan, for people to look at before they submit.
public struct PlannedJob: Sendable, Encodable {
    public var ordinal: Int
    public var task: String
    public var taskFile: String
    public var taskHash: String
    public var model: String
    public var dataSetSHA256: String
    public var samples: Int
    public var shards: Int
}

extension Planner {
    /// Copies the data into the store, then submits; a failure in between leaves no run.
    ///
    /// - Returns: The run as the queue knows it.
    public static func submit(
        _ plan: RunPlan, queue: any RunRegistry, store: Store
    ) async throws(PlanningError) -> RunRecord {
        try await Self.importData(of: plan, into: store)
        let run: RunRecord
        do {
            run = try await queue.submit(plan.submission)
        } catch {
            throw PlanningError(.unavailable, at: "run '\(plan.submission.name)'", "\(error)")
        }
        try await Self.restoreData(of: plan, in: store)
        return run
    }

    /// Throws what submitting the plan would throw now; enqueues nothing and copies no data.
    public static func check(_ plan: RunPlan, queue: any RunRegistry) async throws(PlanningError) {
        do {
            try await queue.checkSubmission(plan.submission)
        } catch {
            throw PlanningError(.unavailable, at: "run '\(plan.submission.name)'", "\(error)")
        }
    }

    /// Copies the data into the store, then adds the schedule, under the plan's name.
    ///
    /// - Parameter replacing: Let the name mean this schedule from now on, if it means another one.
    public static func schedule(
        _ plan: RunPlan, timing: ScheduleTiming, replacing: Bool, queue: any ScheduleRegistry, store: Store
    ) async throws(PlanningError) -> ScheduleRecord {
        try await Self.importData(of: plan, into: store)
        let definition = ScheduleDefinition(
            name: plan.submission.name, timing: timing, template: RunTemplate(plan.submission))
        let schedule: ScheduleRecord
        do {
            schedule = try await queue.addSchedule(definition, replacing: replacing)
        } catch {
            throw PlanningError(.unavailable, at: "schedule '\(definition.name)'", "\(error)")
        }
        try await Self.restoreData(of: plan, in: store)
        return schedule
    }

    private static func importData(of plan: RunPlan, into store: Store) async throws(PlanningError) {
        for (sha256, dataSet) in plan.dataSets.sorted(by: { $0.key < $1.key }) {
            do {
                _ = try await store.importDataSet(bytes: dataSet.jsonl)
            } catch {
                throw PlanningError(.unavailable, at: "data set \(sha256.prefix(12))", "\(error)")
            }
        }
    }

    /// Copies again what garbage collection removed between the copy and the run that names it.
    private static func restoreData(of plan: RunPlan, in store: Store) async throws(PlanningError) {
        for (sha256, dataSet) in plan.dataSets.sorted(by: { $0.key < $1.key }) {
            do {
                guard try await !store.hasDataSet(sha256: sha256) else { continue }
                _ = try await store.importDataSet(bytes: dataSet.jsonl)
            } catch {
                throw PlanningError(.unavailable, at: "data set \(sha256.prefix(12))", "\(error)")
            }
        }
    }
}

/// The data sets of a queue's registry, with their rows from the store.
public struct RegisteredDataSets: DataSetCatalog {
    private let registry: any DataSetRegistry
    /// Opened only when rows are wanted: most commands can do without.
    private let store: @Sendable () async throws(StoreError) -> Store

    public init(
        _ registry: any DataSetRegistry, store: @escaping @Sendable () async throws(StoreError) -> Store
    ) {
        self.registry = registry
        self.store = store
    }

    public func rows(
        of dataSet: DataSetReference, evaluated: String, fewShot: String?
    ) async throws(TaskError) -> TaskData {
        let splits = [evaluated] + [fewShot].compactMap { $0 }.filter { $0 != evaluated }
        let record: DataSetRecord
        do {
            record = try await self.registry.dataSet(
                try DataSetName(dataSet.path, config: dataSet.name), with: splits)
        } catch {
            throw TaskError(error.isTransient ? .unreadableFile : .invalidValue, "\(error)")
        }
        var data = TaskData(evaluated: try await self.rows(of: record, split: evaluated))
        if let fewShot {
            data.fewShotPool =
                fewShot == evaluated ? data.evaluated : try await self.rows(of: record, split: fewShot)
        }
        return data
    }

    /// The rows of one split, checked against the sha256 that was registered.
    public func rows(of record: DataSetRecord, split name: String) async throws(TaskError) -> DataSet {
        guard let split = record[name] else {
            throw TaskError(.invalidValue, "data set '\(record.name)' has no split \(name)")
        }
        let bytes: [UInt8]
        do {
            bytes = try await self.store().dataSet(sha256: split.sha256)
        } catch {
            throw TaskError(
                .unreadableFile,
                "the rows of data set '\(record.name)', split \(name), can't be read: \(error) (the same "
                    + "`assay dataset add` again puts them back; they came from \(split.source))")
        }
        return try DataSet(jsonl: bytes, file: "\(record.name), split \(name)")
    }
}
