/// Where a job or a run stands, derived from its shards.
public enum WorkState: String, Sendable, Hashable, CaseIterable, Encodable {
    /// Nothing was claimed yet.
    case queued
    /// Nothing can be claimed now: it waits for other jobs, or for the time of the next attempt.
    case blocked
    /// Some shards are running or were, and some are still to do.
    case running
    case done
    /// Nothing is left to do, and some shards failed.
    case failed
    case cancelled
    /// Nothing is left to do but shards that wait for a person.
    case held

    /// True when nothing more happens without a person.
    public var isSettled: Bool { self != .queued && self != .running && self != .blocked }

    /// The state of work that has these shards.
    public init(_ counts: ShardCounts) {
        if counts.open > 0 {
            if counts.running == 0 && counts.ready == 0 {
                self = .blocked
            } else {
                self = counts.ready == counts.total ? .queued : .running
            }
        } else if counts.held > 0 {
            self = .held
        } else if counts.failed > 0 {
            self = .failed
        } else if counts.cancelled > 0 {
            self = .cancelled
        } else {
            self = .done
        }
    }
}

/// How far a job or a run is.
public struct WorkProgress: Sendable, Hashable, Encodable {
    public var shards: ShardCounts
    public var samples: Int
    /// Samples of committed shards, and those that running shards reported.
    public var samplesDone: Int
    public var tokensDone: Int

    public init(shards: ShardCounts, samples: Int, samplesDone: Int, tokensDone: Int) {
        self.shards = shards
        self.samples = samples
        self.samplesDone = samplesDone
        self.tokensDone = tokensDone
    }

    public var state: WorkState { WorkState(shards) }

    /// True when nothing is open and nothing is held.
    public var isOver: Bool { shards.open + shards.held == 0 }
}
