import FoundationEssentials

/// Why a job is where it is, in words, and what would change that.
public struct Explanation: Sendable, Hashable, Encodable {
    public var job: JobID
    public var state: WorkState
    /// One sentence.
    public var summary: String
    /// What keeps it from running, or from running faster, the strongest reason first.
    public var reasons: [String]
    /// What somebody could do about it, as commands where there are some.
    public var remedies: [String]
}

extension Explanation {
    /// Judges facts; a function of its argument alone.
    public init(_ facts: JobFacts) {
        self.init(job: facts.job.id, state: facts.job.state, summary: "", reasons: [], remedies: [])
        let shards = facts.job.progress.shards
        switch facts.job.state {
        case .done:
            summary = "\(job) is done: all \(shards.total) shards have results."
        case .cancelled:
            summary = "\(job) was cancelled: \(facts.job.reason ?? "no reason was given")."
            remedies.append("assay retry \(job)   has the \(shards.cancelled) cancelled shards computed after all")
        case .failed:
            summary = "\(job) ended with \(shards.failed) failed of \(shards.total) shards."
            explainFailures(facts)
        case .held:
            summary = "\(job) is held: nothing more is claimed until somebody releases it."
            explainHold(facts)
        case .queued, .blocked, .running:
            explainOpen(facts)
        }
    }

    private mutating func explainOpen(_ facts: JobFacts) {
        let shards = facts.job.progress.shards
        if shards.running > 0 {
            summary =
                "\(job) is running: \(counted(shards.running, "shard")) on "
                + "\(counted(facts.workers.here, "worker")), \(shards.done) of \(shards.total) done."
        } else {
            summary = "\(job) is not running: \(shards.done) of \(shards.total) shards are done."
        }
        if let trouble = facts.trouble {
            reasons.append("A worker that has a shard of it is in trouble, on \(trouble).")
            remedies.append("assay worker list   shows what workers wait for")
        }
        if facts.job.gate == .waiting {
            reasons.append("It \(facts.job.reason ?? "waits for other jobs").")
            remedies.append("It starts by itself when they have ended; `assay show` tells how far they are.")
        } else if shards.ready > 0 {
            explainReady(facts)
        }
        if shards.blocked > 0, facts.job.gate == .open { explainRetries(facts) }
        if shards.failed > 0 { explainFailures(facts) }
        if shards.held > 0, facts.job.gate == .open { explainHold(facts) }
        if reasons.isEmpty, shards.running == 0, shards.open > 0 {
            reasons.append("Nothing keeps it: a worker takes it within seconds.")
        }
    }

    private mutating func explainRetries(_ facts: JobFacts) {
        let count = facts.job.progress.shards.blocked
        var reason = "\(counted(count, "shard")) \(count == 1 ? "waits" : "wait") for the next attempt"
        if let next = facts.nextAttemptAt {
            reason += ", the first for \(Int(max(0, next.timeIntervalSince(facts.now)).rounded(.up))) s more"
        }
        reasons.append(reason + ".")
        remedies.append("assay logs \(job)   shows what went wrong before")
    }

    private mutating func explainFailures(_ facts: JobFacts) {
        let count = facts.job.progress.shards.failed
        reasons.append(
            count == 1
                ? "1 shard failed for good: \(facts.failure ?? "?")"
                : "\(count) shards failed for good, one of them with: \(facts.failure ?? "?")")
        remedies.append("assay logs \(job)   shows every attempt with its error")
        remedies.append("assay retry --failed \(job)   tries them again, once the cause is gone")
    }

    private mutating func explainHold(_ facts: JobFacts) {
        reasons.append("Held: \(facts.job.gate == .held ? facts.job.reason ?? "?" : facts.holdReason ?? "?").")
        remedies.append("assay release \(job)   lets it be claimed again")
    }
}
