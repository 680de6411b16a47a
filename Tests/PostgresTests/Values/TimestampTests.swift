import Testing

@testable import Postgres

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite struct TimestampTests {
    @Test(arguments: [
        ("1970-01-01 00:00:00+00", 0), ("2000-01-01 00:00:00.000001+00", 946_684_800_000_001),
        ("1969-12-31 23:59:59.5+00", -500_000), ("2024-02-29 12:34:56.789+00", 1_709_210_096_789_000),
        ("0001-01-01 00:00:00+00", -62_135_596_800_000_000), ("0001-12-31 00:00:00+00 BC", -62_135_683_200_000_000),
        ("12345-06-07 00:00:00+00", 327_416_947_200_000_000), ("infinity", Int64.max), ("-infinity", Int64.min),
    ])
    func textAndValue(text: String, microseconds: Int64) {
        let timestamp = PostgresTimestamp(microseconds: microseconds)
        #expect(timestamp.description == text)
        #expect(PostgresTimestamp(iso: text) == timestamp)
    }

    @Test(arguments: [
        ("2024-06-01 12:00:00+05:30", "2024-06-01 06:30:00+00"), ("2024-06-01 12:00:00-08", "2024-06-01 20:00:00+00"),
        ("1800-01-01 00:00:00-00:01:15", "1800-01-01 00:01:15+00"), ("2024-06-01", "2024-06-01 00:00:00+00"),
        ("2024-06-01 12:00:00", "2024-06-01 12:00:00+00"), ("2024-06-01T12:00:00Z", "2024-06-01 12:00:00+00"),
        ("0044-03-15 BC", "0044-03-15 00:00:00+00 BC"),
    ])
    func zonesAndShortForms(text: String, inUTC: String) {
        #expect(PostgresTimestamp(iso: text)?.description == inUTC)
    }

    @Test(arguments: [
        "", "now", "2024-13-01", "2024-00-10", "2024-01-01 25:00:00+00", "2024-01-01 12:00:00.1234567+00",
        "294276-01-01 00:00:00+00", "2024-01-01 12:00:00+00 rest", "2024-01-01 12:00", "99999999999-01-01",
        "0000-01-01",
    ])
    func otherTextIsNoTimestamp(text: String) {
        #expect(PostgresTimestamp(iso: text) == nil)
    }

    @Test func everyTextReadsBack() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<5000 {
            // From 4713 BC, where the server's range begins.
            let value = Int64.random(in: -210_866_803_200_000_000 ... .max, using: &generator)
            let timestamp = PostgresTimestamp(microseconds: value)
            #expect(PostgresTimestamp(iso: timestamp.description) == timestamp, "\(value)")
        }
    }

    @Test func daysAreCounted() {
        var expected: Int64 = CivilDate.daysSinceEpoch(year: -401, month: 1, day: 1)
        for year in Int64(-401)...2402 {
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            for (index, length) in [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].enumerated() {
                let first = CivilDate.daysSinceEpoch(year: year, month: Int64(index + 1), day: 1)
                #expect(first == expected)
                #expect(
                    CivilDate.date(daysSinceEpoch: first + Int64(length) - 1) == (year, Int64(index + 1), Int64(length))
                )
                expected += Int64(length)
            }
        }
    }

    @Test func convertsToDatesAndDurations() {
        let timestamp = PostgresTimestamp(microseconds: 1_500_000)
        #expect(timestamp.date == Date(timeIntervalSince1970: 1.5))
        #expect(PostgresTimestamp(Date(timeIntervalSince1970: 1.5)) == timestamp)
        #expect(timestamp.sinceEpoch == .milliseconds(1500))
        #expect(timestamp.advanced(by: .milliseconds(-2000)).microseconds == -500_000)
        #expect(timestamp.advanced(by: .seconds(1)).since(timestamp) == .seconds(1))
        #expect(PostgresTimestamp(Date(timeIntervalSince1970: 1e300)) == .distantFuture)
        #expect(timestamp.advanced(by: .seconds(Int64.max)) == .distantFuture)
        #expect(timestamp.advanced(by: .seconds(Int64.min)) == .distantPast)
    }
}
