/// Counts what an engine does and reports it.
struct ProgressMeter {
    private(set) var progress = EngineProgress()
    private let report: @Sendable (EngineProgress) -> Void

    init(report: @escaping @Sendable (EngineProgress) -> Void) { self.report = report }

    /// Changes the counts and reports them.
    mutating func update(_ change: (inout EngineProgress) -> Void) {
        change(&self.progress)
        self.report(self.progress)
    }
}
