/// A date of Python's, with or without a time of day: what the loaders of `datasets` and PyYAML make of texts such as
/// 1969-07-20.
public struct PythonDate: Sendable, Hashable {
    public var year: Int
    public var month: Int
    public var day: Int
    /// `nil` for a `datetime.date`.
    public var time: Time?

    /// A `datetime.datetime`'s time of day.
    public struct Time: Sendable, Hashable {
        public var hour: Int
        public var minute: Int
        public var second: Int
        public var microsecond: Int
        /// Seconds east of UTC; `nil` for a time without a zone.
        public var offset: Int?

        public init(hour: Int, minute: Int, second: Int, microsecond: Int = 0, offset: Int? = nil) {
            self.hour = hour
            self.minute = minute
            self.second = second
            self.microsecond = microsecond
            self.offset = offset
        }
    }

    /// - Returns: `nil` for a day or time that does not exist; years are from 1 to 9999, as in Python.
    public init?(year: Int, month: Int, day: Int, time: Time? = nil) {
        guard (1...9999).contains(year), (1...12).contains(month), day >= 1,
            day <= Self.days(inMonth: month, of: year)
        else { return nil }
        if let time {
            guard (0...23).contains(time.hour), (0...59).contains(time.minute), (0...59).contains(time.second),
                (0...999_999).contains(time.microsecond), abs(time.offset ?? 0) < 86_400
            else { return nil }
        }
        self.year = year
        self.month = month
        self.day = day
        self.time = time
    }

    /// The time without a zone so many seconds after 1970 began; `nil` outside Python's years.
    public init?(secondsSince1970 seconds: Int) {
        guard (-62_135_596_800...253_402_300_799).contains(seconds) else { return nil }
        let day = seconds >= 0 ? seconds / 86_400 : -((86_399 - seconds) / 86_400)
        let rest = seconds - day * 86_400
        // Years that begin in March: a leap day is then a year's last.
        let z = day + 719_468
        let era = z / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        self.init(
            year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month: month,
            day: dayOfYear - (153 * shifted + 2) / 5 + 1,
            time: Time(hour: rest / 3600, minute: rest / 60 % 60, second: rest % 60))
    }

    /// What stands on the clock, in seconds after 1970 began.
    public var secondsSince1970: Int {
        let year = self.month <= 2 ? self.year - 1 : self.year
        let era = year / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (self.month + (self.month > 2 ? -3 : 9)) + 2) / 5 + self.day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        guard let time = self.time else { return days * 86_400 }
        return days * 86_400 + time.hour * 3600 + time.minute * 60 + time.second
    }

    public static func days(inMonth month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

extension PythonDate {
    /// As Python names the type.
    public var typeName: String { self.time == nil ? "date" : "datetime" }

    /// Python's `str()`: "1969-07-20", "1969-07-20 20:17:40" or "1969-07-20 20:17:40.500000+01:00".
    public var text: String {
        let date = Self.padded(self.year, 4) + "-" + Self.padded(self.month, 2) + "-" + Self.padded(self.day, 2)
        guard let time = self.time else { return date }
        var text = "\(date) \(Self.padded(time.hour, 2)):\(Self.padded(time.minute, 2)):\(Self.padded(time.second, 2))"
        if time.microsecond > 0 { text += "." + Self.padded(time.microsecond, 6) }
        if let offset = time.offset {
            let size = abs(offset)
            text += "\(offset < 0 ? "-" : "+")\(Self.padded(size / 3600, 2)):\(Self.padded(size / 60 % 60, 2))"
            if size % 60 > 0 { text += ":" + Self.padded(size % 60, 2) }
        }
        return text
    }

    /// Python's `repr()`: "datetime.datetime(1969, 7, 20, 20, 17, 40)".
    public var repr: String {
        guard let time = self.time else { return "datetime.date(\(self.year), \(self.month), \(self.day))" }
        var numbers = [self.year, self.month, self.day, time.hour, time.minute]
        if time.second > 0 || time.microsecond > 0 { numbers.append(time.second) }
        if time.microsecond > 0 { numbers.append(time.microsecond) }
        var parts = numbers.map(String.init)
        if let offset = time.offset {
            // Python keeps a negative difference as whole days before and seconds after.
            let delta = offset < 0 ? "days=-1, seconds=\(offset + 86_400)" : "seconds=\(offset)"
            parts.append(
                offset == 0
                    ? "tzinfo=datetime.timezone.utc" : "tzinfo=datetime.timezone(datetime.timedelta(\(delta)))")
        }
        return "datetime.datetime(\(parts.joined(separator: ", ")))"
    }

    /// Reads what `text` gives, and nothing else.
    public init?(text: String) {
        var reader = Digits(text)
        guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
            let day = reader.number(2)
        else { return nil }
        var time: Time?
        if reader.take(" ") {
            guard let hour = reader.number(2), reader.take(":"), let minute = reader.number(2), reader.take(":"),
                let second = reader.number(2)
            else { return nil }
            var clock = Time(hour: hour, minute: minute, second: second)
            if reader.take(".") {
                guard let fraction = reader.number(6) else { return nil }
                clock.microsecond = fraction
            }
            let isEast = reader.take("+")
            if isEast || reader.take("-") {
                guard let hours = reader.number(2), reader.take(":"), let minutes = reader.number(2) else { return nil }
                var offset = hours * 3600 + minutes * 60
                if reader.take(":") {
                    guard let seconds = reader.number(2) else { return nil }
                    offset += seconds
                }
                clock.offset = isEast ? offset : -offset
            }
            time = clock
        }
        guard reader.isAtEnd, let date = PythonDate(year: year, month: month, day: day, time: time), date.text == text
        else { return nil }
        self = date
    }

    /// Reads a text as Arrow does where it looks for times in whole seconds: a date, and perhaps hours, minutes, seconds
    /// and a zone; zones are taken off.
    ///
    /// - Returns: `nil` for anything else, as a fraction of a second, a day that does not exist or space around.
    public init?(arrow text: String) {
        guard (10...25).contains(text.utf8.count) else { return nil }
        var reader = Digits(text)
        guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
            let day = reader.number(2)
        else { return nil }
        var time = Time(hour: 0, minute: 0, second: 0)
        var offset = 0
        if !reader.isAtEnd {
            guard reader.take(" ") || reader.take("T"), let hour = reader.number(2) else { return nil }
            time.hour = hour
            if reader.take(":") {
                guard let minute = reader.number(2) else { return nil }
                time.minute = minute
                if reader.take(":") {
                    guard let second = reader.number(2) else { return nil }
                    time.second = second
                }
            }
            if !reader.take("Z"), !reader.isAtEnd {
                let isEast = reader.take("+")
                guard isEast || reader.take("-"), let hours = reader.number(2), hours < 24 else { return nil }
                var minutes = 0
                if !reader.isAtEnd {
                    _ = reader.take(":")
                    guard let number = reader.number(2), number < 60 else { return nil }
                    minutes = number
                }
                offset = (hours * 60 + minutes) * (isEast ? 60 : -60)
            }
        }
        guard reader.isAtEnd, let date = PythonDate(year: year, month: month, day: day, time: time) else { return nil }
        guard offset != 0 else {
            self = date
            return
        }
        guard let moved = PythonDate(secondsSince1970: date.secondsSince1970 - offset) else { return nil }
        self = moved
    }

    public static func padded(_ number: Int, _ count: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, count - digits.utf8.count)) + digits
    }
}

/// Takes numbers of a fixed number of digits from a text.
public struct Digits {
    private let bytes: [UInt8]
    private var position = 0

    public init(_ text: String) { self.bytes = Array(text.utf8) }

    public var isAtEnd: Bool { self.position == self.bytes.count }

    public mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard self.position < self.bytes.count, self.bytes[self.position] == UInt8(ascii: scalar) else { return false }
        self.position += 1
        return true
    }

    /// `nil` unless at least `least` digits stand here; no more than `count` are taken.
    public mutating func number(_ count: Int, atLeast least: Int? = nil) -> Int? {
        let start = self.position
        var number = 0
        while self.position < self.bytes.count, self.position - start < count,
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self.bytes[self.position])
        {
            number = number * 10 + Int(self.bytes[self.position] - UInt8(ascii: "0"))
            self.position += 1
        }
        return self.position - start >= (least ?? count) ? number : nil
    }
}
