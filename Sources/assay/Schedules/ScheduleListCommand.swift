internal import ArgumentParser
internal import Console
internal import JobQueue

struct ScheduleListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the schedules with their next and last due times.",
        discussion: "Example:  assay schedule list")

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let schedules = try await Session.with(self.options) { try await $0.queue.schedules() }
        if self.options.json { return try Output.json(schedules) }
        guard !schedules.isEmpty else {
            return Output.note("no schedules yet; add one with `assay schedule add FILE`")
        }
        var table = Table("name", "cron", "time zone", "overlap", "next due (UTC)", "last due (UTC)", "outcome", "run")
        for schedule in schedules {
            let last = schedule.lastFire
            table.add(
                schedule.name, schedule.timing.cron.text, schedule.timing.timeZone, schedule.timing.overlap.rawValue,
                schedule.pause != nil ? "paused" : schedule.nextAt.map(Format.time) ?? "never",
                last.map { Format.time($0.dueAt) } ?? "", last?.outcome.rawValue ?? "", last?.run?.text ?? "")
        }
        Output.line(table.rendered(on: .standardOutput(environment: self.options.environment)))
    }
}
