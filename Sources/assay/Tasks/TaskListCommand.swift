internal import ArgumentParser
internal import Console
internal import Evaluation
internal import FoundationEssentials

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
            throw CommandFailure("the folder '\(self.folder)' can't be read", hint: "give the folder of the task files")
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
