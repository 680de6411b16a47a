import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The counted certificate: which faults the tests injected, and what was lost, doubled or wrong after them.
///
/// A fault counts only if it hit something: a call that failed, a process that had work. What came of it is measured by
/// comparing with an undisturbed run. Every test prints its lines; `infra/test` adds them up (ASSAY_FAULT_REPORT names
/// the file that they are appended to).
public enum Certificate {
    /// What is found when everything has come to rest.
    public struct Outcome: Sendable {
        /// Results or samples that should be there and are not.
        public var lost = 0
        /// Results or samples that are there twice.
        public var doubled = 0
        /// Results that are not what an undisturbed run gives.
        public var wrong = 0
        /// Digests, or whole files, that were compared with those of an undisturbed run.
        public var digests = 0

        public init(lost: Int = 0, doubled: Int = 0, wrong: Int = 0, digests: Int = 0) {
            self.lost = lost
            self.doubled = doubled
            self.wrong = wrong
            self.digests = digests
        }

        public static func + (left: Outcome, right: Outcome) -> Outcome {
            Outcome(
                lost: left.lost + right.lost, doubled: left.doubled + right.doubled, wrong: left.wrong + right.wrong,
                digests: left.digests + right.digests)
        }
    }

    /// - Parameter faults: How many of each kind.
    public static func record(_ faults: [String: Int], _ outcome: Outcome) {
        let hits = faults.filter { $0.value > 0 }.sorted { $0.key < $1.key }
        var lines = hits.map { "fault\t\($0.key)\t\($0.value)" }
        lines.append("outcome\t\(outcome.lost)\t\(outcome.doubled)\t\(outcome.wrong)\t\(outcome.digests)")
        let injected = hits.map { "\($0.value) × \($0.key)" }.joined(separator: ", ")
        print(
            "injected \(injected.isEmpty ? "nothing" : injected): \(outcome.lost) lost, "
                + "\(outcome.doubled) doubled, \(outcome.wrong) wrong, \(outcome.digests) digests and files compared")
        guard let path = ProcessInfo.processInfo.environment["ASSAY_FAULT_REPORT"] else { return }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        // In one piece: other tests append, too.
        let text = Array((lines.joined(separator: "\n") + "\n").utf8)
        _ = write(descriptor, text, text.count)
    }
}
