import FoundationEssentials
import JobQueue
import Synchronization
import Testing

@Suite struct ScheduleTests {
    @Test(arguments: Implementation.withSetClock)
    func aDueTimeSubmitsOneRun(_ implementation: Implementation) async throws {
        try await withScheduleQueue(implementation, at: "2026-03-28 12:00") { test in
            let added = try await test.queue.addSchedule(schedule(zone: "Europe/Berlin"))
            #expect(added.nextAt == (try utc("2026-03-29 01:00")))
            #expect((added.project, added.user, added.lastFire, added.pause) == ("default", "ada", nil, nil))
            #expect(try await test.queue.fireDue().isEmpty)
            try await test.turn(to: "2026-03-29 01:00")
            let fires = try await test.queue.fireDue()
            let fire = try #require(fires.first)
            #expect(fires.count == 1)
            #expect((fire.outcome, fire.kind, fire.attempt, fire.reason) == (.fired, .clock, 1, nil))
            #expect(fire.dueAt == (try utc("2026-03-29 01:00")))
            let run = try await test.queue.run(matching: try #require(fire.run).text)
            #expect((run.name, run.jobCount, run.progress.shards.ready) == ("run k3f9x2a0", 1, 1))
            #expect(try await test.queue.fireDue().isEmpty)
            #expect(try await test.queue.fires(ofSchedule: "nightly") == [fire])
            let after = try await test.queue.schedule(named: "nightly")
            #expect((after.nextAt, after.lastFire) == (try utc("2026-03-30 00:00"), fire))
        }
    }

    @Test(arguments: Implementation.withSetClock)
    func theSameScheduleAgainIsNoOther(_ implementation: Implementation) async throws {
        try await withScheduleQueue(implementation, at: "2026-03-01 12:00") { test in
            let first = try await test.queue.addSchedule(schedule())
            try await test.turn(to: "2026-03-01 13:00")
            #expect(try await test.queue.addSchedule(schedule()) == first)
            #expect(try await test.queue.addSchedule(schedule(), replacing: true) == first)
            for other in [try schedule("nightly", "0 3 * * *"), try schedule(jobs: [job(shards: 2)])] {
                let error = await #expect(throws: QueueError.self) { try await test.queue.addSchedule(other) }
                #expect(error?.code == .conflict)
                #expect(error?.message.contains("--replace") == true)
            }
            try await test.queue.addSchedule(schedule("a", "0 4 * * *"))
            #expect(try await test.queue.schedules().map(\.name) == ["a", "nightly"])
            #expect(try await test.queue.template(ofSchedule: "nightly") == schedule().template)
        }
    }

    @Test(arguments: Implementation.withSetClock)
    func replacingKeepsHistoryAndPause(_ implementation: Implementation) async throws {
        try await withScheduleQueue(implementation, at: "2026-03-01 12:00") { test in
            try await test.queue.addSchedule(schedule())
            try await test.queue.pauseSchedule(named: "nightly", user: "ada", reason: "maintenance")
            try await test.turn(to: "2026-03-02 12:00")
            let new = try schedule("nightly", "30 14 * * *", overlap: .allowAll, jobs: [job(shards: 2)])
            let replaced = try await test.queue.addSchedule(new, replacing: true)
            #expect(replaced.timing == new.timing)
            #expect(replaced.pause?.reason == "maintenance")
            #expect(replaced.nextAt == (try utc("2026-03-02 14:30")))
            #expect(replaced.updatedAt > replaced.createdAt)
            let history = try await test.queue.fires(ofSchedule: "nightly")
            #expect(history.map(\.brief) == ["03-02 02:00 skipped"])
            #expect(history.first?.reason == "the schedule was replaced before anybody looked")
            try await test.queue.resumeSchedule(named: "nightly")
            try await test.turn(to: "2026-03-02 14:31")
            let run = try #require(try await test.queue.fireDue().first?.run)
            #expect(try await test.queue.run(matching: run.text).progress.shards.total == 2)
        }
    }

    @Test(arguments: Implementation.withSetClock)
    func pausedTimesAreSkippedAndNotCaughtUp(_ implementation: Implementation) async throws {
        try await withScheduleQueue(implementation, at: "2026-03-01 12:00") { test in
            try await test.queue.addSchedule(schedule())
            let paused = try await test.queue.pauseSchedule(named: "nightly", user: "ada", reason: "maintenance")
            #expect(paused.pause == .init(at: try utc("2026-03-01 12:00"), user: "ada", reason: "maintenance"))
            // A second pause changes nothing.
            #expect(try await test.queue.pauseSchedule(named: "nightly", user: "bob", reason: nil) == paused)
            try await test.turn(to: "2026-03-02 02:00")
            #expect(try await test.queue.fireDue().map(\.brief) == ["03-02 02:00 skipped"])
            // Nobody looks the next time; the resumption itself writes it down.
            try await test.turn(to: "2026-03-03 08:00")
            let resumed = try await test.queue.resumeSchedule(named: "nightly")
            #expect((resumed.pause, resumed.nextAt) == (nil, try utc("2026-03-04 02:00")))
            #expect(try await test.queue.fireDue().isEmpty)
            let history = try await test.queue.fires(ofSchedule: "nightly")
            #expect(history.map(\.brief) == ["03-03 02:00 skipped", "03-02 02:00 skipped"])
            #expect(
                history.map(\.reason) == [
                    "the schedule was paused: maintenance", "the schedule is paused: maintenance",
                ])
            try await test.turn(to: "2026-03-04 02:00")
            #expect(try await test.queue.fireDue().map(\.brief) == ["03-04 02:00 fired"])
        }
    }

    @Test(arguments: Implementation.withSetClock)
    func missedTimesAreRecorded(_ implementation: Implementation) async throws {
        try await withScheduleQueue(implementation, at: "2026-03-01 12:00") { test in
            try await test.queue.addSchedule(schedule(catchUp: 3600))
            try await test.turn(to: "2026-03-04 02:30")
            #expect(
                try await test.queue.fireDue().map(\.brief)
                    == ["03-02 02:00 skipped", "03-03 02:00 skipped", "03-04 02:00 fired"])
            try await test.turn(to: "2026-03-05 03:01")
            let late = try await test.queue.fireDue()
            #expect(late.map(\.brief) == ["03-05 02:00 skipped"])
            #expect(late.first?.reason == "missed: nobody looked for 61 min, and the catch-up window is 60 min")
        }
    }

    @Test(arguments: Implementation.withSetClock)
    func aRunThatCanNotBeMadeFailsAndTheScheduleGoesOn(_ implementation: Implementation) async throws {
        try await withScheduleQueue(implementation, at: "2026-03-01 12:00") { test in
            try await test.queue.addSchedule(schedule())
            struct Gone: Error, CustomStringConvertible { var description: String { "the model is gone" } }
            let builders: [(ScheduledRunBuilder, String)] = [
                ({ _, _ in throw Gone() }, "the model is gone"),
                (
                    { run, _ in RunSubmission(id: run.id, name: "x", user: "ada", specification: "", jobs: []) },
                    "has no jobs"
                ),
            ]
            for (day, (build, reason)) in zip(["02", "03"], builders) {
                try await test.turn(to: "2026-03-\(day) 02:00")
                let fire = try #require(try await test.queue.fireDue(build).first)
                #expect((fire.outcome, fire.run) == (.failed, nil))
                #expect(fire.reason?.contains(reason) == true, "\(fire.reason ?? "")")
            }
            #expect(try await test.queue.runs(limit: 9, project: nil).isEmpty)
            try await test.turn(to: "2026-03-04 02:00")
            #expect(try await test.queue.fireDue().map(\.brief) == ["03-04 02:00 fired"])
        }
    }

    @Test(arguments: Implementation.withSetClock)
    func theBuilderGetsTheModelsOfNow(_ implementation: Implementation) async throws {
        try await withScheduleQueue(implementation, at: "2026-03-01 12:00") { test in
            try await test.queue.addSchedule(schedule())
            let names = NameLog()
            let build: ScheduledRunBuilder = { template, models in
                names.add(models.mapValues(\.path))
                return template
            }
            var model = ModelRecord(
                name: "model", path: "one.gguf", sha256: hexadecimalA, bytes: 10, architecture: "llama", parameters: 1,
                contextLength: 2048, vocabularySize: 10, tokenizerSHA256: hexadecimalB, quantization: "F32")
            for day in ["02", "03", "04"] {
                try await test.turn(to: "2026-03-\(day) 02:00")
                let run = try #require(try await test.queue.fireDue(build).first?.run)
                try await test.queue.finish(run)
                try await test.queue.addModel(model, replacing: true)
                model.path = "two.gguf"
                model.sha256 = hexadecimalB
            }
            #expect(names.all == [[:], ["model": "one.gguf"], ["model": "two.gguf"]])
        }
    }

    /// Planned by another version: the due time is for a worker that can read it.
    @Test(arguments: Implementation.withSetClock)
    func whatOneWorkerCanNotPlanAnotherOneFires(_ implementation: Implementation) async throws {
        try await withScheduleQueue(implementation, at: "2026-03-01 12:00") { test in
            try await test.queue.addSchedule(schedule())
            try await test.turn(to: "2026-03-02 02:00")
            let round = try await test.queue.fireDueSchedules { _, _ in throw UnreadableTemplate("of version 9") }
            #expect(round.fires.isEmpty)
            #expect(round.problems == ["schedule 'nightly' can't be fired from here: of version 9"])
            #expect(try await test.queue.fires(ofSchedule: "nightly").isEmpty)
            #expect(try await test.queue.fireDue().map(\.outcome) == [.fired])
            try await test.turn(to: "2026-03-02 03:00")
            let error = await #expect(throws: QueueError.self) {
                try await test.queue.triggerSchedule(named: "nightly", overlap: .allowAll) { _, _ in
                    throw UnreadableTemplate("of version 9")
                }
            }
            #expect(error?.message == "schedule 'nightly' can't be fired from here: of version 9")
        }
    }

    @Test(arguments: Implementation.withSetClock)
    func whatIsWrongIsSaid(_ implementation: Implementation) async throws {
        try await withScheduleQueue(implementation, at: "2026-03-01 12:00") { test in
            let wrong: [(ScheduleDefinition, String)] = [
                (try schedule(""), "the schedule's name has 0 characters"),
                (try schedule(zone: "Europe/Atlantis"), "time zone 'Europe/Atlantis' does not exist"),
                (try schedule("x", "*/10 * * * *", jitter: 600), "a jitter of 600 seconds is too long"),
                (try schedule(catchUp: -1), "the catch-up window is -1"), (try schedule(jobs: []), "has no jobs"),
            ]
            for (definition, message) in wrong {
                let error = await #expect(throws: QueueError.self) { try await test.queue.addSchedule(definition) }
                #expect(error?.code == .invalid)
                #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
            }
            try await test.queue.addSchedule(schedule("other"))
            let queue = test.queue
            let calls: [@Sendable () async throws -> Void] = [
                { _ = try await queue.schedule(named: "nightly") },
                { _ = try await queue.template(ofSchedule: "nightly") },
                { _ = try await queue.fires(ofSchedule: "nightly") },
                { try await queue.pauseSchedule(named: "nightly", user: "ada", reason: nil) },
                { try await queue.resumeSchedule(named: "nightly") },
                { try await queue.removeSchedule(named: "nightly") },
                { _ = try await queue.triggerSchedule(named: "nightly", overlap: nil, asPlanned) },
                { _ = try await queue.backfillSchedule(named: "nightly", dueAt: .now, overlap: nil, asPlanned) },
            ]
            for call in calls {
                let error = await #expect(throws: QueueError.self) { try await call() }
                #expect(error?.code == .notFound)
                #expect(error?.message.contains("there are other") == true, "\(error?.message ?? "")")
            }
        }
    }

    @Test(arguments: Implementation.withSetClock)
    func aRemovedScheduleIsNeverDueAndItsNameIsFree(_ implementation: Implementation) async throws {
        try await withScheduleQueue(implementation, at: "2026-03-01 12:00") { test in
            try await test.queue.addSchedule(schedule())
            try await test.turn(to: "2026-03-02 02:00")
            let old = try #require(try await test.queue.fireDue().first?.run)
            try await test.queue.removeSchedule(named: "nightly")
            try await test.turn(to: "2026-03-03 02:00")
            #expect(try await test.queue.fireDue().isEmpty)
            #expect(try await test.queue.schedules().isEmpty)
            try await test.queue.addSchedule(schedule())
            #expect(try await test.queue.fires(ofSchedule: "nightly").isEmpty)
            // The same due time of another schedule is another run.
            let fire = try await test.queue.backfillSchedule(
                named: "nightly", dueAt: utc("2026-03-02 02:00"), overlap: nil, asPlanned)
            #expect(fire.outcome == .fired)
            #expect(fire.run != old)
        }
    }
}

/// What was seen, in order.
private final class NameLog: Sendable {
    private let entries = Mutex<[[String: String]]>([])

    var all: [[String: String]] { entries.withLock { $0 } }

    func add(_ entry: [String: String]) {
        entries.withLock { $0.append(entry) }
    }
}
