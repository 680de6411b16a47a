import Testing
import UVEventLoop

@Suite struct SleepTests {
    @Test func lastsAtLeastAsLongAsAsked() async throws {
        try await withEventLoop { loop in
            for milliseconds in [0, 1, 3, 10] {
                let start = ContinuousClock.now
                try await loop.sleep(for: .milliseconds(milliseconds))
                #expect(ContinuousClock.now - start >= .milliseconds(milliseconds))
            }
        }
    }

    @Test func endsWhenTheTaskIsCancelled() async throws {
        try await withEventLoop { loop in
            let task = Task { try await loop.sleep(for: .seconds(3600)) }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }

    @Test func cancellationDuringTheSleepEndsIt() async throws {
        try await withEventLoop { loop in
            let (began, beginning) = AsyncStream<Void>.makeStream()
            let task = Task {
                beginning.yield()
                try await loop.sleep(for: .seconds(3600))
            }
            for await _ in began.prefix(1) {}
            // The timer exists once the loop has taken one more turn.
            try await loop.sleep(for: .milliseconds(5))
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }

    @Test func sleepersWakeInTheOrderOfTheirTimes() async throws {
        try await withEventLoop { loop in
            let (woken, waking) = AsyncStream<Int>.makeStream()
            await withTaskGroup(of: Void.self) { group in
                for number in [3, 1, 2] {
                    group.addTask {
                        try? await loop.sleep(for: .milliseconds(number * 40))
                        waking.yield(number)
                    }
                }
            }
            waking.finish()
            #expect(await woken.reduce(into: []) { $0.append($1) } == [1, 2, 3])
        }
    }

    @Test func manySleepersAndCancellationsAtOnce() async throws {
        try await withEventLoop { loop in
            let ended = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<500 {
                    group.addTask {
                        let sleeper = Task { try await loop.sleep(for: .milliseconds(number % 7)) }
                        if number % 3 == 0 { sleeper.cancel() }
                        return (try? await sleeper.value) != nil
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            // Those that nobody cancelled have slept to the end.
            #expect(ended >= 333)
        }
    }
}
