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
