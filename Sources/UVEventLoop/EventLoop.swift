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

extension EventLoop {
    /// Runs `work` on the loop and waits for it, whatever becomes of the calling task.
    func call<Value: Sendable>(
        _ work: @escaping @Sendable (EventLoop) throws(EventLoopError) -> Value
    ) async throws(EventLoopError) -> Value {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Value, EventLoopError>, Never>) in
            self.perform {
                do throws(EventLoopError) {
                    continuation.resume(returning: .success(try work(self)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }
}

/// Why the event loop could not do what it was asked for.
public struct EventLoopError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of failure.
    public enum Code: Hashable, Sendable {
        /// The loop was shut down before or during the operation.
        case shutDown
        /// The operation's time was over.
        case timedOut
        /// The operating system refused; see ``EventLoopError/systemError``.
        case system
    }

    public let code: Code
    /// What was tried, such as "spawn /usr/bin/initdb".
    public let operation: String
    /// The errno value of a `.system` error.
    public let systemError: CInt?

    init(_ code: Code, _ operation: String, systemError: CInt? = nil) {
        self.code = code
        self.operation = operation
        self.systemError = systemError
    }

    public var description: String {
        switch self.code {
        case .shutDown: "\(self.operation): the event loop was shut down"
        case .timedOut: "\(self.operation): timed out"
        case .system:
            "\(self.operation): \(String(cString: uv_strerror(-(self.systemError ?? 0)))) "
                + "(\(String(cString: uv_err_name(-(self.systemError ?? 0)))))"
        }
    }
}

/// Turns libuv's negative return codes into errors.
func check(_ status: CInt, _ operation: @autoclosure () -> String) throws(EventLoopError) {
    guard status < 0 else { return }
    throw EventLoopError(.system, operation(), systemError: -status)
}

/// Something with open libuv handles; the loop holds it until its handles are closed.
///
/// Used only on the loop's thread.
protocol LoopOperation: AnyObject {
    /// Delivers `.shutDown` to those that wait and closes the handles.
    func loopWillEnd()
}

extension EventLoop {
    func register(_ operation: some LoopOperation) {
        self.confined.operations[ObjectIdentifier(operation)] = operation
    }

    func unregister(_ operation: some LoopOperation) {
        self.confined.operations[ObjectIdentifier(operation)] = nil
    }

    func allocateHandle<Handle>(_: Handle.Type, owner: AnyObject) -> UnsafeMutablePointer<Handle> {
        let handle = UnsafeMutablePointer<Handle>.allocate(capacity: 1)
        // Every handle type begins with the fields of uv_handle_t. The owner is registered, so it outlives the handle.
        UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self).pointee.data =
            Unmanaged.passUnretained(owner).toOpaque()
        return handle
    }

    /// Closes an initialised handle and frees its memory; its callbacks don't come any more.
    func closeHandle<Handle>(_ handle: UnsafeMutablePointer<Handle>) {
        uv_close(UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self)) { handle in
            UnsafeMutableRawPointer(handle)?.deallocate()
        }
    }
}

/// The owner stored by `allocateHandle`.
func owner<Owner: AnyObject>(_: Owner.Type, of data: UnsafeMutableRawPointer?) -> Owner? {
    data.map { Unmanaged<Owner>.fromOpaque($0).takeUnretainedValue() }
}
