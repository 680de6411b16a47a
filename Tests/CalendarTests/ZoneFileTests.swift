import FaultTesting
import Testing

@testable import Calendar

/// Files of the tz database made by hand, good and bad.
@Suite struct ZoneFileTests {
    /// A file of the slim kind: one change in 2000, and a rule for all that comes.
    private static func slim(
        rule: String = "CET-1CEST,M3.5.0,M10.5.0/3", change: UInt8 = 1, leap: UInt32 = 0
    ) -> [UInt8] {
        func four(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) } }
        func header(_ counts: [UInt32]) -> [UInt8] {
            Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15) + counts.flatMap(four)
        }
        let types = four(600) + [0, 0] + four(3600) + [0, 4]
        let names = Array("LMT\0CET\0".utf8)
        return header([0, 0, 0, 0, 1, 4]) + four(0) + [0, 0] + Array("UTC\0".utf8)
            + header([0, 0, leap, 1, 2, 8]) + four(0) + four(946_684_800) + [change] + types + names
            + Array("\n\(rule)\n".utf8)
    }

    @Test func theLastLineRulesAfterTheLastChange() throws {
        let zone = try ZoneFile.parse(Self.slim(), name: "x")
        let berlin = try ZoneRules(named: "Europe/Berlin")
        #expect(try zone.text(of: utc("1990-01-01")) == "1990-01-01 00:10 LMT")
        for time in ["2026-03-29 00:59", "2026-03-29 01:00", "2026-10-25 00:59", "2026-10-25 01:00", "2500-06-01"] {
            #expect(try zone.text(of: utc(time)) == berlin.text(of: utc(time)))
        }
    }

    @Test(arguments: [
        ("EST5EDT,M3.2.0,M11.1.0", "2026-03-08 07:00", "2026-03-08 03:00 EDT"),
        ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29 01:00", "2026-03-29 00:00 -01"),
        ("IST-1GMT0,M10.5.0,M3.5.0/1", "2026-01-01 00:00", "2026-01-01 00:00 GMT"),
        ("AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-01-01 00:00", "2026-01-01 11:00 AEDT"),
        ("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "2026-07-01 00:00", "2026-07-01 10:30 +1030"),
        // Summer time all year, as RFC 9636 writes it.
        ("XXX3EDT4,0/0,J365/23", "2026-12-31 23:59", "2026-12-31 19:59 EDT"),
        ("XXX3EDT4,0/0,J365/23", "2026-01-01 00:00", "2025-12-31 20:00 EDT"),
        ("AAA0BBB,J60,J61", "2028-03-01 02:30", "2028-03-01 03:30 BBB"),
        ("AAA0BBB,59,61", "2028-02-29 02:30", "2028-02-29 03:30 BBB"),
        ("UTC0", "2026-01-01 00:00", "2026-01-01 00:00 UTC"),
    ])
    func rules(_ rule: String, _ time: String, _ local: String) throws {
        #expect(try ZoneFile.parse(Self.slim(rule: rule), name: "x").text(of: utc(time)) == local)
    }

    @Test(arguments: [
        "CET", "CET-25", "CET-1CEST", "CET-1CEST,M13.1.0,M1.1.0", "CET-1CEST,M3.6.0,M1.1.0", "CET-1CEST,M3.1.7,M1.1.0",
        "CET-1CEST,M3.1.0", "CET-1CEST,J0,J1", "CET-1CEST,366,1", "CET-1CEST,M3.1.0/168,M4.1.0",
        "CET-1CEST,M3.1.0,M4.1.0,",
        "<+1", "<>1", "1", "CET-1:60",
    ])
    func badRules(_ rule: String) {
        #expect(throws: CalendarError.self) { try ZoneFile.parse(Self.slim(rule: rule), name: "x") }
    }

    @Test func brokenFilesAreRefused() {
        let good = Self.slim()
        for length in 0..<good.count {
            #expect(throws: CalendarError.self) { try ZoneFile.parse(Array(good.prefix(length)), name: "x") }
        }
        #expect(throws: CalendarError.self) { try ZoneFile.parse(Self.slim(change: 2), name: "x") }
        #expect(throws: CalendarError.self) { try ZoneFile.parse(Self.slim(leap: 1), name: "x") }
        #expect(throws: CalendarError.self) { try ZoneFile.parse(Self.slim(leap: 0xFFFF_FFFF), name: "x") }
    }

    /// Whatever is in a file, reading it and asking for times ends.
    @Test func noiseDoesNoHarm() throws {
        let good = Self.slim()
        var random = SplitMix(seed: 11)
        for _ in 0..<5000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = .random(in: .min ... .max, using: &random)
            }
            guard let zone = try? ZoneFile.parse(bytes, name: "x") else { continue }
            _ = try CronExpression("30 2 * * *").due(after: utc("2026-03-01"), in: zone, limit: 3)
            _ = try CronExpression("*/30 2 * * *").due(after: utc("2026-03-01"), in: zone, limit: 3)
        }
    }
}
