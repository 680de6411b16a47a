#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Runs an actor on a thread of its own, so that long computations don't block Swift's pool of threads.
///
/// Safety: `jobs` and `isStopping` are only touched with `mutex` locked; the rest does not change.
public final class ThreadExecutor: SerialExecutor, @unchecked Sendable {
    private let queue: JobQueue

    /// - Parameter stackBytes: deep recursion happens in the regular expressions of tokenizers, so ample by default.
    /// - Throws: `EngineError` of code `outOfMemory` if the system has no thread left.
    public init(stackBytes: Int = 64 << 20) throws(EngineError) {
        self.queue = JobQueue()
        let status = self.queue.startThread(stackBytes: stackBytes)
        guard status == 0 else {
            throw EngineError(.outOfMemory, "no thread can be started: \(String(cString: strerror(status)))")
        }
    }

    deinit { self.queue.stop() }

    public func enqueue(_ job: consuming ExecutorJob) {
        self.queue.append(UnownedJob(job), executor: self)
    }
}

/// The jobs that wait for a thread.
///
/// Safety: `pending` and `isStopping` are only touched with `mutex` locked; the pointers do not change.
private final class JobQueue: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let wakeUp = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    /// A waiting job keeps its executor alive: its actor may be gone before the job has returned.
    private var pending: [(job: UnownedJob, executor: ThreadExecutor)] = []
    private var isStopping = false

    init() {
        pthread_mutex_init(self.mutex, nil)
        pthread_cond_init(self.wakeUp, nil)
    }

    deinit {
        pthread_cond_destroy(self.wakeUp)
        pthread_mutex_destroy(self.mutex)
        self.wakeUp.deallocate()
        self.mutex.deallocate()
    }

    func append(_ job: UnownedJob, executor: ThreadExecutor) {
        pthread_mutex_lock(self.mutex)
        self.pending.append((job, executor))
        pthread_cond_signal(self.wakeUp)
        pthread_mutex_unlock(self.mutex)
    }

    /// The thread ends after the jobs that are waiting.
    func stop() {
        pthread_mutex_lock(self.mutex)
        self.isStopping = true
        pthread_cond_signal(self.wakeUp)
        pthread_mutex_unlock(self.mutex)
    }

    /// - Returns: 0, or the system's error number.
    func startThread(stackBytes: Int) -> Int32 {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackBytes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let start = Unmanaged.passRetained(self)
        #if canImport(Darwin)
        var thread: pthread_t?
        #else
        var thread = pthread_t()
        #endif
        let status = pthread_create(&thread, &attributes, { JobQueue.runThread($0) }, start.toOpaque())
        if status != 0 { start.release() }
        return status
    }

    private static func runThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let argument else { return nil }
        Unmanaged<JobQueue>.fromOpaque(argument).takeRetainedValue().run()
        return nil
    }

    /// Runs jobs until `stop()`.
    private func run() {
        while let batch = self.next() {
            for (job, executor) in batch { job.runSynchronously(on: executor.asUnownedSerialExecutor()) }
        }
    }

    /// All waiting jobs, in order; `nil` when there will be none any more.
    private func next() -> [(job: UnownedJob, executor: ThreadExecutor)]? {
        pthread_mutex_lock(self.mutex)
        defer { pthread_mutex_unlock(self.mutex) }
        while self.pending.isEmpty, !self.isStopping { pthread_cond_wait(self.wakeUp, self.mutex) }
        let batch = self.pending
        self.pending = []
        return batch.isEmpty ? nil : batch
    }
}
