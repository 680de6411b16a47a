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
