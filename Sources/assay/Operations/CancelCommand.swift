internal import ArgumentParser
internal import Console
internal import JobQueue

struct CancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel what a run or job has not finished; what is published stays.",
        discussion: "Running shards stop at their worker's next heartbeat. Example:  assay cancel k3f9, or k3f9.1")

    @Argument(help: "A run or job, by any unique prefix.")
    var id: String

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let change = try await WorkChange.perform(self.id, self.options) { try await $0.queue.cancel($1) }
        try change.show(
            self.options,
            "cancelled \(counted(change.changed, "shard")), \(change.run.progress.samplesDone) samples are done")
    }
}
