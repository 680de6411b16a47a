internal import ArgumentParser
internal import Console
internal import JobQueue

struct HoldCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold",
        abstract: "Keep what is not running from being claimed, until it is released.",
        discussion: "Running shards are finished. Example:  assay hold k3f9.1 --reason 'the data looks odd'")

    @Argument(help: "A run or job, by any unique prefix.")
    var id: String

    @Option(help: "The reason; `assay explain` shows it.")
    var reason: String?

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let change = try await WorkChange.perform(self.id, self.options) { session, work in
            try await session.queue.hold(work, reason: self.reason ?? "held by \(session.userName)")
        }
        try change.show(self.options, "held \(counted(change.changed, "job"))")
    }
}
