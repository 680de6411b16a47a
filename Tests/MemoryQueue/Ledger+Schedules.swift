internal import FoundationEssentials
internal import JobQueue

extension Ledger {
    struct Schedule: Sendable {
        var definition: ScheduleDefinition
        var machine: ScheduleMachine
        var createdAt: Date
        var updatedAt: Date
        var lookAt: Date
        var pause: ScheduleRecord.Pause?
        /// As recorded, the latest last.
        var fires: [ScheduleFire] = []
        /// Runs that had not ended when somebody looked last.
        var runs: [RunID] = []
    }

    mutating func addSchedule(
        _ definition: ScheduleDefinition, replacing: Bool, key: UUID, now: Date
    ) throws(QueueError) {
        let zone = try definition.validate(now: now)
        guard var schedule = schedules[definition.name] else {
            let machine = ScheduleMachine(
                timing: definition.timing, zone: zone, key: ScheduleKey(uuid: key), startingAt: now)
            schedules[definition.name] = Schedule(
                definition: definition, machine: machine, createdAt: now, updatedAt: now,
                lookAt: machine.lookAt(now: now))
            return
        }
        let old = schedule.definition
        guard old.timing != definition.timing || !old.template.isSame(as: definition.template) else { return }
        guard replacing else { throw QueueError.scheduleConflict(definition.name) }
        for skip in schedule.machine.skipRipe(now: now, reason: "the schedule was replaced before anybody looked") {
            _ = schedule.record(skip, now: now)
        }
        var machine = ScheduleMachine(
            timing: definition.timing, zone: zone, key: schedule.machine.key, startingAt: now)
        machine.waiting = schedule.machine.waiting
        machine.pauseReason = schedule.machine.pauseReason
        schedule.machine = machine
        schedule.definition = definition
        schedule.updatedAt = now
        schedule.lookAt = machine.lookAt(now: now)
        schedules[definition.name] = schedule
    }

    func schedule(named name: String) throws(QueueError) -> Schedule {
        guard let schedule = schedules[name] else {
            throw QueueError.scheduleNotFound(name, existing: schedules.keys.sorted())
        }
        return schedule
    }

    mutating func pauseSchedule(named name: String, user: String, reason: String?, now: Date) throws(QueueError) {
        try QueueError.check(user, "the user's name", 1...200)
        if let reason { try QueueError.check(reason, "the reason", 1...1000) }
        var schedule = try schedule(named: name)
        guard schedule.pause == nil else { return }
        schedule.pause = ScheduleRecord.Pause(at: now, user: user, reason: reason)
        schedule.machine.pauseReason = reason ?? "by \(user)"
        schedules[name] = schedule
    }

    mutating func resumeSchedule(named name: String, now: Date) throws(QueueError) {
        var schedule = try schedule(named: name)
        guard let reason = schedule.machine.pauseReason else { return }
        for skip in schedule.machine.skipRipe(now: now, reason: "the schedule was paused: \(reason)") {
            _ = schedule.record(skip, now: now)
        }
        schedule.pause = nil
        schedule.machine.pauseReason = nil
        schedule.lookAt = schedule.machine.lookAt(now: now)
        schedules[name] = schedule
    }

    mutating func removeSchedule(named name: String) throws(QueueError) {
        _ = try schedule(named: name)
        schedules[name] = nil
    }

    func fires(
        ofSchedule name: String, from: Date, through: Date, limit: Int
    ) throws(QueueError) -> [ScheduleFire] {
        let schedule = try schedule(named: name)
        let recorded = schedule.fires.filter { $0.dueAt >= from && $0.dueAt <= through }
            .sorted { ($1.dueAt, $1.attempt) < ($0.dueAt, $0.attempt) }
        let waiting = [schedule.record(name: name).waitingFire].compactMap(\.self)
            .filter { $0.dueAt >= from && $0.dueAt <= through }
        return Array((waiting + recorded).prefix(max(0, limit)))
    }
}

extension Ledger.Schedule {
    func record(name: String) -> ScheduleRecord {
        ScheduleRecord(
            name: name, timing: definition.timing, project: definition.template.project,
            user: definition.template.user, createdAt: createdAt, updatedAt: updatedAt, nextAt: machine.nextAt,
            waitingFire: machine.waiting.map { ScheduleFire(waiting: $0.dueAt, kind: $0.kind, schedule: name) },
            pause: pause, lastFire: fires.max { ($0.dueAt, $0.attempt) < ($1.dueAt, $1.attempt) })
    }

    /// The number of the next record for a due time, and the fire that has its run.
    func next(_ dueAt: Date) -> (attempt: Int, fired: ScheduleFire?) {
        let earlier = fires.filter { $0.dueAt == dueAt }
        return ((earlier.map(\.attempt).max() ?? 0) + 1, earlier.first { $0.outcome == .fired })
    }

    /// Writes down a due time that is not fired; nil when it has a run already, by a backfill.
    mutating func record(_ skip: ScheduleMachine.Step.Skip, now: Date) -> ScheduleFire? {
        let (attempt, fired) = next(skip.dueAt)
        guard fired == nil else { return nil }
        let fire = ScheduleFire(
            schedule: definition.name, dueAt: skip.dueAt, attempt: attempt, kind: skip.kind, outcome: .skipped,
            reason: skip.reason, run: nil, recordedAt: now)
        fires.append(fire)
        return fire
    }
}

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
