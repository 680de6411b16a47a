import Calendar
import Testing

@Suite struct CronParsingTests {
    @Test(arguments: [
        ("", "has 0 fields: it must have five"), ("0 2 * *", "has 4 fields"), ("0 0 2 * * *", "has 6 fields"),
        ("60 * * * *", "the minute field '60' has '60' in it; allowed are numbers from 0 to 59"),
        ("0 24 * * *", "the hour field '24'"), ("0 0 0 * *", "the day of month field '0'"),
        ("0 0 * 13 *", "the month field '13' has '13' in it; allowed are numbers from 1 to 12 or names from jan"),
        ("0 0 * * 8", "the day of week field '8'"), ("0 0 * * monday", "has 'monday' in it"),
        ("0 0 ? * *", "has '?' in it"), ("0 0 L * *", "has 'L' in it"), ("0 0 * * 5#2", "has '5#2' in it"),
        ("-1 * * * *", "has '' in it"), ("1-2-3 * * * *", "has '2-3' in it"), ("1,,2 * * * *", "has '' in it"),
        ("+1 * * * *", "has '+1' in it"), ("٣ * * * *", "has '٣' in it"), ("001 * * * *", "has '001' in it"),
        ("0 0 * * fri-mon", "ends before it begins; write it as two, such as fri-6,0-mon"),
        ("30-10 * * * *", "such as 30-59,0-10"),
        ("5/10 * * * *", "has a step without a range; write 5-59/10"),
        ("*/0 * * * *", "has the step '0'"), ("*/60 * * * *", "it must be a whole number from 1 to 59"),
        ("*/x * * * *", "has the step 'x'"), ("*/ * * * *", "has the step ''"), ("1-5/9 * * * *", "from 1 to 4"),
        ("*/5/5 * * * *", "has the step '5/5'"),
        ("@reboot", "is unknown: the names are @yearly"), ("@daily *", "is unknown"),
        ("0 0 31 2 *", "is never due: no month that it names (2) has a day 31"),
        ("0 0 30,31 feb *", "has a day 30"), ("0 0 31 4,6,9,11 *", "has a day 31"),
    ])
    func whatIsWrongIsNamed(_ text: String, _ message: String) {
        let error = #expect(throws: CalendarError.self) { try CronExpression(text) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test(arguments: [
        ("0 0 * jan,DEC Sun", "0 0 * 1,12 0"), ("0 0 * * 7", "0 0 * * 0"), ("0 0 * * 1-7", "0 0 * * 0-6"),
        ("0 0 * * sat,sun", "0 0 * * 0,6"), ("*/15 * * * *", "*/15 0-23 * * *"), ("0-10/5 0 * * *", "0,5,10 0 * * *"),
        ("@Daily", "0 0 * * *"), ("  0\t2  * * * ", "0 2 * * *"), ("0 0 31 2 mon", "0 0 31 2 1"),
    ])
    func spellingsMeanTheSame(_ one: String, _ other: String) throws {
        let start = try utc("2026-01-01")
        let first = try CronExpression(one).due(after: start, in: .utc, limit: 50)
        #expect(try first == CronExpression(other).due(after: start, in: .utc, limit: 50))
        #expect(first.count == 50)
    }

    @Test func anEndlessTextIsCutShort() {
        let error = #expect(throws: CalendarError.self) { try CronExpression(String(repeating: "* ", count: 100_000)) }
        #expect((error?.description.count ?? .max) < 1000)
    }
}
