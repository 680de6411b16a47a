internal import Evaluation
internal import JobQueue

extension Planner {
    /// How a job's prompts go through the model's chat template; `nil` for plain text.
    func chat(
        of model: ModelRecord, _ settings: JobSettings
    ) throws(PlanningError) -> JobSpecification.Chat? {
        guard settings.chatTemplate == true else { return nil }
        var chat = try self.chatTemplate(model)
        do {
            chat.arguments = try JinjaChatTemplate.arguments(
                settings.chatTemplateArguments, enablesThinking: settings.enablesThinking)
        } catch {
            throw PlanningError(.jobFile, at: model.name, "\(error)")
        }
        chat.isMultiTurn = settings.fewShotAsMultiTurn ?? true
        return chat
    }

    /// Refuses settings for reasoning models that lm-eval refuses, or that would have no effect.
    static func checkThinking(
        _ settings: JobSettings, _ task: TaskConfiguration, at place: String
    ) throws(PlanningError) {
        let arguments = settings.enablesThinking != nil ? "enable_thinking" : "chat_template_args"
        if settings.enablesThinking != nil || settings.chatTemplateArguments != nil, settings.chatTemplate != true {
            throw PlanningError(
                .jobFile, at: place, "\(arguments) is for chat templates; add chat_template: true, or leave it out")
        }
        guard settings.enablesThinking == true else { return }
        guard settings.tokens.thinkEndToken?.isEmpty == false else {
            throw PlanningError(
                .jobFile, at: place,
                "enable_thinking is true, but think_end_token does not say what ends the model's thoughts; add it, such as "
                    + "think_end_token: </think>")
        }
        guard task.outputType == .generateUntil else {
            throw PlanningError(
                .jobFile, at: place,
                "enable_thinking is true, but task '\(task.name)' scores given texts, in which nobody thinks; take a task that "
                    + "generates, or leave it out")
        }
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
