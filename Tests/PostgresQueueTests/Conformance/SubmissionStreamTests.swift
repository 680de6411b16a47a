import JobQueue
import MemoryQueue
import PostgresQueue
import PostgresTesting
import Testing

/// Polling is an hour away here, so what wakes is the announcement.
@Suite struct SubmissionStreamTests {
    @Test func wakesFromMemory() async throws {
        let queue = InMemoryJobQueue(pollInterval: .seconds(3600))
        var wakes = await queue.submissions().makeAsyncIterator()
        try await queue.submit(submission())
        #expect(await wakes.next() != nil)
    }

    @Test(.timeLimit(.minutes(10))) func wakesFromTheDatabase() async throws {
        try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            let queue = PostgresJobQueue(database.pool, pollInterval: 3600...3600)
            var wakes = await queue.submissions().makeAsyncIterator()
            // The first one says that it listens now.
            #expect(await wakes.next() != nil)
            let announced = try await PostgresJobQueue(database.pool).submit(submission())
            #expect(await wakes.next() != nil)
            #expect(try await queue.runs(limit: 1, project: nil) == [announced])
        }
    }

    @Test func pollsWithoutAReason() async throws {
        let queue = InMemoryJobQueue(pollInterval: .milliseconds(1))
        var wakes = await queue.submissions().makeAsyncIterator()
        for _ in 0..<3 {
            #expect(await wakes.next() != nil)
        }
    }
}
