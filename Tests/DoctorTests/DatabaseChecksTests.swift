import Foundation
import JobQueue
import Testing

@testable import Doctor
@testable import PostgresQueue

/// What the doctor makes of what the database's server says.
@Suite struct DatabaseChecksTests {
    /// Of a server with which nothing is wrong.
    private static let good = DatabaseFacts(
        version: "15.18", isStandby: false, connectionLimit: 100, connections: 10, hasFsync: true,
        hasFullPageWrites: true, hasAutovacuum: true, hasStatistics: true, overridden: [], bloated: [],
        seesAllSessions: true, holders: [])

    /// The checks, after a change of what is known.
    private static func checks(_ change: (inout DatabaseFacts) -> Void) -> [Check] {
        var facts = Self.good
        change(&facts)
        return DatabaseChecks.all(facts)
    }

    private static func holder(
        _ kind: DatabaseFacts.Holder.Kind, _ state: String = "", seconds: Double = 0
    ) -> DatabaseFacts.Holder {
        .init(kind: kind, name: "process 1 (ann, psql)", state: state, seconds: seconds, transactions: 7)
    }

    @Test func aGoodServerIsGood() {
        let checks = Self.checks { _ in }
        #expect(checks.map(\.name) == ["durability", "connections", "vacuum", "old snapshots"])
        #expect(checks.allSatisfy { $0.isGood && $0.remedy == nil })
        #expect(checks[0].finding == "PostgreSQL 15.18, a commit lasts")
    }

    @Test func commitsThatDoNotLastAreFound() throws {
        let one = try #require(Self.checks { $0.hasFsync = false }.first)
        #expect(!one.isGood && one.finding.contains("fsync off") && one.remedy?.hasPrefix("turn fsync on") == true)
        let both = try #require(
            Self.checks {
                $0.hasFsync = false
                $0.hasFullPageWrites = false
            }.first)
        #expect(!both.isGood && both.remedy?.contains("fsync and full_page_writes") == true)
    }

    @Test(arguments: [(80, true), (81, false), (100, false)])
    func aFifthOfTheConnectionsMustBeFree(_ connections: Int, _ isGood: Bool) {
        let check = Self.checks { $0.connections = connections }[1]
        #expect(check.isGood == isGood && (check.remedy == nil) == isGood)
        #expect(check.finding.hasPrefix("\(connections) of 100 in use"))
    }

    @Test func deadRowsThatNobodyClearsAwayAreFound() {
        let check = Self.checks {
            $0.hasAutovacuum = false
            $0.hasStatistics = false
            $0.bloated = ["shard: 9 dead rows"]
        }[2]
        #expect(!check.isGood && check.remedy != nil)
        #expect(
            check.finding
                == "autovacuum is off; track_counts is off, so autovacuum does nothing; shard: 9 dead rows")
    }

    /// Within an open transaction nothing is to be waited for; a dump takes its time.
    @Test(arguments: [
        ("idle in transaction", 301.0, false), ("idle in transaction", 300, true),
        ("idle in transaction (aborted)", 301, false), ("active", 301, true), ("active", 3600, true),
        ("active", 3601, false),
    ])
    func oldTransactionsAreFound(_ state: String, _ seconds: Double, _ isGood: Bool) throws {
        let check = try #require(
            Self.checks { $0.holders = [Self.holder(.session, state, seconds: seconds)] }.last)
        #expect(check.name == "old snapshots" && check.isGood == isGood, "\(check.finding)")
        guard !isGood else { return }
        #expect(check.finding.hasPrefix("process 1 (ann, psql): \(state), open for "))
        #expect(check.remedy?.contains("pg_terminate_backend") == (state != "active"))
    }

    @Test func eachHolderHasARemedyOfItsOwn() {
        let checks = Self.checks {
            $0.holders = [
                Self.holder(.prepared, seconds: 301), Self.holder(.prepared, seconds: 299),
                Self.holder(.slot, "inactive"), Self.holder(.standby),
            ]
        }.dropFirst(3)
        #expect(checks.map(\.name) == ["old snapshots", "replication slot", "standby"])
        #expect(checks.allSatisfy { !$0.isGood })
        let words = ["ROLLBACK PREPARED", "pg_drop_replication_slot", "hot_standby_feedback"]
        for (check, word) in zip(checks, words) { #expect(check.remedy?.contains(word) == true) }
    }

    @Test func whatTheRoleMayNotSeeIsSaid() throws {
        let check = try #require(Self.checks { $0.seesAllSessions = false }.last)
        #expect(check.isGood && check.finding.contains("as far as this role may see (GRANT pg_monitor"))
    }

    @Test func settingsThatSessionsOverrideAreNoFault() throws {
        let check = try #require(Self.checks { $0.overridden = ["lock_timeout=1s", "jit=on"] }.last)
        #expect(check.name == "session settings" && check.isGood)
        #expect(check.finding.hasSuffix("lock_timeout=1s, jit=on"))
    }
}
