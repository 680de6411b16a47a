/// How a zone's clocks change every year from now on, as the last line of a zone file says it.
///
/// For example "CET-1CEST,M3.5.0,M10.5.0/3" (POSIX, 8.3 "TZ", with the hours from -167 to 167 of RFC 9636).
struct ZoneRule: Sendable, Hashable {
    /// A moment of every year, by the clock before the change.
    struct Moment: Sendable, Hashable {
        enum Day: Sendable, Hashable {
            /// 1 to 365; February 29 does not count.
            case julian(Int64)
            /// 0 to 365; February 29 counts.
            case ofYear(Int64)
            /// The n-th weekday of a month, the last one for 5.
            case weekday(month: Int64, week: Int64, weekday: Int64)
        }

        var day: Day
        /// Seconds since midnight.
        var time: Int64 = 7200
    }

    struct Summer: Sendable, Hashable {
        var offset: ZoneRules.Offset
        var start: Moment
        var end: Moment
    }

    var standard: ZoneRules.Offset
    var summer: Summer?

    /// The span that a moment lies in; none begins before `earliest`.
    func segment(at second: Int64, from earliest: Int64) -> ZoneRules.Segment {
        guard let summer else {
            return ZoneRules.Segment(start: earliest, end: .max, offset: standard)
        }
        let year = CivilDay(number: second.divided(by: 86_400).quotient).year
        var changes: [ZoneRules.Transition] = []
        for year in (year - 2)...(year + 2) {
            changes.append(
                ZoneRules.Transition(at: summer.end.wall(in: year) - summer.offset.seconds, offset: standard))
            changes.append(
                ZoneRules.Transition(at: summer.start.wall(in: year) - standard.seconds, offset: summer.offset))
        }
        // Of two changes at one moment the one to summer time counts: that is how a file says that it never ends.
        changes.sort { ($0.at, $0.offset == summer.offset ? 1 : 0) < ($1.at, $1.offset == summer.offset ? 1 : 0) }
        let next = changes.firstIndex { $0.at > second } ?? changes.count
        let current = next > 0 ? changes[next - 1] : ZoneRules.Transition(at: .min, offset: standard)
        return ZoneRules.Segment(
            start: max(current.at, earliest), end: next < changes.count ? changes[next].at : .max,
            offset: current.offset)
    }
}

extension ZoneRule.Moment {
    /// The moment in a year, in seconds since 1970 on the local clock.
    fileprivate func wall(in year: Int64) -> Int64 {
        let newYear = CivilDay(year: year, month: 1, day: 1).number
        let number: Int64 =
            switch day {
            case .julian(let day): newYear + day - 1 + (day >= 60 && CivilDay.isLeap(year) ? 1 : 0)
            case .ofYear(let day): newYear + day
            case .weekday(let month, let week, let weekday): Self.day(year, month, week, weekday)
            }
        return number * 86_400 + time
    }

    private static func day(_ year: Int64, _ month: Int64, _ week: Int64, _ weekday: Int64) -> Int64 {
        let first = CivilDay(year: year, month: month, day: 1).number
        let next = CivilDay(year: month == 12 ? year + 1 : year, month: month == 12 ? 1 : month + 1, day: 1).number
        var day = first + (weekday - CivilDay.weekday(ofNumber: first) + 7) % 7 + (week - 1) * 7
        while day >= next { day -= 7 }
        return day
    }
}

extension ZoneRule {
    /// Reads the last line of a zone file; nil when it is none.
    init?(_ text: String) {
        var reader = ZoneRuleReader(text)
        guard let name = reader.name(), let west = reader.time(hours: 0...24) else { return nil }
        standard = ZoneRules.Offset(seconds: -west, abbreviation: name)
        guard !reader.isAtEnd else { return }
        guard let summerName = reader.name() else { return nil }
        var summerSeconds = standard.seconds + 3600
        if !reader.isNext(",") {
            guard let west = reader.time(hours: 0...24) else { return nil }
            summerSeconds = -west
        }
        guard reader.skip(","), let start = reader.moment(), reader.skip(","), let end = reader.moment(),
            reader.isAtEnd
        else { return nil }
        summer = Summer(
            offset: ZoneRules.Offset(seconds: summerSeconds, abbreviation: summerName), start: start, end: end)
    }
}

/// Reads the parts of a rule from the front of a text.
private struct ZoneRuleReader {
    private var rest: Substring

    init(_ text: String) {
        rest = text[...]
    }

    var isAtEnd: Bool { rest.isEmpty }

    func isNext(_ mark: Character) -> Bool { rest.first == mark }

    mutating func skip(_ mark: Character) -> Bool {
        guard isNext(mark) else { return false }
        rest.removeFirst()
        return true
    }

    /// "CET", or "<+0330>".
    mutating func name() -> String? {
        let isQuoted = skip("<")
        let name = rest.prefix { character in
            character.isASCII
                && (character.isLetter || isQuoted && (character.isNumber || character == "+" || character == "-"))
        }
        rest = rest.dropFirst(name.count)
        guard (1...16).contains(name.count), !isQuoted || skip(">") else { return nil }
        return String(name)
    }

    mutating func number(_ range: ClosedRange<Int64>) -> Int64? {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        guard (1...3).contains(digits.count), let number = Int64(digits), range.contains(number) else { return nil }
        rest = rest.dropFirst(digits.count)
        return number
    }

    /// "[+-]hh[:mm[:ss]]" in seconds.
    mutating func time(hours: ClosedRange<Int64>) -> Int64? {
        let isNegative = skip("-")
        if !isNegative { _ = skip("+") }
        guard var seconds = number(hours).map({ $0 * 3600 }) else { return nil }
        for unit: Int64 in [60, 1] where skip(":") {
            guard let part = number(0...59) else { return nil }
            seconds += part * unit
        }
        return isNegative ? -seconds : seconds
    }

    mutating func moment() -> ZoneRule.Moment? {
        let day: ZoneRule.Moment.Day
        if skip("M") {
            guard let month = number(1...12), skip("."), let week = number(1...5), skip("."),
                let weekday = number(0...6)
            else { return nil }
            day = .weekday(month: month, week: week, weekday: weekday)
        } else if skip("J") {
            guard let number = number(1...365) else { return nil }
            day = .julian(number)
        } else {
            guard let number = number(0...365) else { return nil }
            day = .ofYear(number)
        }
        guard skip("/") else { return ZoneRule.Moment(day: day) }
        guard let time = time(hours: 0...167) else { return nil }
        return ZoneRule.Moment(day: day, time: time)
    }
}
