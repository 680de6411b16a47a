/// Labels of workers that mean something to Assay itself.
public enum WorkerLabel {
    /// The worker runs programs that models write, in a sandbox.
    public static let runsCode = "run_code"
}
