import Testing
import UVEventLoop

/// An actor on a loop.
private actor Counter {
    let loop: EventLoop
    private(set) var values: [Int] = []

    nonisolated var unownedExecutor: UnownedSerialExecutor { self.loop.asUnownedSerialExecutor() }

    init(on loop: EventLoop) { self.loop = loop }

    func append(_ value: Int) -> Bool {
        self.values.append(value)
        return self.loop.isOnLoopThread
    }

    /// Calls another actor many times; on the same loop no call leaves the thread.
    func callManyTimes(_ other: Counter, _ count: Int) async -> Bool {
        var stayed = true
        for value in 0..<count {
            let wasThere = await other.append(value)
            stayed = stayed && wasThere && self.loop.isOnLoopThread
        }
        return stayed
    }

    func sleepAndStay() async throws -> Bool {
        try await self.loop.sleep(for: .milliseconds(1))
        return self.loop.isOnLoopThread
    }
}

@Suite struct ExecutorTests {
    @Test func actorsRunOnTheLoop() async throws {
        try await withEventLoop { loop in
            #expect(!loop.isOnLoopThread)
            let counter = Counter(on: loop)
            #expect(await counter.append(1))
            let stayed = try await counter.sleepAndStay()
            #expect(stayed)
        }
    }

    @Test func callsBetweenActorsOfOneLoopStayThere() async throws {
        try await withEventLoop { loop in
            let (first, second) = (Counter(on: loop), Counter(on: loop))
            #expect(await first.callManyTimes(second, 10_000))
            #expect(await second.values == Array(0..<10_000))
        }
    }

    @Test func callsBetweenLoopsArriveInOrder() async throws {
        try await withEventLoop { one in
            try await withEventLoop { other in
                let (first, second) = (Counter(on: one), Counter(on: other))
                #expect(await first.callManyTimes(second, 200))
                #expect(await second.values == Array(0..<200))
            }
        }
    }

    @Test func manyTasksLoseNoCall() async throws {
        try await withEventLoop { loop in
            let counter = Counter(on: loop)
            await withTaskGroup(of: Void.self) { group in
                for task in 0..<50 {
                    group.addTask { for call in 0..<100 { _ = await counter.append(task * 100 + call) } }
                }
            }
            #expect(await counter.values.sorted() == Array(0..<5000))
        }
    }
}

@Suite struct ShutDownTests {
    @Test func pendingOperationsFail() async throws {
        let loop = try EventLoop()
        let sleeper = Task { try await loop.sleep(for: .seconds(3600)) }
        try await loop.sleep(for: .milliseconds(5))
        await loop.shutDown()
        let error = await #expect(throws: EventLoopError.self) { try await sleeper.value }
        #expect(error?.code == .shutDown)
    }

    @Test func laterOperationsFailAndLaterActorCallsWork() async throws {
        let loop = try EventLoop()
        let counter = Counter(on: loop)
        _ = await counter.append(0)
        await loop.shutDown()
        let error = await #expect(throws: EventLoopError.self) { try await loop.sleep(for: .zero) }
        #expect(error?.code == .shutDown)
        await #expect(throws: EventLoopError.self) { try await loop.waitUntilReadable(0) }
        await #expect(throws: EventLoopError.self) { try await loop.spawn(ProcessConfiguration("/bin/true")) }
        await #expect(throws: EventLoopError.self) { _ = try await loop.signals([]) }
        await withTaskGroup(of: Void.self) { group in
            for value in 1...100 { group.addTask { _ = await counter.append(value) } }
        }
        #expect(await counter.values.sorted() == Array(0...100))
    }

    /// One thread after the other runs what comes late; each begins when the last has nothing more to do.
    @Test func lateCallsOfManyTasksRunOneAtATime() async throws {
        let loop = try EventLoop()
        let counter = Counter(on: loop)
        await loop.shutDown()
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask { for call in 0..<1000 { _ = await counter.append(task * 1000 + call) } }
            }
        }
        #expect(await counter.values.sorted() == Array(0..<8000))
    }

    @Test func severalTasksMayShutDown() async throws {
        let loop = try EventLoop()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<10 { group.addTask { await loop.shutDown() } }
        }
        await loop.shutDown()
        await #expect(throws: EventLoopError.self) { try await loop.sleep(for: .zero) }
    }

    @Test func worksFromAnActorOnTheLoop() async throws {
        let loop = try EventLoop()
        let actor = Ending(on: loop)
        #expect(await actor.end() == 1)
    }

    @Test func manyLoopsComeAndGo() async throws {
        for _ in 0..<50 {
            try await withEventLoop { loop in try await loop.sleep(for: .zero) }
        }
    }
}

private actor Ending {
    let loop: EventLoop
    var count = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor { self.loop.asUnownedSerialExecutor() }

    init(on loop: EventLoop) { self.loop = loop }

    func end() async -> Int {
        await self.loop.shutDown()
        self.count += 1
        return self.count
    }
}
