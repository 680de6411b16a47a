internal import ArgumentParser
internal import Console
internal import JobQueue

struct PriorityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "priority",
        abstract: "Move a run or job to another tier.",
        discussion: "What runs is finished; it counts from the next claim on. Example:  assay priority k3f9 urgent")

    @Argument(help: "A run or job, by any unique prefix.")
    var id: String

    @Argument(help: "low, normal, high or urgent.")
    var tier: String

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let priority = try Priority(name: self.tier)
        let change = try await WorkChange.perform(self.id, self.options) {
            try await $0.queue.setPriority(priority, of: $1)
        }
        try change.show(self.options, "moved \(counted(change.changed, "job")) to \(priority.name)")
    }
}
