import Testing

@testable import Inference

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
}
