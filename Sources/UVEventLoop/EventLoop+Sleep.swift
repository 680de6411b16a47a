internal import CUV

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
