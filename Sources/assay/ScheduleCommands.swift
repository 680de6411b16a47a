internal import ArgumentParser
internal import AssayRuntime
internal import Calendar
internal import Console
internal import FoundationEssentials
internal import JobQueue
internal import Planning
internal import PostgresQueue
internal import TerminalText

struct ScheduleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedule",
        abstract: "Submit job files by the clock: nightly evaluations.",
        discussion: """
            Any running worker fires what is due; each due time is fired once, however many workers look.
            Example:  assay schedule add jobs/nightly.yaml, then  assay schedule list
            """,
        subcommands: [
            ScheduleAddCommand.self, ScheduleListCommand.self, ScheduleShowCommand.self, SchedulePauseCommand.self,
            ScheduleResumeCommand.self, ScheduleTriggerCommand.self, ScheduleBackfillCommand.self,
            ScheduleHistoryCommand.self, ScheduleRemoveCommand.self,
        ],
        defaultSubcommand: ScheduleListCommand.self)
}

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
                throw UserError(
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

struct ScheduleShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a schedule, its jobs and the next five due times.",
        discussion: "Example:  assay schedule show nightly")

    @Argument(help: "The schedule's name.")
    var name: String

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let view = try await Session.with(self.options) { session in
            try await ScheduleView(try await session.queue.schedule(named: self.name), in: session.queue)
        }
        if self.options.json { return try Output.json(view) }
        view.show(on: .standardOutput(environment: self.options.environment))
    }
}

struct SchedulePauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Let due times pass until the schedule is resumed; its history records each one as skipped.",
        discussion: "Open runs go on. Example:  assay schedule pause nightly --reason 'cluster maintenance'")

    @Argument(help: "The schedule's name.")
    var name: String

    @Option(help: "Why; shown wherever somebody may wonder.")
    var reason: String?

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let schedule = try await Session.with(self.options) { session in
            try await session.queue.pauseSchedule(named: self.name, user: session.userName, reason: self.reason)
        }
        if self.options.json { return try Output.json(schedule) }
        let pause = schedule.pause.map { " since \(Format.time($0.at)) by \($0.user)" } ?? ""
        Output.line("\(schedule.name) is paused\(pause)")
    }
}

struct ScheduleResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Fire a paused schedule again, from its next due time on.",
        discussion: "Nothing of the pause is caught up; `backfill` does that. Example:  assay schedule resume nightly")

    @Argument(help: "The schedule's name.")
    var name: String

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let schedule = try await Session.with(self.options) { session in
            try await session.queue.resumeSchedule(named: self.name)
        }
        if self.options.json { return try Output.json(schedule) }
        let next = schedule.nextAt.map { "due next \(Format.time($0))" } ?? "never due again"
        Output.line("\(schedule.name) is not paused, \(next)")
    }
}

struct ScheduleTriggerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trigger",
        abstract: "Fire a schedule now, paused or not.",
        discussion: """
            While a run of it is open, the overlap policy decides; exits with 1 when nothing was submitted.
            Example:  assay schedule trigger nightly --overlap allow_all
            """)

    @Argument(help: "The schedule's name.")
    var name: String

    @Option(help: "skip, buffer_one, allow_all or cancel_other, instead of what the schedule does.")
    var overlap: String?

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let policy = try self.overlap.map { name throws(QueueError) in try OverlapPolicy(name: name) }
        let fire = try await Session.with(self.options) { session in
            try await ScheduleFirer(queue: session.queue).trigger(self.name, overlap: policy)
        }
        if self.options.json { try Output.json(fire) }
        switch fire.outcome {
        case .fired: if !self.options.json { Output.line("\(fire.run?.text ?? "")  \(fire.schedule)") }
        case .waiting: if !self.options.json { Output.line("\(fire.schedule) \(fire.reason ?? "waits")") }
        case .skipped:
            throw UserError(
                "\(fire.schedule) was not fired: \(fire.reason ?? "")",
                hint: "submit it all the same with --overlap allow_all"
            )
        case .failed: throw UserError("\(fire.schedule) was not fired: \(fire.reason ?? "")")
        }
    }
}

struct ScheduleBackfillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backfill",
        abstract: "Submit the runs of past due times that have none.",
        discussion: """
            The schedule's overlap policy decides about each; with allow_all they queue up. A due time that was fired
            is never fired again. The models are those of today.
            Example:  assay schedule backfill nightly --from 2026-03-01 --to 2026-03-07 --overlap allow_all --dry-run
            """)

    @Argument(help: "The schedule's name.")
    var name: String

    @Option(help: "The first day or minute, in the schedule's time zone; in UTC with a Z behind it.")
    var from: String

    @Option(help: "The last day or minute.")
    var to: String

    @Option(help: "skip, buffer_one, allow_all or cancel_other, instead of what the schedule does.")
    var overlap: String?

    @Flag(help: "Show the due times and their outcomes, but submit nothing.")
    var dryRun = false

    @OptionGroup var options: GlobalOptions

    /// Due times of one command.
    private static let limit = 1000

    func run() async throws {
        let policy = try self.overlap.map { name throws(QueueError) in try OverlapPolicy(name: name) }
        let (timing, fires) = try await Session.with(self.options) { session in
            let schedule = try await session.queue.schedule(named: self.name)
            let times = try self.dueTimes(schedule.timing)
            let fires =
                self.dryRun
                ? try await self.planned(times, session.queue)
                : try await self.submit(times, policy, ScheduleFirer(queue: session.queue))
            return (schedule.timing, fires)
        }
        if self.options.json { return try Output.json(fires) }
        guard !fires.isEmpty else { return Output.note("nothing was due from \(self.from) to \(self.to)") }
        try FireTable.show(
            fires, in: timing.timeZone, on: .standardOutput(environment: self.options.environment))
        if self.dryRun { Output.note("nothing was submitted") }
    }

    private func dueTimes(_ timing: ScheduleTiming) throws -> [Date] {
        let zone = try ZoneRules(named: timing.timeZone)
        let (first, last) = (try zone.date(self.from), try zone.date(self.to, isEnd: true))
        guard first <= last else {
            throw UserError("--from \(self.from) is later than --to \(self.to)", kind: .usage)
        }
        let times = timing.cron.due(after: first - 1, in: zone, limit: Self.limit + 1).prefix { $0 <= last }
        guard times.count <= Self.limit else {
            throw UserError(
                "more than \(Self.limit) times were due from \(self.from) to \(self.to)",
                hint: "take a shorter range", kind: .usage)
        }
        return Array(times)
    }

    private func submit(
        _ times: [Date], _ policy: OverlapPolicy?, _ firer: ScheduleFirer
    ) async throws -> [ScheduleFire] {
        var fires: [ScheduleFire] = []
        for time in times {
            fires.append(try await firer.backfill(self.name, dueAt: time, overlap: policy))
        }
        return fires
    }

    /// What is there already, and what would be asked for.
    private func planned(_ times: [Date], _ queue: any ScheduleRegistry) async throws -> [ScheduleFire] {
        var fires: [ScheduleFire] = []
        for time in times {
            let earlier = try await queue.fires(ofSchedule: self.name, from: time, through: time, limit: 100)
            let known = earlier.first { $0.outcome == .fired || $0.outcome == .waiting }
            fires.append(
                known
                    ?? ScheduleFire(
                        schedule: self.name, dueAt: time, attempt: (earlier.first?.attempt ?? 0) + 1, kind: .backfill,
                        outcome: .waiting, reason: "would be submitted", run: nil, recordedAt: time))
        }
        return fires
    }
}

struct ScheduleHistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Show the outcome of each due time, and why any were skipped.",
        discussion: "The latest come first. Example:  assay schedule history nightly --limit 10")

    @Argument(help: "The schedule's name.")
    var name: String

    @Option(help: "Maximum number of entries.")
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

struct ScheduleRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Never fire a schedule again and forget its name; its runs stay and go on.",
        discussion: "Example:  assay schedule remove nightly")

    @Argument(help: "The schedule's name.")
    var name: String

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var removed: String
    }

    func run() async throws {
        try await Session.with(self.options) { try await $0.queue.removeSchedule(named: self.name) }
        if self.options.json { return try Output.json(Answer(removed: self.name)) }
        Output.line("\(self.name) was removed")
    }
}

/// A schedule with its next due times, as `add` and `show` print it.
struct ScheduleView: Encodable {
    struct DueTime: Encodable {
        var at: Date
        /// On the zone's clock.
        var local: String
    }

    struct Job: Encodable {
        var task: String
        var model: String
        var samples: Int
    }

    var schedule: ScheduleRecord
    var next: [DueTime]
    var jobs: [Job]

    /// Due times that are shown.
    private static let count = 5

    init(_ schedule: ScheduleRecord, in queue: any ScheduleRegistry) async throws(QueueError) {
        let template = try await queue.template(ofSchedule: schedule.name)
        let zone = try QueueError.ofCalendar { () throws(CalendarError) in
            try ZoneRules(named: schedule.timing.timeZone)
        }
        self.schedule = schedule
        self.jobs = template.jobs.map { Job(task: $0.task, model: $0.model, samples: $0.sampleCount) }
        let later = schedule.nextAt.map {
            schedule.timing.cron.due(after: $0, in: zone, limit: Self.count - 1)
        }
        self.next = ([schedule.nextAt].compactMap(\.self) + (later ?? [])).map { time in
            DueTime(at: time, local: zone.text(of: time))
        }
    }

    /// As it is written in a job file: "1d12h".
    private static func duration(_ seconds: Int) -> String {
        var (rest, text) = (seconds, "")
        for (size, unit) in [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")] where rest >= size {
            text += "\(rest / size)\(unit)"
            rest %= size
        }
        return text.isEmpty ? "0s" : text
    }

    func show(on terminal: Terminal) {
        let timing = self.schedule.timing
        Output.line(Format.field("schedule", terminal.styled(self.schedule.name, .bold)))
        Output.line(Format.field("due", "\(timing.cron) in \(timing.timeZone)"))
        Output.line(Format.field("overlap", timing.overlap.rawValue))
        Output.line(Format.field("catch-up window", Self.duration(timing.catchUp)))
        if timing.jitter > 0 { Output.line(Format.field("jitter", "up to \(Self.duration(timing.jitter))")) }
        Output.line(Format.field("project", "\(self.schedule.project), added by \(self.schedule.user)"))
        if let pause = self.schedule.pause {
            let reason = pause.reason.map { ": \($0)" } ?? ""
            Output.line(Format.field("paused", "\(Format.time(pause.at)) by \(pause.user)\(reason)"))
        }
        if let waiting = self.schedule.waitingFire {
            Output.line(Format.field("waiting", "\(Format.time(waiting.dueAt)), for the run before it to end"))
        }
        if let last = self.schedule.lastFire {
            let what = last.run.map { "run \($0)" } ?? last.reason ?? ""
            Output.line(
                Format.field("last due", "\(Format.time(last.dueAt)), \(last.outcome.rawValue): \(what)"))
        }
        Output.line()
        var table = Table("next due", "in UTC")
        for time in self.next { table.add(time.local, Format.time(time.at)) }
        Output.line(table.rendered(on: terminal))
        Output.line()
        var jobs = Table("job", "task", "model", ">samples")
        for (index, job) in self.jobs.enumerated() { jobs.add("\(index)", job.task, job.model, "\(job.samples)") }
        Output.line(jobs.rendered(on: terminal))
    }
}

/// The outcomes of due times, as `trigger`, `backfill` and `history` print it.
enum FireTable {
    static func show(_ fires: [ScheduleFire], in timeZone: String, on terminal: Terminal) throws(CalendarError) {
        let zone = try ZoneRules(named: timeZone)
        var table = Table("due", "in UTC", "by", "outcome", "run", "reason")
        for fire in fires {
            table.add(
                zone.text(of: fire.dueAt), Format.time(fire.dueAt), fire.kind.rawValue, fire.outcome.rawValue,
                fire.run?.text ?? "", fire.reason ?? "")
        }
        Output.line(table.rendered(on: terminal))
    }
}
