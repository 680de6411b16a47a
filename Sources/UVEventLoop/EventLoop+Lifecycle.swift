internal import CUV
internal import Dispatch
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

extension EventLoop {
    /// How far the loop's end has come.
    enum Ending {
        case running(waiters: [CheckedContinuation<Void, Never>])
        case underWay(waiters: [CheckedContinuation<Void, Never>])
        case joined
    }

    /// Ends the loop and its thread: pending operations fail with `.shutDown`, children are left running.
    ///
    /// Returns once the thread is joined; calling it again, or from several tasks, is fine.
    public func shutDown() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let (mustBegin, isOver) = self.ending.withLock { ending -> (Bool, Bool) in
                switch ending {
                case .running(let waiters):
                    ending = .underWay(waiters: waiters + [continuation])
                    return (true, false)
                case .underWay(let waiters):
                    ending = .underWay(waiters: waiters + [continuation])
                    return (false, false)
                case .joined:
                    return (false, true)
                }
            }
            if isOver { continuation.resume() }
            if mustBegin { self.perform { self.beginShutDown() } }
        }
    }

    func startThread() throws(EventLoopError) {
        let context = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let status = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let loop = Unmanaged<EventLoop>.fromOpaque(context).takeRetainedValue()
                loop.runLoop()
                loop.joinLater(pthread_self())
                return nil
            }, context.toOpaque())
        guard status == 0 else {
            context.release()
            throw EventLoopError(.system, "start the event loop's thread", systemError: status)
        }
    }

    /// Has the ending thread joined by another one, which then tells those who wait.
    private func joinLater(_ thread: pthread_t) {
        DispatchQueue.global().async {
            pthread_join(thread, nil)
            let waiters = self.ending.withLock { ending -> [CheckedContinuation<Void, Never>] in
                defer { ending = .joined }
                switch ending {
                case .running(let waiters), .underWay(let waiters): return waiters
                case .joined: return []
                }
            }
            for waiter in waiters { waiter.resume() }
        }
    }

    private func beginShutDown() {
        self.confined.isOpen = false
        for operation in self.confined.operations.values { operation.loopWillEnd() }
        self.inbox.withLock { inbox in
            inbox.phase = .closing
            uv_close(UnsafeMutableRawPointer(self.handles.wakeup).assumingMemoryBound(to: uv_handle_t.self), nil)
        }
    }
}
