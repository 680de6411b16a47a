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
