internal import Evaluation

extension Planner {
    /// The task files that an entry stands for: its own, or those of a group.
    static func members(
        _ entry: JobFile.TaskEntry, of file: JobFile
    ) throws(PlanningError) -> [GroupMember] {
        let folder =
            file.path.contains("/") ? String(file.path[..<(file.path.lastIndex(of: "/") ?? file.path.startIndex)]) : "."
        let path = entry.path.hasPrefix("/") ? entry.path : "\(folder)/\(entry.path)"
        do {
            return try GroupMember.all(of: path)
        } catch {
            throw PlanningError(.task, at: "\(file.path):\(entry.line)", "task '\(entry.path)': \(error)")
        }
    }

    func load(
        _ member: GroupMember, _ entry: JobFile.TaskEntry, of file: JobFile
    ) async throws(PlanningError) -> (EvaluationTask, TaskData) {
        do {
            return try await self.checked(member.path, entry)
        } catch {
            throw PlanningError(
                error.code == .invalidData || error.code == .invalidSample ? .dataSet : .task,
                at: "\(file.path):\(entry.line)", "task '\(entry.path)': \(error)")
        }
    }

    /// Renders every row once, so that a worker never meets one that can't be.
    private func checked(
        _ path: String, _ entry: JobFile.TaskEntry
    ) async throws(TaskError) -> (EvaluationTask, TaskData) {
        let (task, data) = try await EvaluationTask.load(
            path: path, searchFolders: self.searchFolders, fewShot: entry.fewShot, epochs: entry.epochs,
            catalog: self.catalog)
        let dataSet = data.evaluated
        let rows = entry.limit?.rows(of: dataSet.rowCount) ?? dataSet.rowCount
        guard rows > 0 else { throw TaskError(.invalidData, "the data set has no rows", file: path) }
        if let constraint = task.configuration.generation?.constraint,
            let problem = self.constraintProblem(constraint)
        {
            throw TaskError(.invalidValue, "\(constraint.key): \(problem)", file: path)
        }
        for document in try dataSet.documents(in: 0..<rows) {
            try task.checkScoring(of: try task.prepare(document))
        }
        return (task, data)
    }
}
