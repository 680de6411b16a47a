internal import CDispatch
internal import Dispatch

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// No thread can be started; its `errno`.
public struct ThreadError: Error, Sendable, Hashable, CustomStringConvertible {
    public var number: Int32

    public var description: String { "no thread can be started: \(String(cString: strerror(self.number)))" }
}

/// Runs an actor on a thread of its own, so that work that blocks or takes long does not hold up Swift's pool of threads.
///
/// The thread ends after the executor is gone and the jobs that wait are done.
public final class ThreadExecutor: SerialExecutor {
    private let jobs: PendingJobs

    /// - Parameters:
    ///   - stackBytes: Ample by default: the regular expressions of tokenizers recurse deeply.
    ///   - prepare: Called on the thread before its first job.
    public init(
        stackBytes: Int = 64 << 20, prepare: @escaping @Sendable () -> Void = {}
    ) throws(ThreadError) {
        let jobs = PendingJobs()
        self.jobs = jobs
        try startThread(stackBytes: stackBytes) {
            prepare()
            while let batch = jobs.next() {
                for (job, executor) in batch { job.runSynchronously(on: executor.asUnownedSerialExecutor()) }
            }
        }
    }

    deinit { self.jobs.stop() }

    public func enqueue(_ job: consuming ExecutorJob) {
        self.jobs.append(UnownedJob(job), executor: self)
    }
}

/// The jobs that wait for a thread.
///
/// Safety: `pending` and `isStopping` are only touched with `mutex` locked; the pointers do not change.
private final class PendingJobs: @unchecked Sendable {
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

    /// All waiting jobs, in order; `nil` when there will be no more.
    func next() -> [(job: UnownedJob, executor: ThreadExecutor)]? {
        pthread_mutex_lock(self.mutex)
        defer { pthread_mutex_unlock(self.mutex) }
        while self.pending.isEmpty, !self.isStopping { pthread_cond_wait(self.wakeUp, self.mutex) }
        let batch = self.pending
        self.pending = []
        return batch.isEmpty ? nil : batch
    }
}

/// Runs a body that blocks on a thread of its own, and waits for it, whatever becomes of the task.
///
/// A thread for each call: a file server that does not answer holds up nobody else.
public func onOwnThread<Value: Sendable, Failure: Error>(
    _ body: @escaping @Sendable () throws(Failure) -> Value
) async throws(Failure) -> Value {
    let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
        let work = { @Sendable in
            do throws(Failure) {
                continuation.resume(returning: .success(try body()))
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
        do throws(ThreadError) {
            try startThread(stackBytes: 8 << 20, work)
        } catch {
            // No thread is left to this process; the shared ones may block, too.
            DispatchQueue.global().async(execute: work)
        }
    }
    return try result.get()
}

/// Starts a thread that nobody joins.
private func startThread(stackBytes: Int, _ body: @escaping @Sendable () -> Void) throws(ThreadError) {
    final class Start: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, stackBytes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    let start = Unmanaged.passRetained(Start(body))
    #if canImport(Darwin)
    var thread: pthread_t?
    #else
    var thread = pthread_t()
    #endif
    let status = pthread_create(
        &thread, &attributes,
        { argument in
            #if canImport(Darwin)
            Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body()
            #else
            if let argument { Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body() }
            #endif
            return nil
        }, start.toOpaque())
    guard status == 0 else {
        start.release()
        throw ThreadError(number: status)
    }
}
