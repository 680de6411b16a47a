internal import CUV

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
