import Testing

/// Real processes and a real server, and what the operator on call is woken for.
///
/// The tests come one after the other, so that they disturb each other and the rest of the test run little. After each
/// fault every sample is there exactly once, the digest is that of an undisturbed run, nothing in the queue is stuck and
/// no file is left over.
@Suite(.serialized, .timeLimit(.minutes(20))) enum FaultSuite {}

/// What a test injected, and what came of it.
enum FaultCount {
    /// - Parameter faults: How many of each kind have hit something.
    static func note(_ faults: [String: Int], lost: Int = 0, doubled: Int = 0, wrong: Int = 0) {
        let kinds = faults.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }
        print(
            "fault tests: injected \(kinds.joined(separator: ", ")): \(lost) lost, \(doubled) doubled, \(wrong) wrong")
    }
}
