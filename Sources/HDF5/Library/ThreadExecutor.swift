import Glibc

/// A serial executor on a thread of its own, which lives as long as the process.
///
/// Safety: `jobs` is only touched with `mutex` held; everything else is constant after `init`.
final class ThreadExecutor: SerialExecutor, @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let filled: UnsafeMutablePointer<pthread_cond_t>
    private let prepare: @Sendable () -> Void
    private var jobs: [UnownedJob] = []

    /// Starts the thread, which calls `prepare` before its first job.
    init(name: String, prepare: @escaping @Sendable () -> Void) {
        self.prepare = prepare
        self.mutex = .allocate(capacity: 1)
        self.mutex.initialize(to: pthread_mutex_t())
        self.filled = .allocate(capacity: 1)
        self.filled.initialize(to: pthread_cond_t())
        pthread_mutex_init(self.mutex, nil)
        pthread_cond_init(self.filled, nil)
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(self).toOpaque()
        let status = pthread_create(&thread, nil, { ThreadExecutor.main($0) }, argument)
        // Without its thread no work of this kind can be done at all, and no caller could go on.
        precondition(status == 0, "no thread for \(name): error \(status) of pthread_create")
        pthread_detach(thread)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pthread_mutex_lock(self.mutex)
        self.jobs.append(job)
        pthread_cond_signal(self.filled)
        pthread_mutex_unlock(self.mutex)
    }

    private static func main(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let argument else { return nil }
        let executor = Unmanaged<ThreadExecutor>.fromOpaque(argument).takeUnretainedValue()
        executor.prepare()
        while true {
            for job in executor.takeJobs() {
                job.runSynchronously(on: executor.asUnownedSerialExecutor())
            }
        }
    }

    /// Waits until there is work and takes all of it.
    private func takeJobs() -> [UnownedJob] {
        pthread_mutex_lock(self.mutex)
        defer { pthread_mutex_unlock(self.mutex) }
        while self.jobs.isEmpty {
            pthread_cond_wait(self.filled, self.mutex)
        }
        let taken = self.jobs
        self.jobs.removeAll(keepingCapacity: true)
        return taken
    }
}
