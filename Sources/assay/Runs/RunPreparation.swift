internal import Console
internal import Evaluation
internal import Inference
internal import JobQueue
internal import Planning

/// From a job file to a plan, with the flags that override it.
enum RunPreparation {
    static func plan(
        _ path: String, priority: String?, project: String?, after: [JobFile.Prerequisite] = [],
        _ session: Session
    ) async throws -> RunPlan {
        var file = try JobFile.read(path: path)
        if let priority { file.priority = try Priority(name: priority) }
        if let project { file.project = project }
        file.after += after
        var planner = Planner(
            searchFolders: session.dataFolders, user: session.userName, catalog: session.dataSets,
            chatTemplate: ModelTemplate.chat)
        planner.constraintProblem = LlamaEngine.problem
        let check = SettingsCheck()
        planner.settingsProblem = {
            check.problem(EngineSettings($1), rules: $1.tokens ?? TokenRules(), modelPath: $0.path)
        }
        planner.tokenizerDoubt = { check.tokenizerDoubt(modelPath: $0.path) }
        return try await planner.plan(file) { name throws(QueueError) in
            try await session.queue.model(named: name)
        } work: { name throws(QueueError) in
            try await session.queue.work(matching: name)
        }
    }
}
