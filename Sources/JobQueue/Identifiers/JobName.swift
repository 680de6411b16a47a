/// A job as typed: a run's first characters, a dot, the job's number in the run.
struct JobName: Sendable, Hashable {
    let run: String
    let ordinal: Int

    init(_ typed: String) throws(QueueError) {
        let parts = typed.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, let ordinal = Int(parts[1]), storableCount.contains(ordinal) else {
            throw QueueError.notAJobName(typed)
        }
        run = String(parts[0])
        self.ordinal = ordinal
    }
}
