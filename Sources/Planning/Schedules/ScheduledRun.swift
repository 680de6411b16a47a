internal import Evaluation
public import JobQueue

/// Makes the run of a fire from a schedule's template.
public enum ScheduledRun {
    /// The template with the models that its names stand for now: a nightly run measures what is in use today.
    ///
    /// Data sets, tasks and settings stay as they were when the schedule was added.
    /// - Throws: ``PlanningError`` when a name is gone, or the model does not fit any more; `UnreadableTemplate` when another
    ///   version of Assay planned it.
    @Sendable public static func build(
        from template: RunSubmission, models: [String: ModelRecord]
    ) throws -> RunSubmission {
        var run = template
        for index in run.jobs.indices {
            try Self.renew(&run.jobs[index], models)
        }
        return run
    }

    private static func renew(_ job: inout JobSubmission, _ models: [String: ModelRecord]) throws {
        let place = "job \(job.ordinal) (\(job.task))"
        guard let model = models[job.model] else {
            throw PlanningError(
                .model, at: place,
                "there is no model '\(job.model)' any more; register it with `assay model add`, or replace the schedule"
            )
        }
        do {
            var specification = try JobSpecification(json: job.specification)
            if let maxLength = specification.settings.maxLength, maxLength > model.contextLength {
                throw PlanningError(
                    .model, at: place,
                    "max_length \(maxLength) is more than the \(model.contextLength) tokens that model '\(model.name)' takes now"
                )
            }
            specification.model = JobSpecification.Model(
                name: model.name, path: model.path, sha256: model.sha256, tokenizerSHA256: model.tokenizerSHA256)
            let before = job.specification
            job.specification = try specification.json()
            // The hash was taken of what it was.
            if job.specification != before { job.work = nil }
        } catch let error as PlanningError {
            throw error
        } catch {
            throw UnreadableTemplate(
                "\(place): the job was planned by another version of Assay (\(error)); add the schedule again with --replace, "
                    + "or start workers of that version")
        }
        job.modelSHA256 = model.sha256
    }
}
