import FoundationEssentials
import JobQueue
import Testing

@Suite struct ScheduleBackfillTests {
    private func backfill(
        _ test: ScheduleQueue, _ day: String, _ overlap: OverlapPolicy? = .allowAll
    ) async throws -> ScheduleFire {
        try await test.queue.backfillSchedule(
            named: "nightly", dueAt: utc("2026-03-\(day) 02:00"), overlap: overlap, asPlanned)
    }

    @Test(arguments: Implementation.withSetClock)
    func aPastTimeIsFiredOnce(_ implementation: Implementation) async throws {
        try await withScheduleQueue(implementation, at: "2026-03-10 12:00") { test in
            try await test.queue.addSchedule(schedule())
            let first = try await backfill(test, "05")
            #expect((first.outcome, first.kind, first.attempt) == (.fired, .backfill, 1))
            #expect(try await backfill(test, "05") == first)
            #expect(try await backfill(test, "06").outcome == .fired)
            #expect(try await test.queue.runs(limit: 9, project: nil).count == 2)
            #expect(
                try await test.queue.fires(ofSchedule: "nightly").map(\.brief)
                    == ["03-06 02:00 fired", "03-05 02:00 fired"])
            // The clock goes on as if nothing had been.
            #expect(try await test.queue.schedule(named: "nightly").nextAt == utc("2026-03-11 02:00"))
        }
    }

    @Test(arguments: Implementation.withSetClock)
    func thePolicyDecides(_ implementation: Implementation) async throws {
        try await withScheduleQueue(implementation, at: "2026-03-10 12:00") { test in
            try await test.queue.addSchedule(schedule())
            #expect(try await backfill(test, "05", nil).outcome == .fired)
            let second = try await backfill(test, "06", nil)
            #expect((second.outcome, second.reason?.hasSuffix("is still open")) == (.skipped, true))
            // What was skipped may be asked for again, and gets a record of its own.
            let third = try await backfill(test, "06")
            #expect((third.outcome, third.attempt) == (.fired, 2))
            #expect(try await backfill(test, "06") == third)
            #expect(try await backfill(test, "07", .bufferOne).outcome == .waiting)
            #expect(try await backfill(test, "07", .bufferOne).outcome == .waiting)
            #expect(try await backfill(test, "08", .bufferOne).outcome == .skipped)
        }
    }

    /// A due time that the clock has skipped, and one that it has not come to.
    @Test(arguments: Implementation.withSetClock)
    func theClockAndABackfillNeverFireTheSameTime(_ implementation: Implementation) async throws {
        try await withScheduleQueue(implementation, at: "2026-03-01 12:00") { test in
            try await test.queue.addSchedule(schedule(overlap: .allowAll))
            try await test.turn(to: "2026-03-03 12:00")
            // Both are due and nobody has looked.
            #expect(try await backfill(test, "03").outcome == .fired)
            #expect(try await test.queue.fireDue().map(\.brief) == ["03-02 02:00 skipped"])
            let late = try await backfill(test, "02")
            #expect((late.outcome, late.attempt) == (.fired, 2))
            #expect(try await test.queue.runs(limit: 9, project: nil).count == 2)
            #expect(try await test.queue.fireDue().isEmpty)
            #expect(
                try await test.queue.fires(ofSchedule: "nightly").map(\.brief)
                    == ["03-03 02:00 fired", "03-02 02:00 fired", "03-02 02:00 skipped"])
        }
    }

    @Test(arguments: Implementation.withSetClock)
    func onlyPastDueTimesAreTaken(_ implementation: Implementation) async throws {
        try await withScheduleQueue(implementation, at: "2026-03-10 12:00") { test in
            try await test.queue.addSchedule(schedule())
            for (time, message) in [
                ("2026-03-05 02:01", "2026-03-05T02:01:00Z is no due time of '0 2 * * *' in UTC"),
                ("2026-03-11 02:00", "2026-03-11T02:00:00Z is still to come"),
            ] {
                let error = await #expect(throws: QueueError.self) {
                    try await test.queue.backfillSchedule(
                        named: "nightly", dueAt: utc(time), overlap: nil, asPlanned)
                }
                #expect(error?.code == .invalid)
                #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
            }
        }
    }

    @Test(arguments: Implementation.withSetClock)
    func historyIsReadByRange(_ implementation: Implementation) async throws {
        try await withScheduleQueue(implementation, at: "2026-03-10 12:00") { test in
            try await test.queue.addSchedule(schedule())
            for day in ["03", "04", "05", "06"] { _ = try await backfill(test, day) }
            let fires = try await test.queue.fires(
                ofSchedule: "nightly", from: utc("2026-03-04 02:00"), through: utc("2026-03-05 02:00"), limit: 9)
            #expect(fires.map(\.brief) == ["03-05 02:00 fired", "03-04 02:00 fired"])
            #expect(try await test.queue.fires(ofSchedule: "nightly", limit: 1).map(\.brief) == ["03-06 02:00 fired"])
            #expect(try await test.queue.fires(ofSchedule: "nightly", limit: 0).isEmpty)
        }
    }
}
