import JobQueue
import Testing

@Suite struct CancelTests {
    @Test(arguments: Implementation.allCases)
    func cancelsWhatWaitsAndTellsTheRest(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(shards: 4)]))
            let lease = try await test.queue.register(worker())
            let claimed = try await test.queue.claim(lease, limit: 3)
            _ = try await test.queue.fail(claimed[2], failure())
            let run = try await test.queue.cancel(claimed[0].run)
            #expect(run.cancelledAt != nil)
            #expect((run.progress.shards.cancelled, run.progress.shards.running) == (2, 2))
            let reply = try await test.queue.heartbeat(lease, holding: claimed.prefix(2).map { $0.progress() })
            #expect(reply.cancelled == claimed.prefix(2).map(\.key))
            // What is done already counts; what is given back is not claimed again.
            #expect(try await test.queue.commit(claimed[0], publication(of: claimed[0])) == .committed)
            #expect(try await test.queue.release([claimed[1]]) == [claimed[1].key])
            try await test.advance(20)
            #expect(try await test.queue.claim(lease, limit: 9).isEmpty)
            let after = try await test.queue.run(matching: "k3f9x2a0")
            #expect(after.state == .cancelled)
            #expect((after.progress.shards.cancelled, after.progress.shards.done) == (3, 1))
            #expect(try await test.queue.cancel(after.id).cancelledAt == run.cancelledAt)
        }
    }

    @Test(arguments: Implementation.allCases)
    func failuresAndLossesOfACancelledRunEndIt(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(shards: 2)]))
            let lease = try await test.queue.register(worker(), ttl: .seconds(60))
            let claimed = try await test.queue.claim(lease, limit: 2)
            _ = try await test.queue.cancel(claimed[0].run)
            #expect(try await test.queue.fail(claimed[0], failure()) == .cancelled)
            try await test.advance(61)
            #expect(try await test.queue.reap() == ReapReport(workers: 1))
            #expect(try await test.queue.onlyJob().state == .cancelled)
        }
    }

    @Test(arguments: Implementation.allCases)
    func anUnknownRunCannotBeCancelled(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let error = await #expect(throws: QueueError.self) { try await test.queue.cancel(RunID("00000000")) }
            #expect(error?.code == .notFound)
        }
    }
}
