import FoundationEssentials

extension Ledger {
    mutating func fireDueSchedules(_ build: ScheduledRunBuilder, now: Date) -> ScheduleRound {
        var round = ScheduleRound()
        let due = schedules.values.filter { $0.lookAt <= now }
            .sorted { ($0.lookAt, $0.definition.name) < ($1.lookAt, $1.definition.name) }
        for name in due.map(\.definition.name) {
            while var schedule = schedules[name], schedule.lookAt <= now {
                let step = schedule.machine.step(now: now, open: openRuns(&schedule))
                do throws(QueueError) {
                    round.fires += try perform(step, &schedule, build, now: now)
                } catch {
                    // Nothing was decided: it stays due for others.
                    round.problems.append(error.message)
                    break
                }
            }
        }
        return round
    }

    mutating func triggerSchedule(
        named name: String, overlap: OverlapPolicy?, _ build: ScheduledRunBuilder, now: Date
    ) throws(QueueError) -> ScheduleFire {
        try ask(name, now, .trigger, overlap, build, now: now)
    }

    mutating func backfillSchedule(
        named name: String, dueAt: Date, overlap: OverlapPolicy?, _ build: ScheduledRunBuilder, now: Date
    ) throws(QueueError) -> ScheduleFire {
        let schedule = try schedule(named: name)
        try schedule.machine.checkBackfill(of: dueAt, now: now)
        if let waiting = schedule.machine.waiting, waiting.dueAt == dueAt {
            return ScheduleFire(waiting: dueAt, kind: waiting.kind, schedule: name)
        }
        if let fired = schedule.next(dueAt).fired { return fired }
        return try ask(name, dueAt, .backfill, overlap, build, now: now)
    }

    /// Decides about a time that a person asks for, and does it.
    private mutating func ask(
        _ name: String, _ dueAt: Date, _ kind: ScheduleFire.Kind, _ overlap: OverlapPolicy?,
        _ build: ScheduledRunBuilder, now: Date
    ) throws(QueueError) -> ScheduleFire {
        var schedule = try schedule(named: name)
        let open = openRuns(&schedule)
        let step = schedule.machine.decide(dueAt, kind, overlap ?? schedule.definition.timing.overlap, open: open)
        let fires = try perform(step, &schedule, build, now: now)
        return fires.last ?? ScheduleFire(waiting: dueAt, kind: kind, schedule: name)
    }

    /// Forgets the runs that have ended, and answers the others.
    private func openRuns(_ schedule: inout Schedule) -> [RunID] {
        schedule.runs.removeAll { openShardCount(run: $0) == 0 }
        return schedule.runs
    }

    /// Records and submits what a step asks for, and stores the schedule.
    private mutating func perform(
        _ step: ScheduleMachine.Step, _ schedule: inout Schedule, _ build: ScheduledRunBuilder, now: Date
    ) throws(QueueError) -> [ScheduleFire] {
        var fires = step.skips.compactMap { schedule.record($0, now: now) }
        if let fire = step.fire, case (let attempt, nil) = schedule.next(fire.dueAt) {
            var record = ScheduleFire(
                schedule: schedule.definition.name, dueAt: fire.dueAt, attempt: attempt, kind: fire.kind,
                outcome: .failed, reason: nil, run: nil, recordedAt: now)
            do {
                let id = schedule.machine.key.run(dueAt: fire.dueAt, attempt: attempt)
                try submit(schedule.definition.template, as: id, build, now: now)
                for run in fire.cancelling {
                    _ = try cancel(.run(run), now: now)
                }
                schedule.runs.append(id)
                record.outcome = .fired
                record.run = id
                record.reason = fire.reason
            } catch let error as UnreadableTemplate {
                throw QueueError.notFiredFromHere(schedule.definition.name, .invalid, error.message)
            } catch {
                record.reason = "\(error)".storable(limit: 1990)
            }
            schedule.fires.append(record)
            fires.append(record)
        }
        schedule.lookAt = schedule.machine.lookAt(now: now)
        schedules[schedule.definition.name] = schedule
        return fires
    }

    private mutating func submit(
        _ template: RunTemplate, as id: RunID, _ build: ScheduledRunBuilder, now: Date
    ) throws {
        var submission = try build(
            template.submission(id: id), models.filter { template.modelNames.contains($0.key) })
        submission.id = id
        try submit(submission, now: now)
    }
}
