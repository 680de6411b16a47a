internal import ArgumentParser
internal import Console
internal import JobQueue

struct ScheduleHistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Show the outcome of each due time, and why any were skipped.",
        discussion: "The latest come first. Example:  assay schedule history nightly --limit 10")

    @Argument(help: "The schedule's name.")
    var name: String

    @Option(help: "Only so many.")
    var limit = 50

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        guard (1...100_000).contains(self.limit) else { throw ValidationError("--limit is from 1 to 100000") }
    }

    func run() async throws {
        let (schedule, fires) = try await Session.with(self.options) { session in
            let schedule = try await session.queue.schedule(named: self.name)
            return (schedule, try await session.queue.fires(ofSchedule: self.name, limit: self.limit))
        }
        if self.options.json { return try Output.json(fires) }
        guard !fires.isEmpty else { return Output.note("\(self.name) was never due yet") }
        try FireTable.show(
            fires, in: schedule.timing.timeZone, on: .standardOutput(environment: self.options.environment))
    }
}
