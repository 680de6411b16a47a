public import FoundationEssentials

/// When something is due, as cron writes it: minute, hour, day of month, month, day of week.
///
/// Fields, lists, ranges, steps and names are those of Vixie cron, and so are these rules:
/// - When both day fields are restricted (neither begins with `*`), a day counts that fits either one; otherwise it must
///   fit both.
/// - Where the clock changes, it depends on whether minute or hour begins with `*`. If neither does, the expression names
///   times of day, and each of them is due exactly once: at the first moment at which the local clock shows it or is past
///   it. A time that does not exist, because clocks are set forward over it, is due when the gap ends; one that happens
///   twice is due the first time. If one does, the expression names an interval and follows real time: it is due whenever
///   the local clock shows a minute that fits, not at all in a gap, and both times when an hour is repeated.
public struct CronExpression: Sendable, Hashable {
    /// As it was written.
    public let text: String
    let minute: CronField
    let hour: CronField
    let dayOfMonth: CronField
    let month: CronField
    let dayOfWeek: CronField

    /// True when minute and hour name times of day, false when they name an interval.
    public var isFixedTime: Bool { !minute.isWildcard && !hour.isWildcard }

    /// True when `number`, in days since 1970-01-01, is a day that fits.
    func fits(day number: Int64) -> Bool {
        let day = CivilDay(number: number)
        guard month.contains(day.month) else { return false }
        let fitsMonth = dayOfMonth.contains(day.day)
        let fitsWeek = dayOfWeek.contains(CivilDay.weekday(ofNumber: number))
        return isEitherDay ? fitsMonth || fitsWeek : fitsMonth && fitsWeek
    }

    var isEitherDay: Bool { !dayOfMonth.isWildcard && !dayOfWeek.isWildcard }
}

extension CronExpression: CustomStringConvertible {
    public var description: String { text }
}

extension CronExpression {
    /// Reads five fields, or one of the names that begin with `@`.
    ///
    /// - Throws: `invalid` with the field that is wrong and what would be right.
    public init(_ text: String) throws(CalendarError) {
        let typed = text.prefix(200)
        let trimmed = typed.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        let fields = try Self.spelledOut(trimmed).split(separator: " ")
        guard fields.count == 5 else {
            throw CalendarError(
                """
                cron expression '\(trimmed)' has \(fields.count) fields: it must have five, minute, hour, day of month, \
                month and day of week, such as '30 2 * * mon-fri'
                """)
        }
        do {
            minute = try CronField(fields[0], .minute)
            hour = try CronField(fields[1], .hour)
            dayOfMonth = try CronField(fields[2], .dayOfMonth)
            month = try CronField(fields[3], .month)
            dayOfWeek = try CronField(fields[4], .dayOfWeek)
        } catch {
            throw CalendarError("cron expression '\(trimmed)': \(error)")
        }
        self.text = trimmed
        guard isEitherDay || month.numbers.contains(where: { Self.days(inMonth: $0) >= dayOfMonth.numbers[0] }) else {
            throw CalendarError(
                """
                cron expression '\(trimmed)' is never due: no month that it names (\(fields[3])) has a day \
                \(dayOfMonth.numbers[0])
                """)
        }
    }

    private static func spelledOut(_ text: String) throws(CalendarError) -> String {
        guard text.hasPrefix("@") else { return text }
        switch text.lowercased() {
        case "@yearly", "@annually": return "0 0 1 1 *"
        case "@monthly": return "0 0 1 * *"
        case "@weekly": return "0 0 * * 0"
        case "@daily", "@midnight": return "0 0 * * *"
        case "@hourly": return "0 * * * *"
        default:
            throw CalendarError(
                """
                cron expression '\(text)' is unknown: the names are @yearly, @annually, @monthly, @weekly, @daily, \
                @midnight and @hourly
                """)
        }
    }

    /// The most days that a month ever has.
    private static func days(inMonth month: Int64) -> Int64 {
        [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][Int(month) - 1]
    }
}

extension CronExpression {
    /// The first due time after a moment; nil when there is none within fifty years.
    public func next(after date: Date, in zone: ZoneRules) -> Date? {
        let second = date.timeIntervalSince1970.rounded(.down)
        // Outside of the years 1 to 9999 nothing is due.
        guard (-62_135_596_800...253_402_300_799).contains(second) else { return nil }
        let due = isFixedTime ? nextTime(after: Int64(second), in: zone) : nextTick(after: Int64(second), in: zone)
        return due.map { Date(timeIntervalSince1970: Double($0)) }
    }

    /// The due times after a moment, at most `limit`.
    public func due(after date: Date, in zone: ZoneRules, limit: Int) -> [Date] {
        var dates: [Date] = []
        while dates.count < limit, let next = next(after: dates.last ?? date, in: zone) {
            dates.append(next)
        }
        return dates
    }

    /// Each time of day once: at the first moment at which the local clock shows it or is past it.
    private func nextTime(after second: Int64, in zone: ZoneRules) -> Int64? {
        // All times that the clock has shown, or jumped over, were due by then.
        let passed = zone.latestWall(by: second).divided(by: 60).quotient
        return nextMinute(from: passed + 1).map { zone.firstMoment(atOrPast: $0 * 60) }
    }

    /// Whenever the local clock shows a minute that fits.
    private func nextTick(after second: Int64, in zone: ZoneRules) -> Int64? {
        var segment = zone.segment(at: second + 1)
        while segment.start == .min || segment.start < second + Self.horizon * 86_400 {
            let offset = segment.offset.seconds
            let from = (max(second + 1, segment.start) + offset + 59).divided(by: 60).quotient
            guard let minute = nextMinute(from: from) else { return nil }
            let due = minute * 60 - offset
            if due < segment.end { return due }
            segment = zone.segment(at: segment.end)
        }
        return nil
    }

    /// The first local minute that fits, in minutes since 1970, from `minute` on.
    private func nextMinute(from minute: Int64) -> Int64? {
        let (today, time) = minute.divided(by: 1440)
        if fits(day: today), let time = nextTime(from: time) { return today * 1440 + time }
        guard let first = nextTime(from: 0) else { return nil }
        var number = today + 1
        while number <= today + Self.horizon {
            if fits(day: number) { return number * 1440 + first }
            let day = CivilDay(number: number)
            guard !month.contains(day.month) else {
                number += 1
                continue
            }
            number =
                CivilDay(
                    year: day.month == 12 ? day.year + 1 : day.year, month: day.month == 12 ? 1 : day.month + 1, day: 1
                ).number
        }
        return nil
    }

    /// The first time of day that fits, in minutes, from `time` on.
    private func nextTime(from time: Int64) -> Int64? {
        let (startHour, startMinute) = time.divided(by: 60)
        if hour.contains(startHour), let minute = minute.first(from: startMinute) { return startHour * 60 + minute }
        guard let hour = hour.first(from: startHour + 1), let minute = minute.first(from: 0) else { return nil }
        return hour * 60 + minute
    }

    /// Days to search: February 29 on a certain weekday comes every 40 years at worst.
    private static let horizon: Int64 = 50 * 366
}

/// One of a cron expression's five fields: which numbers it allows.
struct CronField: Sendable, Hashable {
    enum Kind: String, Sendable, Hashable, CaseIterable {
        case minute
        case hour
        case dayOfMonth = "day of month"
        case month
        case dayOfWeek = "day of week"
    }

    /// Bit n stands for the number n; Sunday is 0 only.
    private(set) var allowed: UInt64
    /// True when the field begins with '*', as in "*/15": it restricts nothing by itself.
    private(set) var isWildcard: Bool

    func contains(_ number: Int64) -> Bool {
        (0..<64).contains(number) && allowed & (1 << UInt64(number)) != 0
    }

    var numbers: [Int64] { (0..<64).filter(contains) }

    /// The first allowed number from `number` on.
    func first(from number: Int64) -> Int64? {
        (number..<64).first(where: contains)
    }
}

extension CronField.Kind {
    var range: ClosedRange<Int64> {
        switch self {
        case .minute: 0...59
        case .hour: 0...23
        case .dayOfMonth: 1...31
        case .month: 1...12
        case .dayOfWeek: 0...7
        }
    }

    /// Names for the numbers from the range's first on.
    var names: [String] {
        switch self {
        case .minute, .hour, .dayOfMonth: []
        case .month: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        case .dayOfWeek: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
        }
    }

    /// What may stand in the field, for messages.
    var advice: String {
        let range = "\(range.lowerBound) to \(range.upperBound)"
        return switch self {
        case .minute, .hour, .dayOfMonth: "numbers from \(range)"
        case .month: "numbers from \(range) or names from jan to dec"
        case .dayOfWeek: "numbers from \(range) (0 and 7 are Sunday) or names from sun to sat"
        }
    }
}

extension CronField {
    /// Reads a field: "*", a number or name, "a-b", each of the first and last with "/step", or a list of these.
    init(_ text: Substring, _ kind: Kind) throws(CalendarError) {
        allowed = 0
        isWildcard = text.hasPrefix("*")
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            allowed |= try Self.bits(part, kind, whole: text)
        }
        if kind == .dayOfWeek, contains(7) {
            allowed = (allowed & ~(1 << 7)) | 1
        }
    }

    private static func bits(_ part: Substring, _ kind: Kind, whole: Substring) throws(CalendarError) -> UInt64 {
        func wrong(_ what: String) -> CalendarError {
            CalendarError("the \(kind.rawValue) field '\(whole)' \(what)")
        }
        let pieces = part.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let ends = pieces[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let range: ClosedRange<Int64>
        if pieces[0] == "*" {
            // Day 7 is day 0 again.
            range = kind == .dayOfWeek ? 0...6 : kind.range
        } else {
            var numbers: [Int64] = []
            for end in ends {
                guard let number = number(end, kind) else {
                    throw wrong("has '\(end)' in it; allowed are \(kind.advice), and *")
                }
                numbers.append(number)
            }
            guard let first = numbers.first, let last = numbers.last else { throw wrong("is empty") }
            guard first <= last else {
                throw wrong(
                    "has a range that ends before it begins; write it as two, such as "
                        + "\(ends[0])-\(kind == .dayOfWeek ? 6 : kind.range.upperBound),\(kind.range.lowerBound)-\(ends[1])"
                )
            }
            range = first...last
        }
        guard pieces.count == 2 else { return Self.bits(range, step: 1) }
        let span = range.upperBound - range.lowerBound
        guard pieces[0] == "*" || ends.count == 2 else {
            throw wrong("has a step without a range; write \(ends[0])-\(kind.range.upperBound)/\(pieces[1])")
        }
        guard let step = Int64(pieces[1]), (1...max(span, 1)).contains(step), pieces[1].allSatisfy(\.isNumber) else {
            throw wrong("has the step '\(pieces[1])'; it must be a whole number from 1 to \(max(span, 1))")
        }
        return Self.bits(range, step: step)
    }

    private static func bits(_ range: ClosedRange<Int64>, step: Int64) -> UInt64 {
        stride(from: range.lowerBound, through: range.upperBound, by: Int64.Stride(step))
            .reduce(0) { $0 | 1 << UInt64($1) }
    }

    private static func number(_ text: Substring, _ kind: Kind) -> Int64? {
        if let place = kind.names.firstIndex(of: text.lowercased()) { return Int64(place) + kind.range.lowerBound }
        guard (1...2).contains(text.utf8.count), text.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains),
            let number = Int64(text), kind.range.contains(number)
        else { return nil }
        return number
    }
}

/// A cron expression, a time zone or a time that can't be understood, with what would be right.
public struct CalendarError: Error, Sendable, Hashable, CustomStringConvertible {
    public var description: String

    init(_ description: String) { self.description = description }
}
