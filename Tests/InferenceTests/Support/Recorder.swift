import Synchronization

@testable import Inference

/// Collects what an engine reports.
final class Recorder: Sendable {
    private let reports = Mutex<[EngineProgress]>([])

    var values: [EngineProgress] { self.reports.withLock { $0 } }

    func append(_ report: EngineProgress) {
        self.reports.withLock { $0.append(report) }
    }
}
