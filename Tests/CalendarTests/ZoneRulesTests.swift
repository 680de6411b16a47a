import FoundationEssentials
import Testing

@testable import Calendar

@Suite struct ZoneRulesTests {
    @Test(arguments: [
        ("Europe/Berlin", "2026-03-29 00:59", "2026-03-29 01:59 CET"),
        ("Europe/Berlin", "2026-03-29 01:00", "2026-03-29 03:00 CEST"),
        ("Europe/Berlin", "2126-07-01 00:00", "2126-07-01 02:00 CEST"),
        ("America/New_York", "1950-07-01 00:00", "1950-06-30 20:00 EDT"),
        ("Pacific/Apia", "2011-12-30 09:59", "2011-12-29 23:59 -10"),
        ("Pacific/Apia", "2011-12-30 10:00", "2011-12-31 00:00 +14"),
        ("UTC", "2026-01-01 00:00", "2026-01-01 00:00 UTC"),
        ("Africa/Casablanca", "2026-02-20 12:00", "2026-02-20 12:00 +00"),
    ])
    func localTimes(_ zone: String, _ utcTime: String, _ local: String) throws {
        #expect(try ZoneRules(named: zone).text(of: utc(utcTime)) == local)
    }

    @Test(arguments: [
        ("2026-03-29 02:30", "2026-03-29 01:00"), ("2026-10-25 02:30", "2026-10-25 00:30"),
        ("2026-07-01", "2026-06-30 22:00"), ("2026-07-01T08:00Z", "2026-07-01 08:00"),
        ("2028-02-29 12:00:30", "2028-02-29 11:00"),
    ])
    func typedTimes(_ typed: String, _ utcTime: String) throws {
        let zone = try ZoneRules(named: "Europe/Berlin")
        #expect(try ZoneRules.utc.text(of: zone.date(typed)) == "\(utcTime) UTC")
    }

    @Test func theEndOfADayIsItsLastSecond() throws {
        let zone = try ZoneRules(named: "Europe/Berlin")
        #expect(try zone.date("2026-10-25", isEnd: true) == utc("2026-10-25 23:00") - 1)
        #expect(try zone.date("2026-10-25 12:00", isEnd: true) == utc("2026-10-25 11:00"))
    }

    @Test(arguments: [
        "", "tomorrow", "2026", "2026-13-01", "2026-02-29", "2026-01-01 24:00", "2026-1-1-1", "-2026-01-01x",
    ])
    func whatIsNoTimeIsRefused(_ text: String) {
        #expect(throws: CalendarError.self) { try ZoneRules.utc.date(text) }
    }

    @Test(arguments: [
        "Berlin", "Europe/Atlantis", "../../etc/passwd", "/etc/passwd", "Europe", "Europe/", "", "tzdata.zi",
        "zone.tab",
        "Europe/Berlin\0",
    ])
    func noFileButAZoneIsRead(_ name: String) {
        let error = #expect(throws: CalendarError.self) { try ZoneRules(named: name) }
        #expect(error?.description.contains("give a name such as Europe/Berlin") == true, "\(error?.description ?? "")")
    }

    @Test func withoutATimeZoneDatabaseThereIsUTC() throws {
        #expect(try ZoneRules(named: "UTC", folders: []) == .utc)
        let error = #expect(throws: CalendarError.self) { try ZoneRules(named: "Europe/Berlin", folders: ["/no/such"]) }
        #expect(error?.description.contains("install tzdata, or use UTC") == true)
    }

    /// Containers have the folder, but nothing in it; the zone's name is not to blame.
    @Test func anEmptyDatabaseIsNone() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "assay-zones-\(UUID().uuidString)").path()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let error = #expect(throws: CalendarError.self) { try ZoneRules(named: "Europe/Berlin", folders: [folder]) }
        #expect(error?.description.contains("no time zone database in \(folder): install tzdata") == true)
    }
}
