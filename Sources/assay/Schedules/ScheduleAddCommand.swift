internal import ArgumentParser
internal import Console
internal import JobQueue
internal import Planning

struct ScheduleAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Have a job file submitted by the clock, as its 'schedule' says.",
        discussion: """
            Everything is checked as by a submit, and data sets are copied into the store.
            Tasks, data and settings stay as they are now; model names are looked up anew
            each time. In the job file:
              schedule:
                cron: "30 2 * * *"        # minute hour day month weekday, or @daily
                time_zone: Europe/Berlin  # default UTC
                overlap: skip             # or buffer_one, allow_all, cancel_other
                catch_up: 12h             # a missed time may be fired so late
                jitter: 5m                # spread over so much time; default 0
            Example:  assay schedule add jobs/nightly.yaml
            """)

    @Argument(help: "The job file; its 'name' becomes the schedule's.")
    var file: String

    @Flag(help: "Let the name mean this schedule from now on, if it means another one.")
    var replace = false

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let view = try await Session.with(self.options) { session in
            let file = try JobFile.read(path: self.file)
            guard let timing = file.schedule else {
                throw CommandFailure(
                    "\(self.file) has no 'schedule'",
                    hint: "add one, such as  schedule: {cron: \"30 2 * * *\", time_zone: Europe/Berlin}")
            }
            let plan = try await RunPreparation.plan(self.file, priority: nil, project: nil, session)
            let schedule = try await Planner.schedule(
                plan, timing: timing, replacing: self.replace, queue: session.queue, store: try await session.store())
            return try await ScheduleView(schedule, in: session.queue)
        }
        if self.options.json { return try Output.json(view) }
        view.show(on: .standardOutput(environment: self.options.environment))
    }
}
