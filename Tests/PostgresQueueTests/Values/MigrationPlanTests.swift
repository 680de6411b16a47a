import FoundationEssentials
import SQL
import Testing

@testable import JobQueue
@testable import PostgresQueue

@Suite struct MigrationPlanTests {
    private let known = [
        Migration(version: 1, name: "one", sql: "SELECT 1"), Migration(version: 2, name: "two", sql: "SELECT 2"),
    ]

    private func applied(_ migrations: [Migration]) -> [AppliedMigration] {
        migrations.map {
            AppliedMigration(
                version: $0.version, name: $0.name, sha256: $0.sha256, appliedAt: Date(timeIntervalSince1970: 0))
        }
    }

    @Test func appliesWhatIsMissing() throws {
        #expect(try MigrationPlan(known: known, applied: []).pending.map(\.version) == [1, 2])
        #expect(try MigrationPlan(known: known, applied: applied([known[0]])).pending.map(\.version) == [2])
        #expect(try MigrationPlan(known: known, applied: applied(known)).pending.isEmpty)
    }

    @Test func refusesAChangedMigration() throws {
        let changed = Migration(version: 1, name: "one", sql: "SELECT 1 ")
        let error = #expect(throws: QueueError.self) {
            try MigrationPlan(known: known, applied: applied([changed, known[1]]))
        }
        #expect(error?.code == .schema)
        #expect(error?.message.contains("migration 1 ('one'") == true)
    }

    @Test func refusesADatabaseThatIsNewer() throws {
        let newer = known + [Migration(version: 3, name: "three", sql: "SELECT 3")]
        let error = #expect(throws: QueueError.self) { try MigrationPlan(known: known, applied: applied(newer)) }
        #expect(error?.code == .schema)
        #expect(error?.message.contains("version 3 ('three')") == true)
    }

    /// A newer schema is no reason to refuse as long as it says that this program will do.
    @Test(arguments: [(1, true), (2, true), (3, false)])
    func aNewerDatabaseSaysWhichProgramsItWorksWith(minimum: Int, works: Bool) throws {
        let newer = applied(known + [Migration(version: 3, name: "three", sql: "SELECT 3")])
        guard works else {
            let error = #expect(throws: QueueError.self) {
                try MigrationPlan(known: known, applied: newer, minimum: minimum)
            }
            #expect(error?.code == .schema)
            return
        }
        let plan = try MigrationPlan(known: known, applied: newer, minimum: minimum)
        #expect(plan.isNewer && plan.pending.isEmpty)
    }

    @Test func refusesAGap() throws {
        let error = #expect(throws: QueueError.self) { try MigrationPlan(known: known, applied: applied([known[1]])) }
        #expect(error?.code == .schema)
    }
}
