internal import CUV

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

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
