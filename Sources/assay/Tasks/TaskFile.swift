internal import Console
internal import Evaluation

/// Reads task files for commands that can do without a database as long as the rows are in files.
enum TaskFile {
    static func load(
        _ path: String, fewShot: Int? = nil, epochs: Int? = nil, _ options: GlobalOptions
    ) async throws -> (task: EvaluationTask, data: TaskData) {
        guard try TaskConfiguration.load(path: path).dataSet == nil else {
            return try await Session.with(options) { session in
                try await EvaluationTask.load(
                    path: path, searchFolders: session.dataFolders, fewShot: fewShot, epochs: epochs,
                    catalog: session.dataSets)
            }
        }
        let (settings, _) = try options.resolve(label: "assay")
        return try EvaluationTask.load(
            path: path, searchFolders: ["\(settings.home.value)/data"], fewShot: fewShot, epochs: epochs)
    }
}
