internal import Console
internal import FoundationEssentials
internal import JobQueue

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
        let zone = try ZoneRules(named: schedule.timing.timeZone)
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
    static func show(_ fires: [ScheduleFire], in timeZone: String, on terminal: Terminal) throws(QueueError) {
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
