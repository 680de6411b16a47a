package import JobQueue
package import Logging

/// What happens to a worker.
package enum WorkerEvent: Sendable {
    /// The worker is to begin.
    case started
    /// A call to the queue was answered.
    case answered(CallID, QueueAnswer)
    /// A call to the queue failed, or was aborted (`cancelled`); whether the queue has acted is open.
    case failed(CallID, QueueError)
    /// Preparing a shard has ended; nil: it can be computed.
    case prepared(Claim, ExecutionError?)
    /// Computing a shard has ended; nil: it can be published.
    case computed(Claim, ExecutionError?)
    case published(Claim, Result<ShardPublication, ExecutionError>)
    case progressed(Claim, samples: Int, tokens: Int)
    /// Work on the shard moves.
    case moved(Claim)
    /// There may be work.
    case submitted
    /// Finish what is in hand, and end.
    case drainAsked
    /// Give back what is in hand, and end.
    case abandonAsked
    /// Leave the queue whatever hangs; the process ends right after.
    case leaveAsked
    /// Time has passed.
    case tick
}

/// What a worker is to do; each call and each step of a shard answers with one event.
package enum WorkerAction: Sendable {
    case call(QueueCall)
    /// Stop waiting for a call: it answers `cancelled`, unless its answer comes first.
    case abort(CallID)
    case prepare(ClaimedShard)
    case compute(Claim)
    case publish(Claim)
    /// Stop the step of the shard that runs; it answers nevertheless.
    case stop(Claim)
    /// The shard is not needed any more.
    case forget(Claim)
    case log(WorkerLine)
    /// The worker has left the queue because somebody asked it to leave whatever hangs.
    case left
    /// Work hangs, and the worker has left the queue.
    case stalled(String)
    /// All is done; nothing follows.
    case end(WorkerSummary, ExecutionError?)
}

/// A call's number, unique in a worker's life.
package struct CallID: Hashable, Sendable {
    package let number: Int
}

/// A call to the queue.
package struct QueueCall: Sendable {
    package enum Question: Sendable {
        case register(WorkerDescription, ttl: Duration)
        case claim(WorkerLease, ClaimRequest)
        case begin(ClaimedShard)
        case heartbeat(WorkerLease, holding: [ShardProgress], note: String?)
        case supersededClaims(among: [ClaimedShard])
        case commit(ClaimedShard, ShardPublication)
        case fail(ClaimedShard, ShardFailure)
        case release(ClaimedShard, note: String?)
        case deregister(WorkerLease, note: String?)
        case openShardCount(RunID?)
        case doDueChores
    }

    /// A way to the database; the heartbeat has its own, since work can hold up the other one.
    package enum Lane: Sendable, Hashable {
        case work, heartbeat
    }

    package let id: CallID
    package let question: Question
    package let lane: Lane
    /// For so long the answer is waited for; nil: as long as the queue takes.
    package let limit: Duration?
}

package enum QueueAnswer: Sendable {
    case registered(WorkerLease)
    case claimed(ClaimedShard?)
    /// Whether the shard is still the worker's.
    case begun(Bool)
    case renewed(HeartbeatReply)
    case superseded([ClaimedShard])
    case committed(CommitOutcome)
    case recorded(FailureOutcome)
    case open(Int)
    /// Whether something may have become claimable.
    case didChores(Bool)
    case done
}

/// A line for the log.
package struct WorkerLine: Sendable {
    package var level: Logger.Level
    package var message: String
    package var metadata: [String: String]
    /// The shard that it is about.
    package var shard: ClaimedShard?
}
