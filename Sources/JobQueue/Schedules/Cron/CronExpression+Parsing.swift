extension CronExpression {
    /// Reads five fields, or one of the names that begin with `@`.
    ///
    /// - Throws: `invalid` with the field that is wrong and what would be right.
    public init(_ text: String) throws(QueueError) {
        let typed = text.prefix(200)
        let trimmed = typed.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        let fields = try Self.spelledOut(trimmed).split(separator: " ")
        guard fields.count == 5 else {
            throw QueueError(
                .invalid,
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
            throw QueueError(.invalid, "cron expression '\(trimmed)': \(error)")
        }
        self.text = trimmed
        guard isEitherDay || month.numbers.contains(where: { Self.days(inMonth: $0) >= dayOfMonth.numbers[0] }) else {
            throw QueueError(
                .invalid,
                """
                cron expression '\(trimmed)' is never due: no month that it names (\(fields[3])) has a day \
                \(dayOfMonth.numbers[0])
                """)
        }
    }

    private static func spelledOut(_ text: String) throws(QueueError) -> String {
        guard text.hasPrefix("@") else { return text }
        switch text.lowercased() {
        case "@yearly", "@annually": return "0 0 1 1 *"
        case "@monthly": return "0 0 1 * *"
        case "@weekly": return "0 0 * * 0"
        case "@daily", "@midnight": return "0 0 * * *"
        case "@hourly": return "0 * * * *"
        default:
            throw QueueError(
                .invalid,
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
