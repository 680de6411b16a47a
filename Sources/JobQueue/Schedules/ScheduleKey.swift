import Crypto
import FoundationEssentials

/// A schedule's own secret number: what depends on it and a due time is the same wherever it is computed.
///
/// Two databases may share a store and have schedules of the same name; the key keeps their runs apart.
struct ScheduleKey: Sendable, Hashable {
    let uuid: UUID

    /// The run of a due time; a repetition gets the same one.
    func run(dueAt: Date, attempt: Int) -> RunID {
        let bytes = hash("run", dueAt, attempt)
        return RunID(unchecked: String(bytes.prefix(RunID.length).map { RunID.alphabet[Int($0 & 31)] }))
    }

    /// Seconds from 0 to `span` that a due time is fired later.
    func jitter(dueAt: Date, span: Int) -> Double {
        guard span > 0 else { return 0 }
        let number = hash("jitter", dueAt, 0).prefix(6).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Double(span) * Double(number) / Double(UInt64(1) << 48)
    }

    private func hash(_ purpose: String, _ dueAt: Date, _ attempt: Int) -> [UInt8] {
        let microseconds = Int64((dueAt.timeIntervalSince1970 * 1_000_000).rounded())
        return Array(SHA256.hash(data: Array("\(purpose) \(uuid.uuidString) \(microseconds) \(attempt)".utf8)))
    }
}
