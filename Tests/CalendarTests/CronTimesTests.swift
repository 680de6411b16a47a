import Calendar
import FoundationEssentials
import Testing

/// When expressions are due where clocks change, in tables that were worked out by hand.
@Suite struct CronTimesTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var cron: String
        var zone: String
        var after: String
        /// In UTC, one after the other.
        var due: [String]

        init(_ cron: String, _ zone: String, after: String, _ due: String...) {
            self.cron = cron
            self.zone = zone
            self.after = after
            self.due = due
        }

        var testDescription: String { "\(cron) in \(zone) after \(after)" }

        func check() throws {
            let found = try CronExpression(cron).due(after: utc(after), in: ZoneRules(named: zone), limit: due.count)
            #expect(found.map { ZoneRules.utc.text(of: $0) } == due.map { "\($0) UTC" })
        }
    }

    /// On 2026-03-29 clocks go from 02:00 to 03:00, on 2026-10-25 from 03:00 back to 02:00.
    @Test(arguments: [
        // The gap: once, when it ends.
        Row(
            "30 2 * * *", "Europe/Berlin", after: "2026-03-28", "2026-03-28 01:30", "2026-03-29 01:00",
            "2026-03-30 00:30"),
        Row("0,15,30 2 * * *", "Europe/Berlin", after: "2026-03-28 12:00", "2026-03-29 01:00", "2026-03-30 00:00"),
        Row("0 2,3 * * *", "Europe/Berlin", after: "2026-03-28 12:00", "2026-03-29 01:00", "2026-03-30 00:00"),
        Row("0 3 * * *", "Europe/Berlin", after: "2026-03-28 12:00", "2026-03-29 01:00", "2026-03-30 01:00"),
        Row("59 1 * * *", "Europe/Berlin", after: "2026-03-28 12:00", "2026-03-29 00:59", "2026-03-29 23:59"),
        // Even when the day does not fit any more.
        Row("30 2 29 3 *", "Europe/Berlin", after: "2026-01-01", "2026-03-29 01:00", "2027-03-29 00:30"),
        // An interval follows real time.
        Row(
            "*/30 * * * *", "Europe/Berlin", after: "2026-03-29 00:15", "2026-03-29 00:30", "2026-03-29 01:00",
            "2026-03-29 01:30"),
        Row("*/30 2 * * *", "Europe/Berlin", after: "2026-03-28 01:30", "2026-03-30 00:00", "2026-03-30 00:30"),
        // The hour that comes twice: the first time only.
        Row("30 2 * * *", "Europe/Berlin", after: "2026-10-24 12:00", "2026-10-25 00:30", "2026-10-26 01:30"),
        Row("30 2 * * *", "Europe/Berlin", after: "2026-10-25 00:45", "2026-10-26 01:30"),
        Row("0 3 * * *", "Europe/Berlin", after: "2026-10-24 12:00", "2026-10-25 02:00", "2026-10-26 02:00"),
        Row("0 2 * * *", "Europe/Berlin", after: "2026-10-24 12:00", "2026-10-25 00:00", "2026-10-26 01:00"),
        Row(
            "30 * * * *", "Europe/Berlin", after: "2026-10-25", "2026-10-25 00:30", "2026-10-25 01:30",
            "2026-10-25 02:30"),
        Row("* 2 * * *", "Europe/Berlin", after: "2026-10-25 00:59", "2026-10-25 01:00", "2026-10-25 01:01"),
    ])
    func berlin(_ row: Row) throws {
        try row.check()
    }

    @Test(arguments: [
        Row("30 2 * * *", "America/New_York", after: "2026-03-07 12:00", "2026-03-08 07:00", "2026-03-09 06:30"),
        Row("30 1 * * *", "America/New_York", after: "2026-10-31 12:00", "2026-11-01 05:30", "2026-11-02 06:30"),
        Row(
            "15 */6 * * *", "America/New_York", after: "2026-11-01", "2026-11-01 04:15", "2026-11-01 11:15",
            "2026-11-01 17:15"),
        // Half an hour of summer time.
        Row("15 2 * * *", "Australia/Lord_Howe", after: "2026-10-03", "2026-10-03 15:30", "2026-10-04 15:15"),
        Row("45 1 * * *", "Australia/Lord_Howe", after: "2026-04-04", "2026-04-04 14:45", "2026-04-05 15:15"),
        Row(
            "*/20 1 * * *", "Australia/Lord_Howe", after: "2026-04-04 14:00", "2026-04-04 14:20", "2026-04-04 14:40",
            "2026-04-04 15:10", "2026-04-05 14:30"),
        Row("0 9 * * *", "Asia/Kolkata", after: "2026-06-01", "2026-06-01 03:30", "2026-06-02 03:30"),
        // There was no 2011-12-30.
        Row(
            "0 9 * * *", "Pacific/Apia", after: "2011-12-29", "2011-12-29 19:00", "2011-12-30 10:00", "2011-12-30 19:00"
        ),
        Row("0 9 30 12 *", "Pacific/Apia", after: "2011-12-29", "2011-12-30 10:00", "2012-12-29 19:00"),
        Row("0 */6 30 12 *", "Pacific/Apia", after: "2011-12-29", "2012-12-29 10:00"),
        // Midnight itself is in the gap.
        Row("0 0 * * *", "America/Havana", after: "2026-03-07 12:00", "2026-03-08 05:00", "2026-03-09 04:00"),
        // Clocks go back in summer and are behind in winter.
        Row("30 1 * * *", "Europe/Dublin", after: "2026-10-24 12:00", "2026-10-25 00:30", "2026-10-26 01:30"),
    ])
    func otherZones(_ row: Row) throws {
        try row.check()
    }

    @Test(arguments: [
        Row("0 0 29 2 *", "UTC", after: "2026-01-01", "2028-02-29 00:00", "2032-02-29 00:00"),
        Row("0 0 29 2 *", "UTC", after: "2096-02-29", "2104-02-29 00:00"),
        Row("0 0 29 2 *", "Europe/Berlin", after: "2096-03-01", "2104-02-28 23:00"),
        Row("@daily", "UTC", after: "2100-02-27 12:00", "2100-02-28 00:00", "2100-03-01 00:00"),
        Row("@daily", "UTC", after: "2028-02-28", "2028-02-29 00:00", "2028-03-01 00:00"),
        Row("0 0 31 * *", "UTC", after: "2026-01-31", "2026-03-31 00:00", "2026-05-31 00:00"),
        Row("@yearly", "UTC", after: "2026-01-01", "2027-01-01 00:00"),
        Row("@weekly", "UTC", after: "2026-01-01", "2026-01-04 00:00", "2026-01-11 00:00"),
        Row("@hourly", "UTC", after: "2026-12-31 22:30", "2026-12-31 23:00", "2027-01-01 00:00"),
        // Both day fields restricted: either one is enough.
        Row("0 0 13 * fri", "UTC", after: "2026-03-06", "2026-03-13 00:00", "2026-03-20 00:00"),
        Row("0 0 1,15 2 mon", "UTC", after: "2026-02-01", "2026-02-02 00:00", "2026-02-09 00:00", "2026-02-15 00:00"),
        // One begins with *: both must fit. February 29 is a Sunday in 2032, a Tuesday in 2028.
        Row("0 0 29 2 */6", "UTC", after: "2026-01-01", "2032-02-29 00:00"),
        Row("0 12 */2 * mon", "UTC", after: "2026-03-01 12:00", "2026-03-09 12:00", "2026-03-23 12:00"),
        Row("0 9-17/4 * * mon-fri", "UTC", after: "2026-03-06 16:00", "2026-03-06 17:00", "2026-03-09 09:00"),
        Row(
            "5 4 * * 5-7", "UTC", after: "2026-03-06", "2026-03-06 04:05", "2026-03-07 04:05", "2026-03-08 04:05",
            "2026-03-13 04:05"),
    ])
    func calendar(_ row: Row) throws {
        try row.check()
    }

    /// Within a second of a due time it is the next one that comes.
    @Test func dueTimesAreAfterTheMoment() throws {
        let cron = try CronExpression("0 2 * * *")
        let due = try utc("2026-03-01 02:00")
        #expect(cron.next(after: due - 0.001, in: .utc) == due)
        #expect(cron.next(after: due, in: .utc) == due + 86_400)
        #expect(cron.next(after: due + 0.5, in: .utc) == due + 86_400)
        for strange in [Date.distantPast, .distantFuture + 1e12, Date(timeIntervalSince1970: .nan)] {
            #expect(cron.next(after: strange, in: .utc) == nil)
        }
    }
}
