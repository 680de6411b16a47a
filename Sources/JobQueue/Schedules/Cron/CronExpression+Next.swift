public import FoundationEssentials

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
