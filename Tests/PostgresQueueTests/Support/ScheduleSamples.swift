import Calendar
import JobQueue

func timing(
    _ cron: String = "0 2 * * *", zone: String = "UTC", overlap: OverlapPolicy = .skip,
    catchUp: Int = ScheduleTiming.defaultCatchUp, jitter: Int = 0
) throws -> ScheduleTiming {
    ScheduleTiming(
        cron: try CronExpression(cron), timeZone: zone, overlap: overlap, catchUp: catchUp, jitter: jitter)
}

func schedule(
    _ name: String = "nightly", _ cron: String = "0 2 * * *", zone: String = "UTC", overlap: OverlapPolicy = .skip,
    catchUp: Int = ScheduleTiming.defaultCatchUp, jitter: Int = 0, jobs: [JobSubmission] = [job(shards: 1)]
) throws -> ScheduleDefinition {
    ScheduleDefinition(
        name: name, timing: try timing(cron, zone: zone, overlap: overlap, catchUp: catchUp, jitter: jitter),
        template: RunTemplate(try submission(jobs)))
}

/// Submits the template as it is.
let asPlanned: ScheduledRunBuilder = { template, _ in template }

extension JobQueue {
    /// What one look comes to.
    func fireDue(_ build: ScheduledRunBuilder = asPlanned) async throws -> [ScheduleFire] {
        let round = try await fireDueSchedules(build)
        guard round.problems.isEmpty else { throw QueueError(.internalFailure, round.problems.joined()) }
        return round.fires
    }

    /// Computes everything of a run.
    func finish(_ run: RunID) async throws {
        let lease = try await register(worker(), ttl: .seconds(86_400))
        while let shard = try await claim(lease, limit: 1, run: run).first {
            _ = try await commit(shard, publication(of: shard))
        }
        try await deregister(lease)
    }
}

extension ScheduleFire {
    /// "02:00 fired".
    var brief: String {
        "\(ZoneRules.utc.text(of: dueAt).dropFirst(5).dropLast(4)) \(outcome.rawValue)"
    }
}
