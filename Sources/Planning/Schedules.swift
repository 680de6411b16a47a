internal import Calendar
internal import Evaluation
public import FoundationEssentials
public import JobQueue
internal import Yams

extension ScheduleTiming {
    /// Reads a job file's `schedule`; the time zone must exist on this machine.
    init(_ node: Node, path: String) throws(PlanningError) {
        let reader = try YAMLReader(
            node, path: path, prefix: "schedule", known: ["cron", "time_zone", "overlap", "catch_up", "jitter"])
        let text = try reader.required("cron")
        let cron = try Self.checked(reader, "cron") { () throws(CalendarError) in try CronExpression(text) }
        self.init(cron: cron)
        if let name = try reader.string("time_zone") {
            self.timeZone = try Self.checked(reader, "time_zone") { () throws(CalendarError) in
                try ZoneRules(named: name).name
            }
        }
        if let name = try reader.string("overlap") {
            self.overlap = try Self.checked(reader, "overlap") { () throws(QueueError) in try OverlapPolicy(name: name)
            }
        }
        if let seconds = try Self.duration(reader, "catch_up") { self.catchUp = seconds }
        if let seconds = try Self.duration(reader, "jitter") { self.jitter = seconds }
        do {
            try self.validate(now: Date())
        } catch {
            throw reader.error("cron", reader.node("cron"), "can't be used: \(error)")
        }
    }

    private static func checked<Value, Failure: Error>(
        _ reader: YAMLReader, _ key: String, _ read: () throws(Failure) -> Value
    ) throws(PlanningError) -> Value {
        do {
            return try read()
        } catch {
            throw reader.error(key, reader.node(key), "is wrong: \(error)")
        }
    }

    private static func duration(_ reader: YAMLReader, _ key: String) throws(PlanningError) -> Int? {
        guard let text = try reader.string(key) else { return nil }
        guard let seconds = DurationText.seconds(text) else {
            throw reader.error(
                key, reader.node(key), "is '\(text)'; it must be a duration such as 12h, 30m, 90s or 1d12h")
        }
        return seconds
    }
}

/// Makes the run of a fire from a schedule's template.
public enum ScheduledRun {
    /// The template with the models that its names stand for now: a nightly run measures what is in use today.
    ///
    /// Data sets, tasks and settings stay as they were when the schedule was added.
    /// - Throws: ``PlanningError`` when a name is gone, or the model does not fit any more; `UnreadableTemplate` when another
    ///   version of Assay planned it.
    @Sendable public static func build(
        from template: RunSubmission, models: [String: ModelRecord]
    ) throws -> RunSubmission {
        var run = template
        for index in run.jobs.indices {
            try Self.renew(&run.jobs[index], models)
        }
        return run
    }

    private static func renew(_ job: inout JobSubmission, _ models: [String: ModelRecord]) throws {
        let place = "job \(job.ordinal) (\(job.task))"
        guard let model = models[job.model] else {
            throw PlanningError(
                .model, at: place,
                "there is no model '\(job.model)' any more; register it with `assay model add`, or replace the schedule"
            )
        }
        do {
            var specification = try JobSpecification(json: job.specification)
            if let maxLength = specification.settings.maxLength, maxLength > model.contextLength {
                throw PlanningError(
                    .model, at: place,
                    "max_length \(maxLength) is more than the \(model.contextLength) tokens that model '\(model.name)' takes now"
                )
            }
            specification.model = JobSpecification.Model(
                name: model.name, path: model.path, sha256: model.sha256, tokenizerSHA256: model.tokenizerSHA256)
            let before = job.specification
            job.specification = try specification.json()
            // The hash was taken of what it was.
            if job.specification != before { job.work = nil }
        } catch let error as PlanningError {
            throw error
        } catch {
            throw UnreadableTemplate(
                "\(place): the job was planned by another version of Assay (\(error)); add the schedule again with --replace, "
                    + "or start workers of that version")
        }
        job.modelSHA256 = model.sha256
    }
}

/// Fires the schedules of a queue; any process may, at any time.
public struct ScheduleFirer: Sendable {
    private let queue: any ScheduleRegistry

    public init(queue: any ScheduleRegistry) {
        self.queue = queue
    }

    /// Submits what is due now; one indexed query when nothing is.
    public func fireDue() async throws(QueueError) -> ScheduleRound {
        try await self.queue.fireDueSchedules(ScheduledRun.build)
    }

    /// Asks for a run now.
    public func trigger(_ name: String, overlap: OverlapPolicy? = nil) async throws(QueueError) -> ScheduleFire {
        try await self.queue.triggerSchedule(named: name, overlap: overlap, ScheduledRun.build)
    }

    /// Asks for the run of one past due time.
    public func backfill(
        _ name: String, dueAt: Date, overlap: OverlapPolicy? = nil
    ) async throws(QueueError) -> ScheduleFire {
        try await self.queue.backfillSchedule(named: name, dueAt: dueAt, overlap: overlap, ScheduledRun.build)
    }
}

/// Durations as people write them: "12h", "90s", "1d 12h", "1h30m".
enum DurationText {
    private static let units: [(name: Character, seconds: Int)] = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)]

    /// Seconds; nil when it is no duration, or longer than ten thousand days.
    static func seconds(_ text: String) -> Int? {
        var total = 0
        var digits = ""
        var isEmpty = true
        for character in text {
            if character.isASCII, character.isNumber, digits.count < 9 {
                digits.append(character)
            } else if let unit = self.units.first(where: { $0.name == character }), let number = Int(digits) {
                total += number * unit.seconds
                guard total <= 864_000_000 else { return nil }
                digits = ""
                isEmpty = false
            } else if character != " " || !digits.isEmpty {
                return nil
            }
        }
        // Nothing takes no unit.
        if isEmpty, digits == "0" { return 0 }
        return isEmpty || !digits.isEmpty ? nil : total
    }
}
