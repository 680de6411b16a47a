internal import Evaluation
public import JobQueue
public import ResultStore

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
