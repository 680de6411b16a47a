public import FoundationEssentials

/// The outcome of one due time.
public struct ScheduleFire: Sendable, Hashable, Encodable {
    public enum Kind: String, Sendable, Hashable, CaseIterable, Encodable {
        /// The clock reached it.
        case clock
        /// A person asked for a run now.
        case trigger
        /// A person asked for a past due time.
        case backfill
    }

    public enum Outcome: String, Sendable, Hashable, CaseIterable, Encodable {
        case fired
        case skipped
        /// Nothing could be submitted; the reason says why.
        case failed
        /// Waits for the open runs to end; not decided yet.
        case waiting
    }

    /// The schedule's name.
    public var schedule: String
    /// For a trigger, the moment at which it was asked for.
    public var dueAt: Date
    /// Counts what was recorded for this due time, from 1; 0 while it waits.
    public var attempt: Int
    public var kind: Kind
    public var outcome: Outcome
    /// Why it was skipped or failed, or fired late.
    public var reason: String?
    /// The run that was submitted.
    public var run: RunID?
    public var recordedAt: Date

    public init(
        schedule: String, dueAt: Date, attempt: Int, kind: Kind, outcome: Outcome, reason: String?, run: RunID?,
        recordedAt: Date
    ) {
        self.schedule = schedule
        self.dueAt = dueAt
        self.attempt = attempt
        self.kind = kind
        self.outcome = outcome
        self.reason = reason
        self.run = run
        self.recordedAt = recordedAt
    }
}

extension ScheduleFire {
    /// A due time that waits for open runs to end.
    init(waiting dueAt: Date, kind: Kind, schedule: String) {
        self.init(
            schedule: schedule, dueAt: dueAt, attempt: 0, kind: kind, outcome: .waiting,
            reason: "waits for the run before it", run: nil, recordedAt: dueAt)
    }
}
