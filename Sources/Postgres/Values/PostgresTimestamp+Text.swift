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
