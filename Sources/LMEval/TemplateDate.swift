internal import JSON
internal import Jinja
internal import PythonCompat

/// A date as templates have it: with attributes, comparisons, `isoformat`, `strftime` and the like.
struct TemplateDate: ForeignValue {
    let date: PythonDate

    private var time: PythonDate.Time? { self.date.time }

    var typeName: String { self.date.typeName }
    var text: String { self.date.text }
    var repr: String { self.date.repr }

    var identity: String {
        // Times with a zone are equal where they are the same moment.
        guard self.time?.offset != nil else { return self.repr }
        return "\(self.moment)"
    }

    /// Seconds and microseconds since 1970 began.
    private var moment: (Int, Int) {
        (self.date.secondsSince1970 - (self.time?.offset ?? 0), self.time?.microsecond ?? 0)
    }

    var methods: Set<String> {
        let all: Set = ["ctime", "isoformat", "isoweekday", "strftime", "toordinal", "weekday"]
        return self.time == nil ? all : all.union(["date", "timestamp"])
    }

    func attribute(_ name: String) throws(PythonError) -> Value? {
        switch name {
        case "year": return .int(self.date.year)
        case "month": return .int(self.date.month)
        case "day": return .int(self.date.day)
        default: break
        }
        let more: Set = [
            "fromisocalendar", "fromisoformat", "fromordinal", "fromtimestamp", "isocalendar", "max", "min", "replace",
            "resolution", "timetuple", "today",
        ]
        guard let time = self.time else {
            if more.contains(name) { throw Self.unsupported(name) }
            return nil
        }
        switch name {
        case "hour": return .int(time.hour)
        case "minute": return .int(time.minute)
        case "second": return .int(time.second)
        case "microsecond": return .int(time.microsecond)
        case "fold": return .int(0)
        case "tzinfo" where time.offset == nil: return .null
        case "astimezone", "combine", "dst", "now", "strptime", "time", "timetz", "tzinfo", "tzname",
            "utcfromtimestamp",
            "utcnow", "utcoffset", "utctimetuple":
            throw Self.unsupported(name)
        default:
            if more.contains(name) { throw Self.unsupported(name) }
            return nil
        }
    }

    private static func unsupported(_ name: String) -> PythonError {
        PythonError(.unsupported, "'\(name)' of a date can't be used here; strftime writes dates in any form")
    }

    func call(_ method: String, _ arguments: [Value]) throws(PythonError) -> Value {
        switch (method, arguments.count) {
        case ("strftime", 1):
            guard case .string(let format) = arguments[0] else {
                throw PythonError(.type, "strftime() argument 1 must be str")
            }
            return .string(try self.date.strftime(format))
        case ("isoformat", 0): return .string(self.date.isoformat())
        case ("isoformat", 1) where self.time != nil:
            guard case .string(let separator) = arguments[0], separator.unicodeScalars.count == 1 else {
                throw PythonError(.type, "isoformat() argument 1 must be a unicode character")
            }
            return .string(self.date.isoformat(separator))
        case ("ctime", 0):
            return .string(try self.date.strftime("%a %b %e %H:%M:%S ") + PythonDate.padded(self.date.year, 4))
        case ("weekday", 0): return .int(self.date.weekday)
        case ("isoweekday", 0): return .int(self.date.weekday + 1)
        case ("toordinal", 0): return .int(self.date.ordinal)
        case ("date", 0):
            var date = self.date
            date.time = nil
            return .object(Value.Foreign(TemplateDate(date: date)))
        case ("timestamp", 0):
            guard let time = self.time, let offset = time.offset else {
                throw PythonError(
                    .unsupported, "timestamp() of a time without a zone depends on the machine's; it can't be used here"
                )
            }
            return .float(Double(self.date.secondsSince1970 - offset) + Double(time.microsecond) / 1e6)
        default: throw PythonError(.type, "\(method)() takes another number of arguments than \(arguments.count)")
        }
    }

    func format(_ specification: String) throws(PythonError) -> String { try self.date.strftime(specification) }

    func isLess(than other: any ForeignValue) throws(PythonError) -> Bool {
        guard let other = other as? TemplateDate, (self.time == nil) == (other.time == nil) else {
            throw PythonError(.type, "can't compare \(self.typeName) to \(other.typeName)")
        }
        guard (self.time?.offset == nil) == (other.time?.offset == nil) else {
            throw PythonError(.type, "can't compare offset-naive and offset-aware datetimes")
        }
        return self.moment < other.moment
    }
}

extension PythonDate {
    fileprivate func isoformat(_ separator: String = "T") -> String {
        let text = self.text
        return self.time == nil ? text : text.prefix(10) + separator + text.dropFirst(11)
    }

    /// The day's number, of which 1 is the first of January of the year 1.
    fileprivate var ordinal: Int {
        let seconds = self.secondsSince1970
        return (seconds - (seconds % 86_400 + 86_400) % 86_400) / 86_400 + 719_163
    }

    /// From Monday, 0.
    fileprivate var weekday: Int { (self.ordinal + 6) % 7 }

    /// From 0.
    private var dayOfYear: Int { self.ordinal - Self.ordinal(ofYear: self.year) }

    private static func ordinal(ofYear year: Int) -> Int {
        let before = year - 1
        return before * 365 + before / 4 - before / 100 + before / 400 + 1
    }

    /// The year and week of ISO 8601.
    private var week: (year: Int, number: Int) {
        let thursday = self.ordinal - self.weekday + 3
        var year = self.year
        if thursday < Self.ordinal(ofYear: year) { year -= 1 }
        if thursday >= Self.ordinal(ofYear: year + 1) { year += 1 }
        return (year, (thursday - Self.ordinal(ofYear: year)) / 7 + 1)
    }

    /// Python's `strftime` in the C locale; `%-d` is a number without what fills it, as the C library of Linux has it.
    ///
    /// - Throws: `unsupported` for a directive that is not one of Python's.
    func strftime(_ format: String) throws(PythonError) -> String {
        var result = String.UnicodeScalarView()
        var rest = format.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "%", !rest.isEmpty else {
                result.append(scalar)
                continue
            }
            var flag: Unicode.Scalar?
            if let first = rest.first, "-_0^".unicodeScalars.contains(first) {
                flag = first
                rest.removeFirst()
            }
            // Those of Python's own take no flag.
            guard let directive = rest.popFirst(), flag == nil || !"fzZ".unicodeScalars.contains(directive),
                let field = self.field(directive)
            else {
                throw PythonError(.unsupported, "strftime can't have '\(format)' here: a directive is not known")
            }
            result.append(contentsOf: field.written(flag).unicodeScalars)
        }
        return String(result)
    }

    /// What a directive writes.
    private enum Field {
        case text(String)
        /// Letters that no flag makes capitals.
        case small(String)
        case number(Int, width: Int, fill: Character = "0")

        func written(_ flag: Unicode.Scalar?) -> String {
            switch self {
            case .text(let text): return flag == "^" ? text.uppercased() : text
            case .small(let text): return text
            case .number(let number, let width, let fill):
                let digits = String(number)
                let fill: Character? = flag == "-" ? nil : flag == "_" ? " " : flag == "0" ? "0" : fill
                guard let fill else { return digits }
                return String(repeating: fill, count: max(0, width - digits.utf8.count)) + digits
            }
        }
    }

    private func field(_ directive: Unicode.Scalar) -> Field? {
        let time = self.time ?? Time(hour: 0, minute: 0, second: 0)
        let hour = (time.hour + 11) % 12 + 1
        func joined(_ fields: String) -> Field? { (try? self.strftime(fields)).map(Field.text) }
        let (day, month) = (Self.days[self.weekday], Self.months[self.month - 1])
        switch directive {
        case "%": return .text("%")
        case "n": return .text("\n")
        case "t": return .text("\t")
        case "a": return .text(String(day.prefix(3)))
        case "A": return .text(day)
        case "b", "h": return .text(String(month.prefix(3)))
        case "B": return .text(month)
        case "d": return .number(self.day, width: 2)
        case "e": return .number(self.day, width: 2, fill: " ")
        case "m": return .number(self.month, width: 2)
        case "y": return .number(self.year % 100, width: 2)
        case "C": return .number(self.year / 100, width: 1)
        case "Y": return .number(self.year, width: 1)
        case "j": return .number(self.dayOfYear + 1, width: 3)
        case "H": return .number(time.hour, width: 2)
        case "k": return .number(time.hour, width: 2, fill: " ")
        case "I": return .number(hour, width: 2)
        case "l": return .number(hour, width: 2, fill: " ")
        case "M": return .number(time.minute, width: 2)
        case "S": return .number(time.second, width: 2)
        case "f": return .text(Self.padded(time.microsecond, 6))
        case "p": return .text(time.hour < 12 ? "AM" : "PM")
        case "P": return .small(time.hour < 12 ? "am" : "pm")
        case "u": return .number(self.weekday + 1, width: 1)
        case "w": return .number((self.weekday + 1) % 7, width: 1)
        case "U": return .number((self.dayOfYear + 7 - (self.weekday + 1) % 7) / 7, width: 2)
        case "W": return .number((self.dayOfYear + 7 - self.weekday) / 7, width: 2)
        case "V": return .number(self.week.number, width: 2)
        case "G": return .number(self.week.year, width: 1)
        case "g": return .number(self.week.year % 100, width: 2)
        case "z": return .text(time.offset == nil ? "" : String(self.zone.filter { $0 != ":" }))
        case "Z": return .text(time.offset == nil ? "" : time.offset == 0 ? "UTC" : "UTC" + self.zone)
        case "c": return joined("%a %b %e %H:%M:%S %Y")
        case "x", "D": return joined("%m/%d/%y")
        case "X", "T": return joined("%H:%M:%S")
        case "R": return joined("%H:%M")
        case "r": return joined("%I:%M:%S %p")
        case "F": return joined("%Y-%m-%d")
        default: return nil
        }
    }

    /// "+01:00".
    private var zone: Substring { self.text.dropFirst((self.time?.microsecond ?? 0) > 0 ? 26 : 19) }

    private static let days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
}
