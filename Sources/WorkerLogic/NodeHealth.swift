internal import JobQueue

/// Decides from the outcomes of a worker's last shards whether its node may be at fault.
///
/// Failures that may not hold elsewhere make it pause between shards, so that healthy workers get them. What the node
/// lacks (a model's file, a data set) burns no attempt: the job is left to others for a while, longer each time. A node
/// that lacks one thing after the other is of no use; but one thing alone must not send every worker home, however many
/// jobs need it, because it may be gone for all of them, and other jobs don't need it.
struct NodeHealth {
    /// So many in a row are enough: failures for a pause, things that are missing for leaving.
    static let limit = 3
    /// For how long a job is left to others at first, and at most.
    static let shortest: Duration = .seconds(1)
    static let longest: Duration = .seconds(600)
    /// So many jobs that can't be worked on are too many to go around.
    static let mostShunned = 1000
    /// For how long a job is left to workers that have the engine of its results: until then it may be free for all.
    static let unlikePause: Duration = .seconds(60)
    /// From so many runs on that look for a model where it is not, each further one is tried after a pause.
    static let mostPlaces = 100

    private let endsWhenDrained: Bool
    /// Failures since the last result.
    private var failures = 0
    private var restedFailures = 0
    private var backoff = Backoff.unfit
    private var shunned: [JobID: Lack] = [:]
    /// Until when jobs are left to others whose results come from another engine.
    private var unlike: [JobID: ContinuousClock.Instant] = [:]
    /// Where runs look for models in vain, and until when their jobs are left to others.
    private var shunnedPlaces: [MissingModel: (thing: Missing, until: ContinuousClock.Instant)] = [:]
    /// Until when all jobs of a model are left to others, by its SHA-256.
    private var shunnedModels: [String: ContinuousClock.Instant] = [:]
    /// What is missing, and how often that was found, for whichever job.
    private var missing: [Missing: Int] = [:]
    /// What was found missing since the last result.
    private var missingInRow: Set<Missing> = []
    /// Why the worker is to leave; nil as long as it is of use.
    private(set) var reasonToLeave: String?

    /// Where it can't be told what is missing, each job lacks something of its own.
    private enum Missing: Hashable {
        case thing(ExecutionError.Thing)
        case something(for: JobID)
    }

    /// What is said of a worker that leaves a job to others, and until when it does.
    struct Trouble: Hashable, Sendable {
        var text: String
        var until: ContinuousClock.Instant
    }

    /// What a job can't be worked on for.
    private struct Lack {
        var thing: Missing
        var message: String
        /// How often that was found for this job.
        var times: Int
        /// Until when the job is left to others.
        var until: ContinuousClock.Instant
    }

    /// - Parameter endsWhenDrained: The worker waits for no other work: it need not outlive a job that it can't do.
    init(endsWhenDrained: Bool) { self.endsWhenDrained = endsWhenDrained }

    /// Nothing is claimed ahead while everything fails.
    var isFit: Bool { self.failures < Self.limit && self.reasonToLeave == nil }

    var failuresInRow: Int { self.failures }

    /// The job's result shows that this node has what it takes.
    mutating func committed(_ job: JobID) {
        self.failures = 0
        self.restedFailures = 0
        self.backoff.reset()
        self.missingInRow = []
        // What it lacked is back; what others lack is not, and they would all be tried again.
        guard let back = self.shunned[job]?.thing else { return }
        self.missing[back] = nil
        self.shunned = self.shunned.filter { $0.value.thing != back }
        self.shunnedPlaces = self.shunnedPlaces.filter { $0.value.thing != back }
        if case .thing(.model(let sha256, _)) = back { self.shunnedModels[sha256] = nil }
    }

    mutating func failed() { self.failures += 1 }

    /// The node does not have what the job needs.
    ///
    /// Jobs that need the same thing are left to others for longer each time that it is missing for one of them, so that
    /// the worker comes to the jobs behind them. All jobs of a run look for a model in one place, so they wait together,
    /// with those of every other run that looked there. Others may have the same model registered in another place, and
    /// are tried; where very many runs look for it in vain, all wait half as long as those that were tried, so that each
    /// try is with another run.
    ///
    /// - Parameter model: The model's name in the job's run.
    mutating func lacks(_ error: ExecutionError, for job: JobID, model: String, at now: ContinuousClock.Instant) {
        let times = (self.shunned[job]?.times ?? 0) + 1
        let thing = error.lacking.map { Missing.thing($0) } ?? .something(for: job)
        let found = self.missing[thing, default: 0] + 1
        let pause = min(Self.longest, Self.shortest * (1 << min(found - 1, 10)))
        self.missing[thing] = found
        self.missingInRow.insert(thing)
        if case .model(let sha256, _) = error.lacking {
            self.shunnedPlaces = self.shunnedPlaces.filter { $0.value.until > now || $0.value.thing == thing }
            self.shunnedPlaces[.inRun(job.run, model)] = (thing, now + pause)
            let places = self.shunnedPlaces.filter { $0.value.thing == thing }.keys
            for place in places { self.shunnedPlaces[place]?.until = now + pause }
            if places.count >= Self.mostPlaces { self.shunnedModels[sha256] = now + pause / 2 }
        }
        self.shunned[job] = Lack(thing: thing, message: error.message, times: times, until: now + pause)
        if self.shunned.count >= Self.mostShunned { self.shunned = self.shunned.filter { $0.value.until > now } }
        guard self.missingInRow.count >= Self.limit || self.shunned.count >= Self.mostShunned else { return }
        self.isOfNoUse("\(self.shunned.count) jobs can't be worked on here; the last one: \(error.message)")
    }

    /// The results of the job come from another engine: nothing is missing here, and the queue offers no more of it.
    mutating func isUnlike(_ job: JobID, at now: ContinuousClock.Instant) {
        self.unlike = self.unlike.filter { $0.value > now }
        self.unlike[job] = now + Self.unlikePause
    }

    /// There is work, but no job that the worker could claim: it need not wait for one that it can't do.
    mutating func foundNothing() {
        guard self.endsWhenDrained, let (job, lack) = self.shunned.max(by: { $0.value.times < $1.value.times }),
            lack.times >= Self.limit
        else { return }
        self.isOfNoUse("job \(job.name) can't be worked on here: \(lack.message)")
    }

    /// Nothing can be done here at all.
    mutating func isOfNoUse(_ message: String) { self.reasonToLeave = self.reasonToLeave ?? message }

    /// Models whose jobs are not to be claimed now.
    func missingModels(at now: ContinuousClock.Instant) -> [MissingModel] {
        self.shunnedModels.filter { $0.value > now }.map { .anywhere($0.key) }
            + self.shunnedPlaces.filter { $0.value.until > now }.map(\.key)
    }

    /// What is left to others now, and why, for those who look at the worker: the job that is left for longest.
    func trouble(at now: ContinuousClock.Instant) -> Trouble? {
        let current = self.shunned.filter { $0.value.until > now }
        guard let (job, lack) = current.max(by: { ($0.value.until, $0.key.number) < ($1.value.until, $1.key.number) })
        else { return nil }
        let more = current.count > 1 ? ", nor \(current.count - 1) more" : ""
        return Trouble(text: "job \(job.name) can't be worked on here\(more): \(lack.message)", until: lack.until)
    }

    /// Jobs that are not to be claimed now.
    func shunned(at now: ContinuousClock.Instant) -> [JobID] {
        Set(self.shunned.filter { $0.value.until > now }.keys).union(self.unlike.filter { $0.value > now }.keys)
            .sorted { $0.number < $1.number }
    }

    /// How long to wait before the next claim; nil when nothing has failed since the last wait.
    mutating func pause(using generator: inout some RandomNumberGenerator) -> Duration? {
        guard self.failures >= Self.limit, self.failures > self.restedFailures else { return nil }
        self.restedFailures = self.failures
        return self.backoff.pause(using: &generator)
    }
}
