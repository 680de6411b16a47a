import Calendar
import Crypto
import Foundation
import Testing

/// Due times that another program found by looking at every minute; see Fixtures/make_cron_times.py.
@Suite struct CronReferenceTests {
    @Test func dueTimesAreThoseOfTheReference() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Fixtures/cron_times.tsv")
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 240)
        for line in lines {
            let columns = line.split(separator: "\t")
            let (after, until) = (try #require(Double(columns[2])), try #require(Double(columns[3])))
            let zone = try ZoneRules(named: String(columns[0]))
            let cron = try CronExpression(String(columns[1]))
            var due: [String] = []
            var time = Date(timeIntervalSince1970: after)
            while let next = cron.next(after: time, in: zone), next.timeIntervalSince1970 < until {
                due.append("\(Int(next.timeIntervalSince1970))")
                time = next
            }
            let digest = SHA256.hash(data: Data(due.joined(separator: " ").utf8))
            #expect("\(due.count)" == columns[4], "\(line)")
            #expect(digest.map { String(Int($0) + 256, radix: 16).dropFirst() }.joined() == columns[5], "\(line)")
        }
    }
}
