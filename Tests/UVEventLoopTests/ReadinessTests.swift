import Testing
import UVEventLoop

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Two connected sockets.
private struct SocketPair: ~Copyable {
    let left: CInt
    let right: CInt

    init() throws {
        var ends: [CInt] = [-1, -1]
        try #require(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &ends) == 0)
        (self.left, self.right) = (ends[0], ends[1])
    }

    deinit {
        close(self.left)
        close(self.right)
    }
}

private func send(_ byte: UInt8, to descriptor: CInt) {
    _ = [byte].withUnsafeBytes { write(descriptor, $0.baseAddress, 1) }
}

/// What runs on a loop, between two looks at its descriptors.
private actor LoopActor {
    let loop: EventLoop

    nonisolated var unownedExecutor: UnownedSerialExecutor { self.loop.asUnownedSerialExecutor() }

    init(_ loop: EventLoop) { self.loop = loop }

    /// Closes a descriptor that somebody has just begun to wait for, and gives its number to `other`.
    func replace(_ descriptor: CInt, by other: CInt) -> Task<Void, any Error> {
        // It waits when this comes back, and libuv has not been asked yet.
        let wait = Task.immediate { try await self.loop.waitUntilReadable(descriptor) }
        if other >= 0 { dup2(other, descriptor) } else { close(descriptor) }
        return wait
    }
}

@Suite struct ReadinessTests {
    /// As libpq does when it finds its server gone: libuv aborted the process.
    @Test(.timeLimit(.minutes(10))) func aDescriptorThatIsClosedUnderAWaitHarmsNobody() async throws {
        try await withEventLoop { loop in
            for _ in 0..<20 {
                var ends: [CInt] = [-1, -1]
                try #require(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &ends) == 0)
                let wait = await LoopActor(loop).replace(ends[0], by: -1)
                // The wait ends with the connection, as if it had not been closed on this side.
                close(ends[1])
                try await wait.value
            }
        }
    }

    /// The next connection gets the number of the last one.
    @Test(.timeLimit(.minutes(10))) func aDescriptorWithTheNumberOfAClosedOneIsWaitedFor() async throws {
        try await withEventLoop { loop in
            let next = try SocketPair()
            var ends: [CInt] = [-1, -1]
            try #require(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &ends) == 0)
            let old = await LoopActor(loop).replace(ends[0], by: next.left)
            close(ends[1])
            try await old.value
            let wait = Task { [descriptor = ends[0]] in try await loop.waitUntilReadable(descriptor) }
            send(1, to: next.right)
            try await wait.value
            close(ends[0])
        }
    }

    @Test func dataMakesReadable() async throws {
        try await withEventLoop { loop in
            let sockets = try SocketPair()
            let (left, right) = (sockets.left, sockets.right)
            let waiter = Task { try await loop.waitUntilReady(left, for: .readable) }
            try await loop.sleep(for: .milliseconds(2))
            send(1, to: right)
            #expect(try await waiter.value == .readable)
            #expect(try await loop.waitUntilReady(right, for: .either) == .writable)
            withExtendedLifetime(sockets) {}
        }
    }

    @Test func theOthersEndMakesReadable() async throws {
        try await withEventLoop { loop in
            let sockets = try SocketPair()
            shutdown(sockets.right, CInt(SHUT_WR))
            try await loop.waitUntilReadable(sockets.left)
            var byte: UInt8 = 0
            #expect(read(sockets.left, &byte, 1) == 0)
        }
    }

    @Test func timesOut() async throws {
        try await withEventLoop { loop in
            let sockets = try SocketPair()
            let start = ContinuousClock.now
            let error = await #expect(throws: EventLoopError.self) {
                try await loop.waitUntilReadable(sockets.left, timeout: .milliseconds(20))
            }
            #expect(error?.code == .timedOut)
            #expect(ContinuousClock.now - start >= .milliseconds(20))
            // The wait left nothing behind.
            send(1, to: sockets.right)
            try await loop.waitUntilReadable(sockets.left, timeout: .seconds(60))
        }
    }

    @Test func cancellationEndsOneWaiterOnly() async throws {
        try await withEventLoop { loop in
            let sockets = try SocketPair()
            let (left, right) = (sockets.left, sockets.right)
            let waiters = (0..<3).map { _ in Task { try await loop.waitUntilReadable(left) } }
            try await loop.sleep(for: .milliseconds(2))
            waiters[1].cancel()
            await #expect(throws: CancellationError.self) { try await waiters[1].value }
            send(1, to: right)
            try await waiters[0].value
            try await waiters[2].value
            withExtendedLifetime(sockets) {}
        }
    }

    @Test func readersAndWritersOfOneDescriptor() async throws {
        try await withEventLoop { loop in
            let sockets = try SocketPair()
            let (left, right) = (sockets.left, sockets.right)
            let reader = Task { try await loop.waitUntilReadable(left) }
            try await loop.waitUntilWritable(left)
            send(1, to: right)
            try await reader.value
            withExtendedLifetime(sockets) {}
        }
    }

    @Test func badDescriptorsAreErrors() async throws {
        try await withEventLoop { loop in
            let bad = await #expect(throws: EventLoopError.self) { try await loop.waitUntilReadable(-1) }
            #expect(bad?.code == .system)
            let file = open("/etc/passwd", O_RDONLY | O_CLOEXEC)
            defer { close(file) }
            let regular = await #expect(throws: EventLoopError.self) { try await loop.waitUntilReadable(file) }
            #expect(regular?.systemError == EPERM)
        }
    }

    @Test func aThousandBytesGoBackAndForth() async throws {
        try await withEventLoop { loop in
            let sockets = try SocketPair()
            let (left, right) = (sockets.left, sockets.right)
            let echo = Task {
                for _ in 0..<1000 {
                    try await loop.waitUntilReadable(right)
                    var byte: UInt8 = 0
                    guard read(right, &byte, 1) == 1 else { continue }
                    send(byte &+ 1, to: right)
                }
            }
            var byte: UInt8 = 0
            for _ in 0..<1000 {
                send(byte, to: left)
                try await loop.waitUntilReadable(left)
                _ = read(left, &byte, 1)
            }
            try await echo.value
            #expect(byte == UInt8(truncatingIfNeeded: 1000))
            withExtendedLifetime(sockets) {}
        }
    }

    @Test func raceOfCancellationAndReadinessIsClean() async throws {
        try await withEventLoop { loop in
            for round in 0..<300 {
                let sockets = try SocketPair()
                let (left, right) = (sockets.left, sockets.right)
                let waiter = Task { try await loop.waitUntilReadable(left, timeout: .seconds(round % 2 == 0 ? 60 : 0)) }
                send(1, to: right)
                if round % 3 == 0 { waiter.cancel() }
                _ = await waiter.result
                withExtendedLifetime(sockets) {}
            }
            // The loop is in order after all that.
            try await loop.sleep(for: .zero)
        }
    }
}
