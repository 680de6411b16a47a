internal import JobQueue

/// Decides when to claim the next shard: soon enough to have it ready, and late enough that idle workers get it first.
struct PrefetchClock: Sendable {
    /// Of the job whose shard was computed last; another job's says nothing about its pace.
    private var pace: (job: JobID, perRow: Duration)?
    private var preparation: Duration?

    /// Kept in hand beside three times what the last preparation took.
    static let margin: Duration = .seconds(1)

    /// How long to wait, from the beginning of a shard's computation; nil as long as its job's pace is not known.
    func delay(_ job: JobID, rows: Int) -> Duration? {
        guard let pace = self.pace, pace.job == job, let preparation = self.preparation else { return nil }
        return max(.zero, pace.perRow * rows - preparation * 3 - Self.margin)
    }

    /// Whether it is time where the pace is not known: a shard that has only begun may take hours, in which an idle worker
    /// could have done the next one.
    static func isNearEnd(samples: Int, of rows: Int) -> Bool { samples * 10 >= rows * 7 }

    mutating func computed(_ job: JobID, rows: Int, in duration: Duration) {
        guard rows > 0 else { return }
        self.pace = (job, duration / rows)
    }

    mutating func prepared(in duration: Duration) { self.preparation = duration }
}
