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
        for (sha256, dataSet) in plan.dataSets.sorted(by: { $0.key < $1.key }) {
            do {
                _ = try await store.importDataSet(bytes: dataSet.jsonl)
            } catch {
                throw PlanningError(.unavailable, at: "data set \(sha256.prefix(12))", "\(error)")
            }
        }
        do {
            return try await queue.submit(plan.submission)
        } catch {
            throw PlanningError(.unavailable, at: "run '\(plan.submission.name)'", "\(error)")
        }
    }
}
