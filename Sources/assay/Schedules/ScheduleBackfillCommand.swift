internal import ArgumentParser
internal import Console
internal import FoundationEssentials
internal import JobQueue
internal import Planning

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
            throw CommandFailure("--from \(self.from) is later than --to \(self.to)", exitCode: .usage)
        }
        let times = timing.cron.due(after: first - 1, in: zone, limit: Self.limit + 1).prefix { $0 <= last }
        guard times.count <= Self.limit else {
            throw CommandFailure(
                "more than \(Self.limit) times were due from \(self.from) to \(self.to)",
                hint: "take a shorter range", exitCode: .usage)
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
