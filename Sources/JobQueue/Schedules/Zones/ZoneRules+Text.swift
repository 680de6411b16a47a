public import FoundationEssentials

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
    public func date(_ text: String, isEnd: Bool = false) throws(QueueError) -> Date {
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
            throw QueueError(
                .invalid, "'\(text.prefix(40))' is no time: give a day such as 2026-03-29, or '2026-03-29 02:30'")
        }
        let day = CivilDay(year: numbers[0], month: numbers[1], day: numbers[2])
        guard CivilDay(number: day.number) == day else {
            throw QueueError(.invalid, "'\(text)' is no time: that month has no day \(day.day)")
        }
        let zone = isUTC ? .utc : self
        let time = zip(numbers.dropFirst(3), [3600, 60, 1] as [Int64]).reduce(Int64(0)) { $0 + $1.0 * $1.1 }
        let isWholeDay = isEnd && numbers.count == 3
        let wall = (day.number + (isWholeDay ? 1 : 0)) * 86_400 + time
        let second = zone.firstMoment(atOrPast: wall) - (isWholeDay ? 1 : 0)
        return Date(timeIntervalSince1970: Double(second))
    }
}
