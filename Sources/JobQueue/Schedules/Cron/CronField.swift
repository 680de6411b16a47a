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
    init(_ text: Substring, _ kind: Kind) throws(QueueError) {
        allowed = 0
        isWildcard = text.hasPrefix("*")
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            allowed |= try Self.bits(part, kind, whole: text)
        }
        if kind == .dayOfWeek, contains(7) {
            allowed = (allowed & ~(1 << 7)) | 1
        }
    }

    private static func bits(_ part: Substring, _ kind: Kind, whole: Substring) throws(QueueError) -> UInt64 {
        func wrong(_ what: String) -> QueueError {
            QueueError(.invalid, "the \(kind.rawValue) field '\(whole)' \(what)")
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
