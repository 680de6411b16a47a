internal import ArgumentParser
internal import Console
internal import Evaluation
internal import FoundationEssentials

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
