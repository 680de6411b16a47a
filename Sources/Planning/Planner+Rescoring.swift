public import Evaluation
public import JobQueue

extension Planner {
    /// A run that scores the answers of finished jobs anew.
    ///
    /// - Parameters:
    ///   - jobs: What each new job is, with the shards of the old one.
    ///   - label: What its worker alone has, so that none with an engine takes it.
    public static func rescoring(
        name: String, project: String, user: String, label: String,
        jobs: [(specification: JobSpecification, shards: [ShardRange])]
    ) throws(PlanningError) -> RunSubmission {
        var submissions: [JobSubmission] = []
        for (ordinal, job) in jobs.enumerated() {
            let json: String
            do {
                json = try job.specification.json()
            } catch {
                throw PlanningError(.task, at: name, "the job can't be written as JSON: \(error)")
            }
            submissions.append(
                JobSubmission(
                    ordinal: ordinal, task: job.specification.task.name, model: job.specification.model.name,
                    modelSHA256: job.specification.model.sha256, specification: json,
                    sampleCount: job.specification.dataSet.rows, shards: job.shards, needLabels: [label]))
        }
        return RunSubmission(
            name: name, project: project, user: user, specification: "[]", jobs: submissions)
    }
}
