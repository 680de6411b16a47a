internal import ArgumentParser
internal import Console
internal import JobQueue

struct DataSetRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Forget a data set's name; its rows stay in the store, and jobs that use them go on.",
        discussion: "Example:  assay dataset remove allenai/ai2_arc --config ARC-Easy")

    @OptionGroup var dataSet: DataSetArguments

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var removed: String
        var config: String?
    }

    func run() async throws {
        let name = try self.dataSet.value
        try await Session.with(self.options) { try await $0.queue.removeDataSet(name) }
        if self.options.json { return try Output.json(Answer(removed: name.name, config: name.config)) }
        Output.line("\(name) was removed")
    }
}
