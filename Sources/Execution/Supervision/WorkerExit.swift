/// The exit statuses by which a worker's process says more than that it failed.
public enum WorkerExit {
    /// Its work hung: a thread that waits for a device or a file server can't be ended, only its process.
    public static let stalled = 75
}
