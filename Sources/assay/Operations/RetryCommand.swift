internal import ArgumentParser
internal import Console
internal import JobQueue

struct RetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Have everything that ended without a result tried again.",
        discussion: """
            Failed, cancelled and held shards become ready, with their attempts counted from the beginning. Results stay:
            a shard that is done would only be computed to the same bytes.
            Example:  assay retry --failed k3f9
            """)

    @Argument(help: "A run or job, by any unique prefix.")
    var id: String

    @Flag(help: "Only failed shards, not cancelled or held ones.")
    var failed = false

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let change = try await WorkChange.perform(self.id, self.options) {
            try await $0.queue.retry($1, onlyFailed: self.failed)
        }
        try change.show(self.options, "\(counted(change.changed, "shard")) to be tried again")
    }
}
