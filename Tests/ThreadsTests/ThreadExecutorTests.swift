import Dispatch
import Synchronization
import Testing

@testable import Threads

@Suite struct ThreadExecutorTests {
    private actor Counter {
        private let executor: ThreadExecutor
        private(set) var count = 0

        nonisolated var unownedExecutor: UnownedSerialExecutor { self.executor.asUnownedSerialExecutor() }

        init(_ executor: ThreadExecutor) { self.executor = executor }

        func increment() { self.count += 1 }
    }

    @Test func runsTheJobsOfItsActorsOneByOne() async throws {
        let executor = try ThreadExecutor()
        let counters = [Counter(executor), Counter(executor)]
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<1000 { group.addTask { await counters[index % 2].increment() } }
        }
        #expect(await counters[0].count == 500)
        #expect(await counters[1].count == 500)
    }

    @Test func actorsAndTheirThreadsMayComeAndGo() async throws {
        for _ in 0..<50 {
            let counter = Counter(try ThreadExecutor())
            await counter.increment()
            #expect(await counter.count == 1)
        }
    }

    @Test func manyBodiesBlockAtOnceAndErrorsComeBack() async throws {
        struct Refusal: Error, Equatable { var number: Int }
        // Each waits for all others, so that fewer threads than bodies would never get done.
        let barrier = Barrier(100)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<100 {
                group.addTask {
                    await onOwnThread {
                        barrier.wait()
                        return number
                    }
                }
            }
            var sum = 0
            for try await number in group { sum += number }
            #expect(sum == 4950)
        }
        await #expect(throws: Refusal(number: 7)) {
            try await onOwnThread { () throws(Refusal) in throw Refusal(number: 7) }
        }
    }
}

/// Lets nobody pass before all have come.
private final class Barrier: Sendable {
    private let waiting: Mutex<Int>
    private let gate = DispatchSemaphore(value: 0)

    init(_ count: Int) { self.waiting = Mutex(count) }

    func wait() {
        let left = self.waiting.withLock { count in
            count -= 1
            return count
        }
        if left > 0 { self.gate.wait() }
        self.gate.signal()
    }
}
