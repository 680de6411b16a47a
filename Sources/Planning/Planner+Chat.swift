internal import Evaluation
internal import JobQueue

extension Planner {
    /// How a job's prompts go through the model's chat template; `nil` for plain text.
    func chat(
        of model: ModelRecord, _ settings: JobSettings
    ) throws(PlanningError) -> JobSpecification.Chat? {
        guard settings.chatTemplate == true else { return nil }
        var chat = try self.chatTemplate(model)
        chat.isMultiTurn = settings.fewShotAsMultiTurn ?? true
        return chat
    }

    /// Renders every row as the worker will, where that is not how all were rendered before.
    func check(
        _ job: JobSpecification, _ task: EvaluationTask, _ dataSet: DataSet, at place: String
    ) throws(PlanningError) {
        guard job.settings.chat != nil || job.settings.systemInstruction != nil else { return }
        do {
            let style = try job.settings.promptStyle()
            for row in 0..<job.dataSet.rows {
                _ = try task.prepare(try dataSet.document(at: row), style: style)
            }
        } catch {
            throw PlanningError(.task, at: place, "model '\(job.model.name)': \(error)")
        }
    }
}
