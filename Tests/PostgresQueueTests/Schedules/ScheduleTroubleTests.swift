import FoundationEssentials
import Postgres
import PostgresTesting
import Testing

@testable import JobQueue
@testable import PostgresQueue

/// What goes wrong with one schedule stays with that one.
@Suite struct ScheduleTroubleTests {
    /// This machine may have an older tz database than the one that added the schedule.
    @Test func whatCanNotBeFiredFromHereIsLeftToOthers() async throws {
        try await withSetClock(at: "2026-03-01 12:00") { pool, setTime in
            let queue = PostgresJobQueue(pool)
            try await queue.addSchedule(schedule("a"))
            try await queue.addSchedule(schedule("b"))
            let statement = PostgresStatement(
                name: "lose", sql: "UPDATE schedule SET time_zone = 'Nowhere/Atlantis' WHERE name = 'a'")
            _ = try await pool.query(statement)
            try await setTime(utc("2026-03-02 02:00"))
            let round = try await queue.fireDueSchedules(asPlanned)
            #expect(round.fires.map(\.schedule) == ["b"])
            #expect(round.problems.count == 1)
            #expect(round.problems.first?.hasPrefix("schedule 'a' can't be fired from here: time zone") == true)
            // Nothing was decided: somebody else still finds it due, and it can be replaced.
            #expect(try await queue.fireDueSchedules(asPlanned).problems.count == 1)
            #expect(try await queue.fires(ofSchedule: "a").isEmpty)
            try await queue.addSchedule(schedule("a"), replacing: true)
            #expect(try await queue.fireDueSchedules(asPlanned) == ScheduleRound())
        }
    }

    /// The run's identifier is taken: that fire fails with the reason, a backfill gets another one.
    @Test func aRunThatTheQueueRefusesIsRecorded() async throws {
        try await withSetClock(at: "2026-03-01 12:00") { pool, setTime in
            let queue = PostgresJobQueue(pool)
            try await queue.addSchedule(schedule())
            let dueAt = try utc("2026-03-02 02:00")
            let key = try await pool.query(PostgresStatement(name: "key", sql: "SELECT key FROM schedule")).only()
                .decode("key", as: UUID.self)
            let taken = ScheduleKey(uuid: key).run(dueAt: dueAt, attempt: 1)
            try await queue.submit(submission(taken.text, project: "other"))
            try await setTime(dueAt)
            let failed = try #require(try await queue.fireDue().first)
            #expect((failed.outcome, failed.run) == (.failed, nil))
            #expect(failed.reason?.contains("run \(taken) exists already") == true, "\(failed.reason ?? "")")
            #expect(try await queue.schedule(named: "nightly").nextAt == dueAt + 86_400)
            let again = try await queue.backfillSchedule(
                named: "nightly", dueAt: dueAt, overlap: nil, asPlanned)
            #expect((again.outcome, again.attempt) == (.fired, 2))
            #expect(try await queue.runs(limit: 9, project: nil).count == 2)
        }
    }

    /// What another version stored and this one can't read: a worker of that version may fire it yet.
    @Test func aTemplateThatCanNotBeReadIsLeftToOthers() async throws {
        try await withSetClock(at: "2026-03-01 12:00") { pool, setTime in
            let queue = PostgresJobQueue(pool)
            try await queue.addSchedule(schedule())
            _ = try await pool.query(PostgresStatement(name: "spoil", sql: "UPDATE schedule SET template = '{}'"))
            try await setTime(utc("2026-03-02 02:00"))
            for _ in 0..<2 {
                let round = try await queue.fireDueSchedules(asPlanned)
                #expect(round.fires.isEmpty)
                #expect(round.problems.count == 1)
                #expect(round.problems.first?.hasPrefix("schedule 'nightly' can't be fired from here: what") == true)
                #expect(round.problems.first?.contains("add it again with --replace") == true)
            }
            #expect(try await queue.fires(ofSchedule: "nightly").isEmpty)
            try await queue.addSchedule(schedule(), replacing: true)
            try await setTime(utc("2026-03-03 02:00"))
            #expect(try await queue.fireDue().map(\.outcome) == [.fired])
        }
    }

    /// A dependency that was there when the schedule was added, and is not there any more.
    @Test func aMissingPrerequisiteFailsTheFire() async throws {
        try await withScheduleQueue(.postgres, at: "2026-03-01 12:00") { test in
            var waiting = job()
            waiting.after = [JobDependency(.run(try RunID("zzzzzzzz")))]
            try await test.queue.addSchedule(schedule(jobs: [waiting]))
            try await test.turn(to: "2026-03-02 02:00")
            let failed = try #require(try await test.queue.fireDue().first)
            #expect(failed.outcome == .failed)
            #expect(failed.reason?.contains("zzzzzzzz") == true, "\(failed.reason ?? "")")
            #expect(try await test.queue.runs(limit: 9, project: nil).isEmpty)
        }
    }
}
