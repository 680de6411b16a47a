internal import Files
public import FoundationEssentials
internal import Glibc

/// The difference to UTC at every moment in one IANA time zone.
///
/// Read from the system's own tz database, which the operating system keeps up to date: governments change their rules
/// more often than programs are built. FoundationEssentials knows no zones at all without ICU.
public struct ZoneRules: Sendable, Hashable {
    /// Local time is UTC and so many seconds.
    struct Offset: Sendable, Hashable {
        var seconds: Int64
        /// For example "CEST".
        var abbreviation: String
    }

    struct Transition: Sendable, Hashable {
        /// In seconds since 1970 UTC: from here on `offset` is in force.
        var at: Int64
        var offset: Offset
    }

    /// A span of time with one offset.
    struct Segment: Sendable, Hashable {
        /// The first second; `Int64.min` for the span before all transitions.
        var start: Int64
        /// The first second behind it; `Int64.max` when nothing is to come.
        var end: Int64
        var offset: Offset
    }

    /// For example "Europe/Berlin".
    public let name: String
    private let first: Offset
    private let transitions: [Transition]
    private let rule: ZoneRule?

    /// - Parameters:
    ///   - first: What was in force before all transitions.
    ///   - transitions: In the order of time.
    ///   - rule: What is in force after the last transition; nil when that one stays.
    init(name: String, first: Offset, transitions: [Transition], rule: ZoneRule?) {
        self.name = name
        self.first = first
        self.transitions = transitions
        self.rule = rule
    }

    public static let utc = ZoneRules(
        name: "UTC", first: Offset(seconds: 0, abbreviation: "UTC"), transitions: [], rule: nil)

    /// The span that a moment lies in.
    func segment(at second: Int64) -> Segment {
        let next = transitions.partitioningIndex { $0.at > second }
        let start = next > 0 ? transitions[next - 1].at : Int64.min
        let offset = next > 0 ? transitions[next - 1].offset : first
        guard next == transitions.count, let rule else {
            let end = next < transitions.count ? transitions[next].at : Int64.max
            return Segment(start: start, end: end, offset: offset)
        }
        return rule.segment(at: second, from: start)
    }

    /// The latest time that the local clock has shown by `second`, in seconds since 1970 on that clock.
    ///
    /// After clocks were set back it stays, until they show that time again.
    func latestWall(by second: Int64) -> Int64 {
        var segment = segment(at: second - Self.reach)
        var latest = Int64.min
        while true {
            let last = min(second, segment.end - 1)
            latest = max(latest, last + segment.offset.seconds)
            guard segment.end <= second else { return latest }
            segment = self.segment(at: segment.end)
        }
    }

    /// The first moment at which the local clock shows `wall` or is past it.
    func firstMoment(atOrPast wall: Int64) -> Int64 {
        var segment = segment(at: wall - Self.reach)
        while segment.end != Int64.max, wall >= segment.end + segment.offset.seconds {
            segment = self.segment(at: segment.end)
        }
        return max(segment.start, wall - segment.offset.seconds)
    }

    /// Further apart than any two clocks on Earth ever were.
    private static let reach: Int64 = 3 * 86_400
}

extension Array {
    /// The first index whose element fulfils the condition, which must hold for all elements behind it too.
    fileprivate func partitioningIndex(where isBehind: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension ZoneRules {
    /// Where systems keep the tz database.
    ///
    /// TZDIR has no say: all machines are to read a schedule's zone in the same way.
    static let folders = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"]

    /// Reads a zone of the system's tz database; "UTC" needs none.
    ///
    /// - Throws: when there is no such zone, or no tz database.
    public init(named name: String) throws(CalendarError) {
        try self.init(named: name, folders: Self.folders)
    }

    init(named name: String, folders: [String]) throws(CalendarError) {
        if name == "UTC" {
            self = .utc
            return
        }
        guard Self.isName(name) else {
            throw CalendarError("time zone '\(name.prefix(64))' does not exist: give a name such as Europe/Berlin")
        }
        guard let path = folders.map({ "\($0)/\(name)" }).first(where: Self.isFile) else {
            // Containers have the folder, but nothing in it.
            guard folders.contains(where: Self.isDatabase) else {
                throw CalendarError(
                    "time zone '\(name)' can't be read: this machine has no time zone database in "
                        + "\(folders.first ?? ""): install tzdata, or use UTC")
            }
            throw CalendarError("time zone '\(name)' does not exist: give a name such as Europe/Berlin, or UTC")
        }
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try InputFile.bytes(of: path, limit: ZoneFile.maximumBytes)
        } catch {
            throw CalendarError("time zone '\(name)' can't be read: \(error)")
        }
        do throws(CalendarError) {
            self = try ZoneFile.parse(bytes, name: name)
        } catch {
            throw CalendarError("time zone '\(name)' can't be read: \(path): \(error)")
        }
    }

    /// True for relative names without dots, which can't leave the database's folder.
    private static func isName(_ name: String) -> Bool {
        let isKnown = { (byte: UInt8) in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"),
                UInt8(ascii: "/"):
                true
            default: false
            }
        }
        return (1...64).contains(name.utf8.count) && name.utf8.allSatisfy(isKnown) && !name.hasPrefix("/")
            && !name.hasSuffix("/")
    }

    /// True for a folder with the zone that every database has, under either of its names.
    private static func isDatabase(_ folder: String) -> Bool {
        Self.isFile("\(folder)/UTC") || Self.isFile("\(folder)/Etc/UTC")
    }

    /// True for a regular file, or a link to one, of a size that a zone may have.
    private static func isFile(_ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
        return status.st_size <= ZoneFile.maximumBytes
    }
}

extension ZoneRules {
    /// The local clock's time, to the minute, with the zone's abbreviation: "2026-03-29 03:00 CEST".
    public func text(of date: Date) -> String {
        let second = Int64(date.timeIntervalSince1970.rounded(.down))
        let offset = segment(at: second).offset
        let (number, time) = (second + offset.seconds).divided(by: 86_400)
        let day = CivilDay(number: number)
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let clock = "\(two(time / 3600)):\(two(time / 60 % 60))"
        return "\(day.year)-\(two(day.month))-\(two(day.day)) \(clock) \(offset.abbreviation)"
    }

    /// Reads "2026-03-29" or "2026-03-29 02:30" on the local clock, or in UTC with a "Z" behind it.
    ///
    /// A time that happens twice means the first; one that does not exist, the end of the gap.
    /// - Parameter isEnd: Let a day without a time mean its last second instead of its first.
    /// - Throws: `invalid` for anything else.
    public func date(_ text: String, isEnd: Bool = false) throws(CalendarError) -> Date {
        let isUTC = text.hasSuffix("Z")
        let digits = (isUTC ? text.dropLast() : text[...]).split(whereSeparator: { "-T: ".contains($0) })
        let numbers = digits.compactMap { part in
            part.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) && part.count <= 4
                ? Int64(part) : nil
        }
        guard numbers.count == digits.count, [3, 5, 6].contains(numbers.count), (1...9999).contains(numbers[0]),
            (1...12).contains(numbers[1]), (1...31).contains(numbers[2]),
            zip(numbers.dropFirst(3), [23, 59, 59]).allSatisfy({ $0 <= $1 })
        else {
            throw CalendarError("'\(text.prefix(40))' is no time: give a day such as 2026-03-29, or '2026-03-29 02:30'")
        }
        let day = CivilDay(year: numbers[0], month: numbers[1], day: numbers[2])
        guard CivilDay(number: day.number) == day else {
            throw CalendarError("'\(text)' is no time: that month has no day \(day.day)")
        }
        let zone = isUTC ? .utc : self
        let time = zip(numbers.dropFirst(3), [3600, 60, 1] as [Int64]).reduce(Int64(0)) { $0 + $1.0 * $1.1 }
        let isWholeDay = isEnd && numbers.count == 3
        let wall = (day.number + (isWholeDay ? 1 : 0)) * 86_400 + time
        let second = zone.firstMoment(atOrPast: wall) - (isWholeDay ? 1 : 0)
        return Date(timeIntervalSince1970: Double(second))
    }
}

/// A day of the proleptic Gregorian calendar; it has no time zone.
///
/// The arithmetic follows Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
struct CivilDay: Sendable, Hashable {
    var year: Int64
    /// 1 to 12.
    var month: Int64
    /// 1 to 31.
    var day: Int64

    init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// The day so many days after 1970-01-01.
    init(number: Int64) {
        let (era, dayOfEra) = (number + 719_468).divided(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    }

    /// Days since 1970-01-01.
    var number: Int64 {
        // Years begin in March, so that the leap day is the last one.
        let (era, yearOfEra) = (month <= 2 ? year - 1 : year).divided(by: 400)
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// From 0, Sunday, to 6; 1970-01-01 was a Thursday.
    static func weekday(ofNumber number: Int64) -> Int64 {
        (number + 4).divided(by: 7).remainder
    }

    static func isLeap(_ year: Int64) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }
}

extension Int64 {
    /// The quotient rounded towards minus infinity, and a remainder that is never negative.
    func divided(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
