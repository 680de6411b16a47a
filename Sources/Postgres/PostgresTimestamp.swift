#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// A point in time with PostgreSQL's resolution of a microsecond.
public struct PostgresTimestamp: Sendable, Hashable, Comparable {
    /// Microseconds since 1970-01-01 00:00:00 UTC.
    public var microseconds: Int64

    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// The server's "infinity": later than every other value.
    public static let distantFuture = PostgresTimestamp(microseconds: .max)
    /// The server's "-infinity": earlier than every other value.
    public static let distantPast = PostgresTimestamp(microseconds: .min)

    public static func < (left: Self, right: Self) -> Bool { left.microseconds < right.microseconds }

    /// Now, by this machine's clock; for decisions that several machines share ask the database's.
    public static func now() -> PostgresTimestamp { PostgresTimestamp(Date()) }

    /// The nearest microsecond; dates beyond the representable range become the infinities.
    public init(_ date: Date) {
        let value = (date.timeIntervalSince1970 * 1_000_000).rounded()
        self.microseconds = Int64(exactly: value) ?? (value < 0 ? .min : .max)
    }

    public var date: Date { Date(timeIntervalSince1970: Double(self.microseconds) / 1_000_000) }

    /// The time since 1970-01-01 00:00:00 UTC.
    public var sinceEpoch: Duration { .microseconds(self.microseconds) }

    /// The time from an earlier timestamp to this one.
    public func since(_ earlier: PostgresTimestamp) -> Duration { self.sinceEpoch - earlier.sinceEpoch }

    /// The timestamp moved by a duration, to the microsecond; beyond the representable range, an infinity.
    public func advanced(by duration: Duration) -> PostgresTimestamp {
        let (seconds, attoseconds) = duration.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        let (change, carry) = whole.addingReportingOverflow(attoseconds / 1_000_000_000_000)
        let (moved, excess) = self.microseconds.addingReportingOverflow(change)
        guard !overflow, !carry, !excess else { return seconds < 0 ? .distantPast : .distantFuture }
        return PostgresTimestamp(microseconds: moved)
    }
}

extension PostgresTimestamp: PostgresEncodable, PostgresDecodable, CustomStringConvertible {
    private static let microsecondsPerDay: Int64 = 86_400_000_000

    public var postgresParameter: PostgresParameter { PostgresParameter(text: self.description) }

    /// ISO 8601 in UTC with microseconds where there are any, such as "2026-07-01 12:30:00.25+00".
    public var description: String {
        if self == .distantFuture { return "infinity" }
        if self == .distantPast { return "-infinity" }
        let (days, time) = self.microseconds.quotientAndRemainder(flooringBy: Self.microsecondsPerDay)
        let (year, month, day) = CivilDate.date(daysSinceEpoch: days)
        let seconds = time / 1_000_000
        var text = Self.padded(year > 0 ? year : 1 - year, 4)
        text += "-\(Self.padded(month, 2))-\(Self.padded(day, 2)) "
        text += "\(Self.padded(seconds / 3600, 2)):\(Self.padded(seconds / 60 % 60, 2)):\(Self.padded(seconds % 60, 2))"
        let fraction = time % 1_000_000
        if fraction > 0 {
            var digits = Self.padded(fraction, 6)[...]
            while digits.last == "0" { digits.removeLast() }
            text += ".\(digits)"
        }
        text += "+00"
        return year > 0 ? text : text + " BC"
    }

    /// Reads timestamptz, timestamp and date (both taken as UTC) in the ISO date style.
    public init?(postgresText text: Span<UInt8>, type: UInt32) {
        guard [PostgresType.timestamptz, PostgresType.timestamp, PostgresType.date].contains(type) else { return nil }
        guard let string = String(utf8Span: text) else { return nil }
        self.init(iso: string)
    }

    init?(iso text: String) {
        if text == "infinity" || text == "-infinity" {
            self = text == "infinity" ? .distantFuture : .distantPast
            return
        }
        var reader = DigitReader(text)
        guard let year = reader.number(), reader.skip("-"), let month = reader.number(), reader.skip("-"),
            let day = reader.number(), (1...12).contains(month), (1...31).contains(day), year > 0, year < 300_000
        else { return nil }
        var seconds: Int64 = 0
        var fraction: Int64 = 0
        if reader.skip(" ") || reader.skip("T"), !reader.rest.hasPrefix("BC") {
            guard let hour = reader.number(), reader.skip(":"), let minute = reader.number(), reader.skip(":"),
                let second = reader.number(), hour <= 24, minute < 60, second <= 60
            else { return nil }
            seconds = hour * 3600 + minute * 60 + second
            if reader.skip(".") {
                guard let value = reader.fraction(digits: 6) else { return nil }
                fraction = value
            }
            if reader.skip("Z") {
                // UTC.
            } else if let sign = reader.skip("+") ? 1 : reader.skip("-") ? Int64(-1) : nil {
                guard let hours = reader.number(), hours < 24 else { return nil }
                let minutes = reader.skip(":") ? reader.number() : 0
                let rest = reader.skip(":") ? reader.number() : 0
                guard let minutes, let rest, minutes < 60, rest < 60 else { return nil }
                seconds -= sign * (hours * 3600 + minutes * 60 + rest)
            }
            _ = reader.skip(" ")
        }
        let isBeforeChrist = reader.skip("BC")
        guard reader.rest.isEmpty else { return nil }
        let days = CivilDate.daysSinceEpoch(year: isBeforeChrist ? 1 - year : year, month: month, day: day)
        // The server's years end in 294276, those of microseconds since 1970 in 294247.
        let (midnight, overflow) = days.multipliedReportingOverflow(by: Self.microsecondsPerDay)
        let (value, carry) = midnight.addingReportingOverflow(seconds * 1_000_000 + fraction)
        guard !overflow, !carry else { return nil }
        self.init(microseconds: value)
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

/// Reads numbers and marks from the front of a text.
private struct DigitReader {
    var rest: Substring.UTF8View

    init(_ text: String) { self.rest = text[...].utf8 }

    mutating func skip(_ mark: StaticString) -> Bool {
        let isNext = mark.withUTF8Buffer { self.rest.starts(with: $0) }
        if isNext { self.rest = self.rest.dropFirst(mark.utf8CodeUnitCount) }
        return isNext
    }

    mutating func number() -> Int64? {
        let digits = self.rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard !digits.isEmpty, digits.count <= 9 else { return nil }
        self.rest = self.rest.dropFirst(digits.count)
        return digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    }

    mutating func fraction(digits width: Int) -> Int64? {
        let before = self.rest.count
        guard var value = self.number() else { return nil }
        let count = before - self.rest.count
        guard count <= width else { return nil }
        for _ in count..<width { value *= 10 }
        return value
    }
}

extension Substring.UTF8View {
    fileprivate func hasPrefix(_ text: String) -> Bool { self.starts(with: text.utf8) }
}

/// Days and dates of the proleptic Gregorian calendar; year 0 is 1 BC.
///
/// The arithmetic follows Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
enum CivilDate {
    static func daysSinceEpoch(year: Int64, month: Int64, day: Int64) -> Int64 {
        // Years begin in March, so that the leap day is the last one.
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = shifted.quotientAndRemainder(flooringBy: 400)
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    static func date(daysSinceEpoch days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = (days + 719_468).quotientAndRemainder(flooringBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}

extension Int64 {
    /// The quotient rounded towards minus infinity, and a remainder that is never negative.
    func quotientAndRemainder(flooringBy divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = self.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
