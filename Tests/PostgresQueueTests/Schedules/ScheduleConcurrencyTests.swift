import FoundationEssentials
import Postgres
import PostgresTesting
import SQL
import Testing

@testable import JobQueue
@testable import PostgresQueue

/// Many processes and one PostgreSQL: each due time is fired once, no matter which of them dies.
@Suite struct ScheduleConcurrencyTests {
    private static let firers = 12
    private static let rounds = 15

    /// Every round one more minute is due for every schedule, and all look at once.
    @Test(.timeLimit(.minutes(10)))
    func manyFirersFireEachDueTimeOnce() async throws {
        try await withSetClock(at: "2026-03-01 00:00", poolSize: Self.firers) { pool, setTime in
            let queue = PostgresJobQueue(pool)
            let names = (0..<5).map { "schedule\($0)" }
            for (number, name) in names.enumerated() {
                try await queue.addSchedule(
                    schedule(name, "* * * * *", overlap: .allowAll, jitter: number == 0 ? 0 : 30))
            }
            let start = try utc("2026-03-01 00:00")
            var seen: [ScheduleFire] = []
            for round in 1...Self.rounds {
                try await setTime(start + Double(60 * round + 30))
                try await withThrowingTaskGroup(of: [ScheduleFire].self) { group in
                    for _ in 0..<Self.firers {
                        group.addTask { try await queue.fireDue() }
                    }
                    for try await fires in group { seen += fires }
                }
            }
            let due = (1...Self.rounds).map { start + Double(60 * $0) }
            for name in names {
                let fires = try await queue.fires(ofSchedule: name)
                #expect(fires.map(\.dueAt) == due.reversed())
                #expect(fires.allSatisfy { $0.outcome == .fired && $0.attempt == 1 })
            }
            let runs = try await queue.runs(limit: 1000, project: nil)
            #expect(runs.count == names.count * Self.rounds)
            // What each firer was told is what happened, once.
            #expect(seen.count == runs.count)
            #expect(Set(seen.compactMap(\.run)) == Set(runs.map(\.id)))
        }
    }

    /// A firer that has submitted the run and recorded the fire loses its connection before it commits.
    @Test(.timeLimit(.minutes(10)))
    func aFirerThatDiesInTheMiddleLeavesNothing() async throws {
        try await withSetClock(at: "2026-03-01 00:00", poolSize: 8) { pool, setTime in
            let queue = PostgresJobQueue(pool)
            try await queue.addSchedule(schedule())
            try await setTime(utc("2026-03-01 02:00"))
            let doomed = try await PostgresConnection.connect(pool.configuration, on: pool.loop)
            await #expect(throws: (any Error).self) {
                try await doomed.withTransaction { connection in
                    let transaction = ScheduleTransaction(connection: connection)
                    let row = try #require(try await transaction.lockIfDue(1))
                    var machine = try row.machine()
                    let step = machine.step(now: row.now, open: [])
                    let fires = try await transaction.perform(step, row, refusal: nil, asPlanned)
                    #expect(fires.map(\.outcome) == [.fired])
                    try await transaction.advance(row, machine)
                    // The others do not wait for it.
                    #expect(try await queue.fireDue().isEmpty)
                    await connection.close()
                    throw CancellationError()
                }
            }
            // The server notices the end of the connection in its own time.
            var fires: [ScheduleFire] = []
            while fires.isEmpty {
                fires = try await Self.fireAtOnce(queue)
            }
            #expect(fires.map(\.outcome) == [.fired])
            #expect(try await queue.fires(ofSchedule: "nightly") == fires)
            #expect(try await queue.runs(limit: 9, project: nil).map(\.id) == fires.compactMap(\.run))
        }
    }

    /// Connections that are killed while all fire.
    @Test(.timeLimit(.minutes(10)))
    func killedConnectionsNeitherLoseNorDoubleADueTime() async throws {
        try await withSetClock(at: "2026-03-01 00:00", poolSize: 6) { pool, setTime in
            let queue = PostgresJobQueue(pool)
            var configuration = pool.configuration
            configuration.applicationName = "killer"
            let killer = PostgresPool(configuration, on: pool.loop, size: 1)
            try await queue.addSchedule(
                schedule("minutely", "* * * * *", overlap: .allowAll, jobs: (0..<5).map { job($0) }))
            let start = try utc("2026-03-01 00:00")
            for round in 1...Self.rounds {
                try await setTime(start + Double(60 * round))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<5 {
                        // A lost connection is an error of that call; the next one looks again.
                        group.addTask { _ = try? await queue.fireDueSchedules(asPlanned) }
                    }
                    group.addTask { try await Self.kill(killer, pool.configuration.applicationName) }
                    try await group.waitForAll()
                }
                // A later process finds what was left.
                while try await queue.schedule(named: "minutely").nextAt ?? start <= start + Double(60 * round) {
                    _ = try? await queue.fireDueSchedules(asPlanned)
                }
            }
            await killer.shutDown()
            let fires = try await queue.fires(ofSchedule: "minutely")
            #expect(fires.map(\.dueAt) == (1...Self.rounds).map { start + Double(60 * $0) }.reversed())
            #expect(fires.allSatisfy { $0.outcome == .fired })
            #expect(try await queue.runs(limit: 1000, project: nil).count == Self.rounds)
        }
    }

    private static func fireAtOnce(_ queue: PostgresJobQueue) async throws -> [ScheduleFire] {
        try await withThrowingTaskGroup(of: [ScheduleFire].self) { group in
            for _ in 0..<4 {
                group.addTask { try await queue.fireDue() }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    private static func kill(_ killer: PostgresPool, _ name: String) async throws {
        let statement = PostgresStatement(
            name: "kill",
            sql: "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 "
                + "AND state <> 'idle' ORDER BY random() LIMIT 2")
        for _ in 0..<10 {
            _ = try await killer.query(statement, [name])
        }
    }
}
