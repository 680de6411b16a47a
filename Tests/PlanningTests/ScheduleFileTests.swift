import Calendar
import JobQueue
import Testing

@testable import Planning

@Suite struct ScheduleFileTests {
    private func parse(_ schedule: String) throws -> JobFile {
        try JobFile.parse("model: m\ntasks: [t.yaml]\n\(schedule)", path: "f.yaml")
    }

    @Test func aScheduleIsReadWithItsDefaults() throws {
        #expect(try self.parse("").schedule == nil)
        let timing = try #require(try self.parse("schedule: {cron: 30 2 * * mon-fri}").schedule)
        #expect(timing == ScheduleTiming(cron: try CronExpression("30 2 * * mon-fri")))
        #expect((timing.timeZone, timing.overlap, timing.catchUp, timing.jitter) == ("UTC", .skip, 43_200, 0))
    }

    @Test func everythingCanBeSaid() throws {
        let timing = try self.parse(
            """
            schedule:
              cron: "@daily"
              time_zone: Europe/Berlin
              overlap: buffer_one
              catch_up: 1d12h
              jitter: 5m
            """
        ).schedule
        #expect(
            timing
                == ScheduleTiming(
                    cron: try CronExpression("@daily"), timeZone: "Europe/Berlin", overlap: .bufferOne,
                    catchUp: 129_600, jitter: 300))
    }

    @Test(arguments: [
        ("schedule: nightly", "f.yaml:3", "'schedule' must be a map of cron, time_zone"),
        ("schedule: {}", "f.yaml:3", "'schedule.cron' is missing"),
        ("schedule:\n  cron: 0 2 * *", "f.yaml:4", "'schedule.cron' is wrong: cron expression '0 2 * *' has 4 fields"),
        ("schedule:\n  cron: 0 25 * * *", "f.yaml:4", "the hour field '25'"),
        ("schedule:\n  cron: 0 0 31 2 *", "f.yaml:4", "is never due"),
        ("schedule:\n  cron: 0 2 * * *\n  timezone: UTC", "f.yaml:5", "unknown key 'timezone'"),
        ("schedule:\n  cron: 0 2 * * *\n  time_zone: Berlin", "f.yaml:5", "time zone 'Berlin' does not exist"),
        (
            "schedule:\n  cron: 0 2 * * *\n  overlap: wait", "f.yaml:5",
            "use one of skip, buffer_one, allow_all, cancel_other"
        ),
        (
            "schedule:\n  cron: 0 2 * * *\n  catch_up: 12", "f.yaml:5",
            "'schedule.catch_up' is '12'; it must be a duration"
        ),
        ("schedule:\n  cron: '*/5 * * * *'\n  jitter: 5m", "f.yaml:4", "a jitter of 300 seconds is too long"),
        ("schedule:\n  cron: 0 2 * * *\n  catch_up: 400d", "f.yaml:4", "the catch-up window is 34560000"),
        ("schedule:\n  cron: * 2 * * *", "f.yaml", "a cron expression that begins with * or @ must stand in quotes"),
        ("schedule: {cron: @daily}", "f.yaml", "a cron expression that begins with * or @ must stand in quotes"),
    ])
    func whatIsWrongIsNamedWithItsLine(_ schedule: String, _ place: String, _ message: String) {
        let error = #expect(throws: PlanningError.self) { try self.parse(schedule) }
        #expect(error?.place == place)
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test(arguments: [
        ("12h", 43_200), ("90s", 90), ("1d 12h", 129_600), ("1h30m", 5400), ("0s", 0), ("0", 0),
        ("10000d", 864_000_000),
    ])
    func durations(_ text: String, _ seconds: Int) {
        #expect(DurationText.seconds(text) == seconds)
    }

    @Test(arguments: ["", " ", "12", "h", "1.5h", "-1h", "1w", "h1", "1h 2", "1 h", "10001d", "99999999999999999999s"])
    func noDurations(_ text: String) {
        #expect(DurationText.seconds(text) == nil)
    }
}
