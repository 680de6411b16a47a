internal import ArgumentParser
internal import Console
internal import JobQueue

struct ReleaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Let what is held be claimed again: jobs held by people, and shards held as suspected poison.",
        discussion: "Dependencies still count. Example:  assay release k3f9")

    @Argument(help: "A run or job, by any unique prefix.")
    var id: String

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let change = try await WorkChange.perform(self.id, self.options) { try await $0.queue.release($1) }
        try change.show(self.options, "released \(counted(change.changed, "job or shard"))")
    }
}
