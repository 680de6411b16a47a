import Synchronization

/// A number that tasks count up and down, and the largest value it had.
final class Tally: Sendable {
    private let state = Mutex((count: 0, peak: 0))

    var count: Int { self.state.withLock { $0.count } }
    var peak: Int { self.state.withLock { $0.peak } }

    func add(_ change: Int) {
        self.state.withLock { state in
            state.count += change
            state.peak = max(state.peak, state.count)
        }
    }
}
