internal import CUV
internal import Dispatch
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// A libuv loop on its own thread that Swift actors can run on.
///
/// An actor joins the loop by returning `loop.asUnownedSerialExecutor()` as its `unownedExecutor`; calls between
/// such actors don't leave the thread. The thread keeps the loop alive until ``shutDown()``. After that, actors on the
/// loop still run (one at a time, on a pool thread), and everything that needs libuv fails with
/// ``EventLoopError/Code/shutDown``.
///
/// Safety: `handles` and `confined`, and everything reached from them, are touched only by the thread that runs the loop's
/// items: its thread, or after the end of the thread the one late drainer. The rest is atomic or behind a mutex.
public final class EventLoop: SerialExecutor, @unchecked Sendable {
    enum Item {
        case job(UnownedJob)
        case work(@Sendable () -> Void)
    }

    struct Inbox {
        enum Phase {
            case running
            /// The wake-up handle is closing; the thread still takes what is enqueued before it ends.
            case closing
            /// The thread has ended; the first call that comes after it starts a late drainer.
            case finished
        }

        var items: [Item] = []
        /// A wake-up is under way or the loop is draining, so that a further `enqueue` need not send one.
        var isAwake = false
        var phase = Phase.running
    }

    struct Handles {
        let loop: UnsafeMutablePointer<uv_loop_t>
        let wakeup: UnsafeMutablePointer<uv_async_t>
    }

    /// State that only the loop's thread touches.
    struct Confined {
        var isOpen = true
        var batch: [Item] = []
        var operations: [ObjectIdentifier: any LoopOperation] = [:]
        var sleeps: [ObjectIdentifier: LoopTimer] = [:]
        var pollers: [CInt: DescriptorPoller] = [:]
        var processes: [CInt: ProcessOperation] = [:]
    }

    private let name: String
    let handles: Handles
    let inbox = Mutex(Inbox())
    let ending = Mutex(Ending.running(waiters: []))
    var confined = Confined()
    private let runner = Atomic<UInt>(0)

    /// Makes a loop and starts its thread; the name appears in `top -H` (its first 15 bytes).
    public init(name: String = "event-loop") throws(EventLoopError) {
        self.name = name
        self.handles = Handles(loop: .allocate(capacity: 1), wakeup: .allocate(capacity: 1))
        // Everything is initialised here, so deinit frees the memory when this throws.
        try check(uv_loop_init(self.handles.loop), "make an event loop")
        let status = uv_async_init(self.handles.loop, self.handles.wakeup) { handle in
            guard let handle else { return }
            Unmanaged<EventLoop>.fromOpaque(handle.pointee.data).takeUnretainedValue().drain()
        }
        self.handles.wakeup.pointee.data = Unmanaged.passUnretained(self).toOpaque()
        do throws(EventLoopError) {
            try check(status, "make an event loop")
            try self.startThread()
        } catch {
            if status == 0 {
                uv_close(UnsafeMutableRawPointer(self.handles.wakeup).assumingMemoryBound(to: uv_handle_t.self), nil)
                uv_run(self.handles.loop, UV_RUN_DEFAULT)
            }
            uv_loop_close(self.handles.loop)
            throw error
        }
    }

    deinit {
        self.handles.wakeup.deallocate()
        self.handles.loop.deallocate()
    }

    // MARK: Executor

    public func enqueue(_ job: consuming ExecutorJob) {
        self.enqueue(.job(UnownedJob(job)))
    }

    public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    public func checkIsolated() {
        precondition(self.isOnLoopThread, "not on the event loop")
    }

    public func isIsolatingCurrentContext() -> Bool? { self.isOnLoopThread }

    /// The caller runs on the loop's thread.
    public var isOnLoopThread: Bool {
        self.runner.load(ordering: .relaxed) == UInt(pthread_self())
    }

    /// Runs `work` on the loop: at once when the caller is there already.
    func perform(_ work: @escaping @Sendable () -> Void) {
        if self.isOnLoopThread { work() } else { self.enqueue(.work(work)) }
    }

    private func enqueue(_ item: Item) {
        let needsDrainer = self.inbox.withLock { inbox in
            inbox.items.append(item)
            if inbox.isAwake { return false }
            switch inbox.phase {
            case .running:
                inbox.isAwake = true
                // Inside the lock, because the handle is closed under it.
                uv_async_send(self.handles.wakeup)
                return false
            case .closing:
                return false
            case .finished:
                inbox.isAwake = true
                return true
            }
        }
        if needsDrainer { DispatchQueue.global().async { self.drainLate() } }
    }

    /// Runs what is queued, and what that enqueues, for a bounded number of rounds.
    private func drain() {
        for _ in 0..<64 {
            guard self.runBatch(whenEmpty: { $0.isAwake = false }) else { return }
        }
        // Let timers and descriptors have their turn before the next rounds.
        self.inbox.withLock { inbox in
            if inbox.phase == .running { _ = uv_async_send(self.handles.wakeup) }
        }
    }

    /// Runs the queued items once; false when there were none.
    @discardableResult
    private func runBatch(whenEmpty: (inout Inbox) -> Void) -> Bool {
        var batch: [Item] = []
        swap(&batch, &self.confined.batch)
        let isEmpty = self.inbox.withLock { inbox in
            swap(&inbox.items, &batch)
            guard batch.isEmpty else { return false }
            // Everything is in its place before this: afterwards another late drainer may run at once.
            swap(&batch, &self.confined.batch)
            whenEmpty(&inbox)
            return true
        }
        if isEmpty { return false }
        for item in batch {
            switch item {
            case .job(let job): job.runSynchronously(on: self.asUnownedSerialExecutor())
            case .work(let work): work()
            }
        }
        batch.removeAll(keepingCapacity: true)
        self.confined.batch = batch
        return true
    }

    // MARK: Thread

    /// The thread's body.
    func runLoop() {
        self.runner.store(UInt(pthread_self()), ordering: .relaxed)
        cuv_name_this_thread(self.name)
        uv_run(self.handles.loop, UV_RUN_DEFAULT)
        let status = uv_loop_close(self.handles.loop)
        precondition(status == 0, "event loop closed with live handles")
        while self.runBatch(whenEmpty: { self.retire(&$0) }) {}
    }

    /// Runs what was enqueued after the thread's end.
    private func drainLate() {
        self.runner.store(UInt(pthread_self()), ordering: .relaxed)
        while self.runBatch(whenEmpty: { self.retire(&$0) }) {}
    }

    private func retire(_ inbox: inout Inbox) {
        inbox.phase = .finished
        inbox.isAwake = false
        self.runner.store(0, ordering: .relaxed)
    }
}
