import JobQueue
import Testing

@Suite struct FairShareTests {
    /// Device time counts once a reaper has charged it, and fades.
    @Test func usedTimeComesBeforeSubmissionOrder() async throws {
        try await withQueue(.memory) { test in
            try await test.queue.submit(submission("00000001", project: "spender", [job(shards: 3)]))
            try await test.queue.submit(submission("00000002", project: "saver", [job(shards: 3, model: hexadecimalB)]))
            let lease = try await test.queue.register(worker(), ttl: .seconds(86_400))
            let spent = try #require(try await test.queue.claim(lease, limit: 1).first)
            #expect(spent.run.text == "00000001")
            #expect(try await test.queue.commit(spent, publication(of: spent, seconds: 5000)) == .committed)
            // Warm for the spender's model, but that is worth ten minutes only.
            try await test.queue.reap()
            let next = try #require(try await test.queue.claim(lease, limit: 1).first)
            #expect(next.run.text == "00000002")
        }
    }
}
