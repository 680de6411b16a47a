import Testing
import UVEventLoop

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

// Signals belong to the process, so these run one after the other.
@Suite(.serialized) struct SignalTests {
    @Test func streamsSignals() async throws {
        try await withEventLoop { loop in
            let signals = try await loop.signals([SIGUSR1, SIGUSR2])
            kill(getpid(), SIGUSR1)
            var iterator = signals.makeAsyncIterator()
            #expect(await iterator.next() == SIGUSR1)
            kill(getpid(), SIGUSR2)
            #expect(await iterator.next() == SIGUSR2)
        }
    }

    @Test func severalStreamsSeeEverySignal() async throws {
        try await withEventLoop { one in
            try await withEventLoop { other in
                let streams = [
                    try await one.signals([SIGUSR1]), try await one.signals([SIGUSR1]),
                    try await other.signals([SIGUSR1]),
                ]
                kill(getpid(), SIGUSR1)
                for stream in streams {
                    var iterator = stream.makeAsyncIterator()
                    #expect(await iterator.next() == SIGUSR1)
                }
            }
        }
    }

    @Test func endsWithTheLoop() async throws {
        let loop = try EventLoop()
        let signals = try await loop.signals([SIGUSR1])
        await loop.shutDown()
        #expect(await signals.reduce(into: 0) { count, _ in count += 1 } == 0)
    }

    @Test func impossibleSignalsAreErrors() async throws {
        try await withEventLoop { loop in
            let error = await #expect(throws: EventLoopError.self) { _ = try await loop.signals([SIGUSR1, SIGKILL]) }
            #expect(error?.systemError == EINVAL)
            #expect(error?.description.contains("signal 9") == true)
        }
    }
}
