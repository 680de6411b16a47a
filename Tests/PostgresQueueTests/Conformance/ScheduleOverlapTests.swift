import FoundationEssentials
import JobQueue
import Testing

/// What becomes of due times while a run is open.
@Suite struct ScheduleOverlapTests {
    /// Fires at 01:00 and turns the clock to 02:00, with the run of 01:00 still open.
    private func withOpenRun(
        _ implementation: Implementation, _ overlap: OverlapPolicy, _ body: (ScheduleQueue, RunID) async throws -> Void
    ) async throws {
        try await withScheduleQueue(implementation, at: "2026-03-01 00:30") { test in
            try await test.queue.addSchedule(schedule("hourly", "0 * * * *", overlap: overlap))
            try await test.turn(to: "2026-03-01 01:00")
            let run = try #require(try await test.queue.fireDue().first?.run)
            try await test.turn(to: "2026-03-01 02:00")
            try await body(test, run)
        }
    }

    @Test(arguments: Implementation.withSetClock)
    func skip(_ implementation: Implementation) async throws {
        try await withOpenRun(implementation, .skip) { test, run in
            let fire = try #require(try await test.queue.fireDue().first)
            #expect((fire.outcome, fire.reason) == (.skipped, "run \(run) is still open"))
            try await test.queue.finish(run)
            try await test.turn(to: "2026-03-01 03:00")
            #expect(try await test.queue.fireDue().map(\.brief) == ["03-01 03:00 fired"])
        }
    }

    @Test(arguments: Implementation.withSetClock)
    func bufferOne(_ implementation: Implementation) async throws {
        try await withOpenRun(implementation, .bufferOne) { test, run in
            #expect(try await test.queue.fireDue().isEmpty)
            #expect(
                try await test.queue.fires(ofSchedule: "hourly").map(\.brief) == [
                    "03-01 02:00 waiting", "03-01 01:00 fired",
                ])
            #expect(try await test.queue.schedule(named: "hourly").waitingFire?.dueAt == utc("2026-03-01 02:00"))
            // Nobody looks again within a moment.
            #expect(try await test.queue.fireDue().isEmpty)
            try await test.turn(to: "2026-03-01 03:00")
            let skipped = try await test.queue.fireDue()
            #expect(skipped.map(\.brief) == ["03-01 03:00 skipped"])
            #expect(skipped.first?.reason?.hasPrefix("another time waits already") == true)
            try await test.queue.finish(run)
            try await test.turn(to: "2026-03-01 03:10")
            let fires = try await test.queue.fireDue()
            #expect(fires.map(\.brief) == ["03-01 02:00 fired"])
            #expect(fires.first?.reason == "waited for the run before it")
            #expect(try await test.queue.schedule(named: "hourly").waitingFire == nil)
            #expect(try await test.queue.runs(limit: 9, project: nil).count == 2)
        }
    }

    /// What waits is fired, and what is due in the same moment waits for that.
    @Test(arguments: Implementation.withSetClock)
    func bufferOneTakesTurns(_ implementation: Implementation) async throws {
        try await withOpenRun(implementation, .bufferOne) { test, run in
            #expect(try await test.queue.fireDue().isEmpty)
            try await test.queue.finish(run)
            try await test.turn(to: "2026-03-01 03:00")
            #expect(try await test.queue.fireDue().map(\.brief) == ["03-01 02:00 fired"])
            #expect(try await test.queue.schedule(named: "hourly").waitingFire?.dueAt == utc("2026-03-01 03:00"))
        }
    }

    @Test(arguments: Implementation.withSetClock)
    func allowAll(_ implementation: Implementation) async throws {
        try await withOpenRun(implementation, .allowAll) { test, run async throws in
            #expect(try await test.queue.fireDue().map(\.brief) == ["03-01 02:00 fired"])
            #expect(try await test.queue.run(matching: run.text).state == .queued)
            #expect(try await test.queue.runs(limit: 9, project: nil).count == 2)
        }
    }

    @Test(arguments: Implementation.withSetClock)
    func cancelOther(_ implementation: Implementation) async throws {
        try await withOpenRun(implementation, .cancelOther) { test, run in
            let fire = try #require(try await test.queue.fireDue().first)
            #expect((fire.outcome, fire.reason) == (.fired, "run \(run) is cancelled for it"))
            #expect(try await test.queue.run(matching: run.text).state == .cancelled)
            let new = try #require(fire.run)
            #expect(try await test.queue.run(matching: new.text).state == .queued)
        }
    }

    /// A run that could not be made must not cost the one that is open.
    @Test(arguments: Implementation.withSetClock)
    func nothingIsCancelledForAFireThatFails(_ implementation: Implementation) async throws {
        try await withOpenRun(implementation, .cancelOther) { test, run in
            let fire = try #require(try await test.queue.fireDue { _, _ in throw QueueError(.invalid, "no") }.first)
            #expect((fire.outcome, fire.reason) == (.failed, "no"))
            #expect(try await test.queue.run(matching: run.text).state == .queued)
        }
    }

    @Test(arguments: Implementation.withSetClock)
    func aTriggerFollowsThePolicyOrItsOwn(_ implementation: Implementation) async throws {
        try await withOpenRun(implementation, .skip) { test, run in
            try await test.queue.pauseSchedule(named: "hourly", user: "ada", reason: nil)
            let skipped = try await test.queue.triggerSchedule(named: "hourly", overlap: nil, asPlanned)
            #expect((skipped.outcome, skipped.kind, skipped.run) == (.skipped, .trigger, nil))
            try await test.turn(to: "2026-03-01 02:10")
            let waiting = try await test.queue.triggerSchedule(named: "hourly", overlap: .bufferOne, asPlanned)
            #expect((waiting.outcome, waiting.attempt) == (.waiting, 0))
            try await test.turn(to: "2026-03-01 02:20")
            let fired = try await test.queue.triggerSchedule(named: "hourly", overlap: .allowAll, asPlanned)
            #expect((fired.outcome, fired.dueAt) == (.fired, try utc("2026-03-01 02:20")))
            // What a person asked for is fired although the schedule is paused.
            for run in [run, try #require(fired.run)] { try await test.queue.finish(run) }
            try await test.turn(to: "2026-03-01 02:30")
            #expect(
                try await test.queue.fireDue().map(\.brief) == ["03-01 02:10 fired", "03-01 02:00 skipped"])
        }
    }
}
