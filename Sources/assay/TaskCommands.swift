internal import ArgumentParser
internal import AssayRuntime
internal import Console
internal import Datasets
internal import Evaluation
internal import FoundationEssentials
internal import LMEval
internal import TerminalText

struct TaskCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "task", abstract: "Look at task files and at the prompts that they make.",
        subcommands: [
            TaskListCommand.self, TaskShowCommand.self, TaskPreviewCommand.self, TaskImportCommand.self,
        ],
        defaultSubcommand: TaskListCommand.self)
}

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

struct TaskListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the task files of a folder.",
        discussion: "Example:  assay task list jobs/tasks")

    @Argument(help: "The folder.")
    var folder = "jobs/tasks"

    @OptionGroup var options: GlobalOptions

    struct Row: Encodable {
        var file: String
        var task: String?
        var outputType: String?
        var metrics: [String]?
        var error: String?
    }

    func run() async throws {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: self.folder)
        } catch {
            throw UserError("the folder '\(self.folder)' can't be read", hint: "give the folder of the task files")
        }
        let rows = names.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted().map(self.row)
        if self.options.json { return try Output.json(rows) }
        guard !rows.isEmpty else { return Output.note("there are no .yaml files in '\(self.folder)'") }
        var table = Table("file", "task", "output type", "metrics")
        for row in rows {
            table.add(
                row.file, row.task ?? "-", row.outputType ?? "-",
                row.error ?? (row.metrics ?? []).joined(separator: " "))
        }
        Output.line(table.rendered(on: .standardOutput(environment: self.options.environment)))
    }

    private func row(_ name: String) -> Row {
        let file = "\(self.folder)/\(name)"
        do {
            let task = try TaskConfiguration.load(path: file)
            return Row(
                file: file, task: task.name, outputType: task.outputType.rawValue,
                metrics: task.metrics.map(\.metric.name))
        } catch {
            return Row(file: file, error: "\(error)")
        }
    }
}

struct TaskShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what a task file means once everything is resolved.",
        discussion: "Example:  assay task show jobs/tasks/hellaswag.yaml")

    @Argument(help: "The task file.")
    var file: String

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var task: String
        var hash: String
        var outputType: String
        var metrics: [MetricDefinition]
        var rows: Int
        var dataSetSHA256: String
        var notes: [String]
    }

    func run() async throws {
        let (task, data) = try await TaskFile.load(self.file, self.options)
        let dataSet = data.evaluated
        if self.options.json {
            return try Output.json(
                Answer(
                    task: task.configuration.name, hash: task.taskHash,
                    outputType: task.configuration.outputType.rawValue, metrics: task.metrics,
                    rows: dataSet.rowCount, dataSetSHA256: dataSet.sha256, notes: task.configuration.notes))
        }
        Output.line(Format.field("task", task.configuration.name))
        Output.line(Format.field("task hash", task.taskHash))
        Output.line(Format.field("output type", task.configuration.outputType.rawValue))
        Output.line(Format.field("rows", "\(dataSet.rowCount)"))
        Output.line(Format.field("data set sha256", dataSet.sha256))
        for metric in task.metrics {
            Output.line(
                Format.field(
                    "metric",
                    "\(metric.name) (\(metric.aggregation.rawValue), "
                        + "\(metric.higherIsBetter ? "higher" : "lower") is better)"))
        }
        for note in task.configuration.notes { Output.line(Format.field("note", note)) }
        Output.line(Format.field("configuration", task.canonicalJSON))
    }
}

struct TaskImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Say which task files of lm-eval run here, and why others don't.",
        discussion: """
            Every .yaml file below the path is read with what it includes, and its templates are tried on a row of unknown
            columns. Nothing is changed: files run from where they are.
            Example:  assay task import lm_eval/tasks/arc
            """)

    @Argument(help: "A task file, or a folder of them.")
    var path: String

    @Flag(help: "Show every file, not just those that are refused.")
    var all = false

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let files = try Self.files(below: self.path)
        guard !files.isEmpty else {
            throw UserError(
                "there are no .yaml files in '\(self.path)'", hint: "give a task file, or a folder of them")
        }
        let imported = files.map(ImportedFile.init)
        if self.options.json { return try Output.json(imported) }
        let terminal = Terminal.standardOutput(environment: self.options.environment)
        for file in imported where self.all || file.outcome == .refused { self.show(file, on: terminal) }
        for outcome in ImportedFile.Outcome.allCases {
            let count = imported.count { $0.outcome == outcome }
            if count > 0 { Output.line("\(Self.padded(count)) \(outcome.meaning)") }
        }
        let pure = imported.filter { $0.callsNoPython && [.pure, .refused].contains($0.outcome) }
        let running = pure.count { $0.outcome == .pure }
        if !pure.isEmpty {
            let share = (Double(running) * 1000 / Double(pure.count)).rounded(.down) / 10
            Output.line("of \(Format.counted(pure.count, "task")) without Python \(running) run (\(share) %)")
        }
    }

    private func show(_ file: ImportedFile, on terminal: Terminal) {
        if let reason = file.reason { return Output.line("\(lines: reason)") }
        let names = file.names.isEmpty ? "" : ": " + file.names.joined(separator: ", ")
        Output.line(terminal.styled(file.file, .bold) + "  \(file.outcome.rawValue)\(names)")
        for note in file.notes { Output.line("  \(note)") }
    }

    private static func padded(_ count: Int) -> String {
        let text = String(count)
        return String(repeating: " ", count: max(0, 6 - text.utf8.count)) + text
    }

    /// In the order of their paths.
    private static func files(below path: String) throws -> [String] {
        let manager = FileManager.default
        var isFolder = false
        guard manager.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw UserError("'\(path)' does not exist", hint: "give a task file, or a folder of them")
        }
        guard isFolder else { return [path] }
        let folder = path.hasSuffix("/") ? String(path.dropLast()) : path
        return try manager.subpathsOfDirectory(atPath: path)
            .filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted().map { "\(folder)/\($0)" }
    }
}

extension ImportedFile.Outcome {
    fileprivate var meaning: String {
        switch self {
        case .pure: "run as they are"
        case .native: "run as they are, with functions that are built in"
        case .group: "are groups of tasks"
        case .template: "have no task and are included by others"
        case .refused: "don't run"
        }
    }
}
