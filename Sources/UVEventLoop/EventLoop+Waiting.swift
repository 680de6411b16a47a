internal import CUV

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

extension EventLoop {
    /// Suspends for at least `duration`, from any context.
    ///
    /// Throws `CancellationError` at once when the task is cancelled, ``EventLoopError`` when the loop ends.
    public func sleep(for duration: Duration) async throws {
        try Task.checkCancellation()
        let pending = PendingResult<Void>()
        self.perform { self.startSleep(duration, pending) }
        try await pending.value {
            self.perform { self.confined.sleeps.removeValue(forKey: ObjectIdentifier(pending))?.cancel() }
        }
    }

    private func startSleep(_ duration: Duration, _ pending: PendingResult<Void>) {
        guard !pending.isFinished else { return }
        guard self.confined.isOpen else {
            pending.finish(.failure(EventLoopError(.shutDown, "sleep")))
            return
        }
        let timer = LoopTimer(on: self) { hasExpired in
            self.confined.sleeps[ObjectIdentifier(pending)] = nil
            pending.finish(hasExpired ? .success(()) : .failure(EventLoopError(.shutDown, "sleep")))
        }
        self.confined.sleeps[ObjectIdentifier(pending)] = timer
        timer.start(duration)
    }
}

/// A one-shot timer; used only on the loop.
final class LoopTimer: LoopOperation {
    private let loop: EventLoop
    private let onEnd: (_ hasExpired: Bool) -> Void
    private var handle: UnsafeMutablePointer<uv_timer_t>?

    /// `onEnd` is called once, unless the timer is cancelled: false when the loop ends first.
    init(on loop: EventLoop, onEnd: @escaping (_ hasExpired: Bool) -> Void) {
        self.loop = loop
        self.onEnd = onEnd
    }

    func start(_ duration: Duration) {
        let handle = self.loop.allocateHandle(uv_timer_t.self, owner: self)
        uv_timer_init(self.loop.handles.loop, handle)
        self.handle = handle
        self.loop.register(self)
        // The loop's clock stands still while callbacks and jobs run.
        uv_update_time(self.loop.handles.loop)
        uv_timer_start(
            handle, { handle in owner(LoopTimer.self, of: handle?.pointee.data)?.end(hasExpired: true) },
            duration.timerMilliseconds, 0)
    }

    func cancel() {
        guard let handle = self.handle.take() else { return }
        self.loop.closeHandle(handle)
        self.loop.unregister(self)
    }

    func loopWillEnd() { self.end(hasExpired: false) }

    private func end(hasExpired: Bool) {
        guard self.handle != nil else { return }
        self.cancel()
        self.onEnd(hasExpired)
    }
}

extension Duration {
    /// Whole milliseconds, rounded up and with one more for the loop's truncated clock: a sleep never ends early.
    fileprivate var timerMilliseconds: UInt64 {
        guard self > .zero else { return 0 }
        let (seconds, attoseconds) = self.components
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1000)
        guard !overflow, product < UInt64.max / 2 else { return UInt64.max / 2 }
        return product + UInt64((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000) + 1
    }
}

extension EventLoop {
    /// The process's signals from now on, such as `[SIGTERM, SIGINT]`; their default action is off meanwhile.
    ///
    /// The handlers are installed when this returns and removed when the stream is dropped or its task cancelled. The
    /// stream ends with the loop. Of equal signals in quick succession some may be merged, as the kernel does.
    public func signals(_ numbers: [CInt]) async throws(EventLoopError) -> AsyncStream<CInt> {
        let (stream, continuation) = AsyncStream<CInt>.makeStream(bufferingPolicy: .bufferingNewest(256))
        do throws(EventLoopError) {
            try await self.call { loop throws(EventLoopError) in
                guard loop.confined.isOpen else { throw EventLoopError(.shutDown, "watch signals") }
                try SignalWatcher(on: loop, continuation).start(numbers)
            }
        } catch {
            continuation.finish()
            throw error
        }
        return stream
    }
}

/// The signal handles behind one stream; used only on the loop.
private final class SignalWatcher: LoopOperation {
    private let loop: EventLoop
    private let continuation: AsyncStream<CInt>.Continuation
    private var handles: [UnsafeMutablePointer<uv_signal_t>] = []

    init(on loop: EventLoop, _ continuation: AsyncStream<CInt>.Continuation) {
        self.loop = loop
        self.continuation = continuation
    }

    func start(_ numbers: [CInt]) throws(EventLoopError) {
        self.loop.register(self)
        for number in Set(numbers).sorted() {
            let handle = self.loop.allocateHandle(uv_signal_t.self, owner: self)
            uv_signal_init(self.loop.handles.loop, handle)
            self.handles.append(handle)
            let status = uv_signal_start(
                handle, { handle, number in owner(SignalWatcher.self, of: handle?.pointee.data)?.receive(number) },
                number)
            if status < 0 { self.close() }
            try check(status, "watch signal \(number)")
        }
        let loop = self.loop
        let key = ObjectIdentifier(self)
        self.continuation.onTermination = { _ in
            loop.perform { (loop.confined.operations[key] as? SignalWatcher)?.close() }
        }
    }

    func loopWillEnd() {
        self.close()
        self.continuation.finish()
    }

    private func receive(_ number: CInt) { self.continuation.yield(number) }

    private func close() {
        for handle in self.handles { self.loop.closeHandle(handle) }
        self.handles = []
        self.loop.unregister(self)
    }
}

extension EventLoop {
    /// Waits until the descriptor can be read (data, end of file or an error).
    public func waitUntilReadable(_ descriptor: CInt, timeout: Duration? = nil) async throws {
        _ = try await self.waitUntilReady(descriptor, for: .readable, timeout: timeout)
    }

    /// Waits until the descriptor can be written, or its connection attempt has ended.
    public func waitUntilWritable(_ descriptor: CInt, timeout: Duration? = nil) async throws {
        _ = try await self.waitUntilReady(descriptor, for: .writable, timeout: timeout)
    }

    /// Waits once for any of `events`, from any context; several waiters for one descriptor are fine.
    ///
    /// The descriptor becomes non-blocking, and must stay open until the wait ends. Regular files can't be waited for.
    /// Throws `CancellationError`, or ``EventLoopError``: `.timedOut`, `.shutDown` or `.system`.
    public func waitUntilReady(
        _ descriptor: CInt, for events: Readiness, timeout: Duration? = nil
    ) async throws -> Readiness {
        try Task.checkCancellation()
        let pending = PendingResult<Readiness>()
        self.perform { self.startWait(descriptor, events, timeout, pending) }
        return try await pending.value {
            self.perform { self.confined.pollers[descriptor]?.remove(pending) }
        }
    }

    private func startWait(
        _ descriptor: CInt, _ events: Readiness, _ timeout: Duration?, _ pending: PendingResult<Readiness>
    ) {
        guard !pending.isFinished else { return }
        do throws(EventLoopError) {
            guard self.confined.isOpen else { throw EventLoopError(.shutDown, "wait for descriptor \(descriptor)") }
            let poller: DescriptorPoller
            if let known = self.confined.pollers[descriptor] {
                poller = known
            } else {
                poller = try DescriptorPoller(descriptor, on: self)
                self.confined.pollers[descriptor] = poller
                self.register(poller)
            }
            poller.add(pending, events, timeout)
        } catch {
            pending.finish(.failure(error))
        }
    }
}

/// What a descriptor is ready for, or waited for.
public struct Readiness: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Data, end of file or an error can be read.
    public static let readable = Readiness(rawValue: 1)
    /// Data can be written, or a connection attempt has ended.
    public static let writable = Readiness(rawValue: 2)
    public static let either: Readiness = [.readable, .writable]

    init(events: CInt) {
        self = []
        if events & CInt(UV_READABLE.rawValue) != 0 { self.insert(.readable) }
        if events & CInt(UV_WRITABLE.rawValue) != 0 { self.insert(.writable) }
        // A hung-up peer is seen by reading.
        if events & CInt(UV_DISCONNECT.rawValue) != 0 { self.insert(.readable) }
    }

    var events: CInt {
        (self.contains(.readable) ? CInt(UV_READABLE.rawValue) : 0)
            | (self.contains(.writable) ? CInt(UV_WRITABLE.rawValue) : 0)
    }
}

/// The one libuv poll handle of a descriptor, shared by all who wait for it; used only on the loop.
///
/// It watches a duplicate of its own: libpq closes its socket in the middle of a read when the server is gone, and libuv
/// aborts the process when it is to watch a descriptor that has been closed, or watches whatever has its number by then.
final class DescriptorPoller: LoopOperation {
    private struct Waiter {
        let pending: PendingResult<Readiness>
        let events: Readiness
        let timer: LoopTimer?
    }

    private let loop: EventLoop
    private let descriptor: CInt
    private let duplicate: CInt
    private let handle: UnsafeMutablePointer<uv_poll_t>
    private var waiters: [Waiter] = []

    init(_ descriptor: CInt, on loop: EventLoop) throws(EventLoopError) {
        self.loop = loop
        self.descriptor = descriptor
        self.duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        guard self.duplicate >= 0 else {
            throw EventLoopError(.system, "wait for descriptor \(descriptor)", systemError: errno)
        }
        self.handle = .allocate(capacity: 1)
        let status = uv_poll_init(loop.handles.loop, self.handle, self.duplicate)
        guard status == 0 else {
            // A handle that could not be initialised is not known to the loop, so it is freed, not closed.
            self.handle.deallocate()
            _ = sysClose(self.duplicate)
            throw EventLoopError(.system, "wait for descriptor \(descriptor)", systemError: -status)
        }
        self.handle.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    }

    func add(_ pending: PendingResult<Readiness>, _ events: Readiness, _ timeout: Duration?) {
        let timer = timeout.map { _ in
            LoopTimer(on: self.loop) { [weak self] hasExpired in
                guard hasExpired, let self else { return }
                pending.finish(.failure(EventLoopError(.timedOut, "wait for descriptor \(self.descriptor)")))
                self.remove(pending)
            }
        }
        self.waiters.append(Waiter(pending: pending, events: events, timer: timer))
        if let timer, let timeout { timer.start(timeout) }
        self.poll()
    }

    func remove(_ pending: PendingResult<Readiness>) {
        guard let index = self.waiters.firstIndex(where: { $0.pending === pending }) else { return }
        self.waiters.remove(at: index).timer?.cancel()
        self.poll()
    }

    func loopWillEnd() {
        self.finish(with: { _ in .failure(EventLoopError(.shutDown, "wait for descriptor \(self.descriptor)")) })
    }

    /// Asks libuv for what the waiters want; without any, closes the handle.
    private func poll() {
        let events = self.waiters.reduce(into: Readiness()) { $0.formUnion($1.events) }
        guard !events.isEmpty else { return self.close() }
        let status = uv_poll_start(self.handle, events.events) { handle, status, events in
            owner(DescriptorPoller.self, of: handle?.pointee.data)?.signal(status, Readiness(events: events))
        }
        guard status < 0 else { return }
        let error = EventLoopError(.system, "wait for descriptor \(self.descriptor)", systemError: -status)
        self.finish(with: { _ in .failure(error) })
    }

    private func signal(_ status: CInt, _ events: Readiness) {
        guard status < 0 else {
            return self.finish(with: { waiter in
                let met = waiter.events.intersection(events)
                return met.isEmpty ? nil : .success(met)
            })
        }
        // libuv reports a socket's error condition as EBADF; the true error is found by reading or writing.
        if fcntl(self.descriptor, F_GETFD) >= 0 {
            self.finish(with: { .success($0.events) })
        } else {
            let error = EventLoopError(.system, "wait for descriptor \(self.descriptor)", systemError: -status)
            self.finish(with: { _ in .failure(error) })
        }
    }

    /// Ends the waits that have a result and waits on with the rest.
    private func finish(with result: (Waiter) -> Result<Readiness, any Error>?) {
        self.waiters.removeAll { waiter in
            guard let result = result(waiter) else { return false }
            waiter.timer?.cancel()
            waiter.pending.finish(result)
            return true
        }
        self.poll()
    }

    private func close() {
        guard self.loop.confined.pollers[self.descriptor] === self else { return }
        self.loop.confined.pollers[self.descriptor] = nil
        self.loop.closeHandle(self.handle)
        _ = sysClose(self.duplicate)
        self.loop.unregister(self)
    }
}

/// The system's `close`, which the class has one of its own beside.
private func sysClose(_ descriptor: CInt) -> CInt { close(descriptor) }
