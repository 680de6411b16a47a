import Testing

@testable import JobQueue
@testable import MemoryQueue

@Suite struct BackoffTests {
    @Test func doublesUpToTenMinutes() {
        #expect((0...9).map { Backoff.limit(failures: $0) } == [5, 10, 20, 40, 80, 160, 320, 600, 600, 600])
        #expect(Backoff.limit(failures: 99) == 600)
    }

    @Test func aLeaseLeavesTimeForFiveLostRenewals() {
        let lease = WorkerLease(worker: WorkerID(1), incarnation: .random(), ttl: .seconds(60))
        #expect(lease.heartbeatInterval == .seconds(10))
        #expect(lease.safeDuration == .seconds(50))
    }
}
