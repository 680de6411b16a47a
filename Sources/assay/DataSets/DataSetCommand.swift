internal import ArgumentParser
internal import JobQueue

struct DataSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dataset",
        abstract: "Register data sets under the names that task files use.",
        discussion: """
            A task file with 'dataset_path: allenai/ai2_arc' and 'dataset_name: ARC-Easy' gets the rows that were
            registered under that name and configuration.
            Example:  assay dataset add allenai/ai2_arc --config ARC-Easy --split test=test.jsonl
            """,
        subcommands: [
            DataSetAddCommand.self, DataSetListCommand.self, DataSetShowCommand.self, DataSetRemoveCommand.self,
        ],
        defaultSubcommand: DataSetListCommand.self)
}

/// How a command names a data set.
struct DataSetArguments: ParsableArguments {
    @Argument(help: "The name: what task files have as dataset_path.")
    var name: String

    @Option(help: "The configuration: what task files have as dataset_name.")
    var config: String?

    var value: DataSetName {
        get throws(QueueError) { try DataSetName(self.name, config: self.config) }
    }

    func validate() throws {
        do {
            _ = try self.value
        } catch {
            throw ValidationError("\(error)")
        }
    }
}
