public import FoundationEssentials

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

    public init(job: JobID, state: WorkState, summary: String, reasons: [String], remedies: [String]) {
        self.job = job
        self.state = state
        self.summary = summary
        self.reasons = reasons
        self.remedies = remedies
    }
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

extension Explanation {
    /// Why shards that could be claimed are not.
    mutating func explainReady(_ facts: JobFacts) {
        let workers = facts.workers
        guard workers.live > 0 else {
            explainNobody(facts)
            explainGivenBack(facts)
            return
        }
        guard workers.suitable > 0 else {
            explainUnsuitable(facts)
            return
        }
        explainCaps(facts)
        guard facts.job.progress.shards.running == 0 || workers.here < workers.suitable else { return }
        explainGivenBack(facts)
        if facts.readyInHigherTiers > 0 {
            reasons.append(
                "\(counted(facts.readyInHigherTiers, "shard")) of higher priority \(facts.readyInHigherTiers == 1 ? "goes" : "go") "
                    + "first.")
            if let higher = Priority(rawValue: facts.job.priority.rawValue + 1) {
                remedies.append("assay priority \(job) \(higher.name)   moves it up a tier")
            }
        }
        if facts.readyInOlderJobs > 0 {
            reasons.append(
                "\(counted(facts.readyInOlderJobs, "shard")) of older jobs of project '\(facts.project.name)' "
                    + "\(facts.readyInOlderJobs == 1 ? "goes" : "go") first.")
        }
        if facts.readyInOtherProjects > 0 {
            reasons.append(
                "It shares the workers with \(counted(facts.readyInOtherProjects, "shard")) of other projects: "
                    + "'\(facts.project.name)' has weight \(facts.project.weight) and used "
                    + "\(Int(facts.project.usedSeconds)) s of device time lately.")
            remedies.append("assay project list   shows shares and caps")
        }
        if workers.busyElsewhere >= workers.suitable, workers.here == 0 {
            reasons.append(
                "\(workers.suitable == 1 ? "The only worker" : "All \(workers.suitable) workers") that could run it "
                    + "\(workers.suitable == 1 ? "has" : "have") a shard of something else in hand; the next shard "
                    + "is chosen when that one ends.")
        }
    }

    /// Workers leave a job that they lack something for to others, for ten minutes at most: what one of them said
    /// before that is history.
    private mutating func explainGivenBack(_ facts: JobFacts) {
        guard facts.workers.here == 0, let given = facts.givenBack else { return }
        let seconds = Int(max(0, facts.now.timeIntervalSince(given.at)).rounded())
        guard seconds < 900 else { return }
        reasons.append("A worker on \(given.host) gave a shard back \(seconds) s ago: \(given.reason)")
        remedies.append("assay worker list   shows what else workers lack")
    }

    /// Without workers it still matters which ones: any other would leave the job where it is.
    private mutating func explainNobody(_ facts: JobFacts) {
        let job = facts.job
        var needs: [String] = []
        var flags = ""
        let needed = WorkerLabel.shown(job.needLabels)
        if let rules = Self.otherRules(job) { return self.explain(otherRules: rules) }
        let labels = needed.filter { $0 != WorkerLabel.runsCode }
        if !labels.isEmpty {
            needs.append("labeled \(labels.joined(separator: ", "))")
            flags += labels.map { " --label \($0)" }.joined()
        }
        if labels.count < needed.count {
            needs.append("that runs programs")
            flags += " --run-code"
        }
        if let device = job.needDevice { needs.append("on a device of kind \(device)") }
        if job.needGPUMegabytes > 0 { needs.append("with \(job.needGPUMegabytes) MB of device memory") }
        let isThere = needs.isEmpty || (job.needDevice == nil && job.needGPUMegabytes == 0)
        if let engine = facts.engine {
            needs.append("with the engine of its results (\(EngineName(json: engine)?.description ?? engine))")
        }
        guard !needs.isEmpty else {
            reasons.append("No worker is alive.")
            remedies.append("assay-worker   starts one here")
            return
        }
        reasons.append("No worker is alive, and it needs one \(needs.joined(separator: " and ")).")
        let place = isThere ? "" : "; do it on a machine that has such a device"
        guard facts.engine != nil else { return remedies.append("assay-worker\(flags)   starts one\(place)") }
        remedies.append("assay-worker\(flags)   starts one; do it on a machine like that of its results")
        remedies.append(mixingRemedy)
    }

    private var mixingRemedy: String { "assay retry \(job) --any-engine   lets other engines finish it" }

    /// Workers are there, but none with the engine of the job's results.
    private mutating func explainEngine(_ engine: String, _ facts: JobFacts) {
        let count = facts.workers.unlike
        let start = "Its results so far come from one engine, and "
        if let other = facts.otherEngine {
            let difference = EngineName(json: engine).flatMap { own in
                EngineName(json: other).flatMap {
                    own.difference(from: $0, of: count == 1 ? "the worker" : "one of them")
                }
            }
            reasons.append(
                start
                    + (count == 1
                        ? "the only worker that could run it has another"
                        : "all \(count) workers that could run it have others")
                    + (difference.map { ": \($0)." } ?? "."))
        } else {
            reasons.append(
                start
                    + (count == 1
                        ? "the only worker that could run it does not say what its engine is: it is of an older release."
                        : "none of the \(count) workers that could run it says what its engine is: they are of an older "
                            + "release."))
        }
        remedies.append("assay-worker   starts one; do it on a machine like that of its results")
        remedies.append(mixingRemedy)
        remedies.append("Or submit it again with `mixed: allowed` in the job file.")
    }

    /// The rules of another release, by which the job was submitted.
    private static func otherRules(_ job: JobRecord) -> String? {
        job.needLabels.first { $0.hasPrefix(WorkerLabel.reservedPrefix) && $0 != WorkerLabel.rules }
    }

    private mutating func explain(otherRules rules: String) {
        reasons.append(
            "It was submitted with another release of Assay, which reads tasks by other rules (\(rules)); "
                + "no worker of that release is alive.")
        remedies.append("Submit it again with this release, or start a worker of that one.")
    }

    private mutating func explainUnsuitable(_ facts: JobFacts) {
        let (job, workers) = (facts.job, facts.workers)
        let labels = WorkerLabel.shown(job.needLabels)
        if let rules = Self.otherRules(job), workers.withLabels == 0 {
            self.explain(otherRules: rules)
        } else if !labels.isEmpty, workers.withLabels == 0 {
            reasons.append(
                "It needs workers labeled \(labels.joined(separator: ", ")); "
                    + "of the \(workers.live) alive none has these labels.")
            remedies.append(
                "assay-worker\(labels.map { $0 == WorkerLabel.runsCode ? " --run-code" : " --label \($0)" }.joined())"
                    + "   starts one that has")
        } else if !job.needLabels.isEmpty, workers.withLabels == 0 {
            reasons.append(
                "The \(workers.live) workers alive are of another release of Assay, which reads tasks by other rules.")
            remedies.append("assay-worker   starts one of this release")
        }
        if job.needGPUMegabytes > 0, workers.withMemory == 0 {
            reasons.append(
                "It needs \(job.needGPUMegabytes) MB of device memory; of the \(workers.live) workers alive none has "
                    + "as much.")
            remedies.append("Start a worker on a larger device, or submit it with a smaller `requires: gpu_mb`.")
        }
        if let device = job.needDevice, workers.withDevice == 0 {
            reasons.append("It needs a device of kind \(device); of the \(workers.live) workers alive none has one.")
            remedies.append("Start a worker on such a device, or submit it without `requires: device`.")
        }
        if reasons.isEmpty {
            if let engine = facts.engine, workers.unlike > 0 {
                return explainEngine(engine, facts)
            }
            if workers.draining == workers.live {
                reasons.append("Every worker alive is leaving (\(workers.draining)): they claim nothing more.")
            } else {
                reasons.append("Of \(workers.live) workers alive, none meets all of its requirements at once.")
            }
            remedies.append("assay worker list   shows what each worker offers")
        }
    }

    private mutating func explainCaps(_ facts: JobFacts) {
        let project = facts.project
        if let cap = project.hardCap, project.running >= cap {
            reasons.append(
                "Project '\(project.name)' runs \(project.running) shards, and its hard cap is \(cap): no more may run "
                    + "at once.")
            remedies.append("assay project set \(project.name) --hard-cap \(cap + max(1, cap / 2))   raises it")
        } else if let cap = project.softCap, project.running >= cap {
            reasons.append(
                "Project '\(project.name)' runs \(project.running) shards, and its soft cap is \(cap): beyond it others "
                    + "go first.")
            remedies.append("assay project set \(project.name) --soft-cap \(cap + max(1, cap / 2))   raises it")
        }
    }

    func counted(_ count: Int, _ thing: String) -> String { "\(count) \(thing)\(count == 1 ? "" : "s")" }
}

/// What bears on whether a job's shards run: the queue's answer at one moment.
public struct JobFacts: Sendable, Hashable, Encodable {
    public var job: JobRecord
    public var project: ProjectRecord
    /// The queue's clock.
    public var now: Date
    /// When the first of the shards that wait for their next attempt may be tried.
    public var nextAttemptAt: Date?
    /// What was said of one of the shards that failed, and of one that is held.
    public var failure: String?
    public var holdReason: String?
    /// Set where the last thing that went wrong is that a worker gave a shard back and said why.
    public var givenBack: GivenBack?
    /// What a worker that holds a shard of the job says of itself, after its host: "gpu-7: the store is away".
    public var trouble: String?
    /// The engine that its results come from, as JSON; nil where any may give the next one.
    public var engine: String?
    /// The engine of a worker that meets everything else, as JSON; nil where there is none, or none that says.
    public var otherEngine: String?
    public var workers: WorkerFacts
    /// Shards that could be claimed now and go first: of higher tiers, and of this project's older jobs in this tier.
    public var readyInHigherTiers: Int
    public var readyInOlderJobs: Int
    /// Shards that could be claimed now in the same tier in other projects, which share the devices.
    public var readyInOtherProjects: Int
    /// Device time for one sample, from what this model did on this task; nil where nothing is known.
    public var secondsPerSample: Double?

    /// How many living workers meet which of the job's requirements.
    public struct WorkerFacts: Sendable, Hashable, Encodable {
        public var live = 0
        /// Asked to leave: they claim nothing more.
        public var draining = 0
        public var withLabels = 0
        public var withMemory = 0
        public var withDevice = 0
        /// Meet everything, and are not leaving.
        public var suitable = 0
        /// Meet everything, and are not leaving, but have another engine than the job's.
        public var unlike = 0
        /// Suitable ones that hold a shard of some other job.
        public var busyElsewhere = 0
        /// Workers that hold a shard of this job.
        public var here = 0

        public init() {}
    }

    /// Why a worker did not compute a shard that it had.
    public struct GivenBack: Sendable, Hashable, Encodable {
        public var reason: String
        public var host: String
        public var at: Date

        public init(reason: String, host: String, at: Date) {
            self.reason = reason
            self.host = host
            self.at = at
        }
    }

    public init(
        job: JobRecord, project: ProjectRecord, now: Date, nextAttemptAt: Date? = nil, failure: String? = nil,
        holdReason: String? = nil, givenBack: GivenBack? = nil, trouble: String? = nil, engine: String? = nil,
        otherEngine: String? = nil,
        workers: WorkerFacts = WorkerFacts(), readyInHigherTiers: Int = 0, readyInOlderJobs: Int = 0,
        readyInOtherProjects: Int = 0, secondsPerSample: Double? = nil
    ) {
        self.job = job
        self.project = project
        self.now = now
        self.nextAttemptAt = nextAttemptAt
        self.failure = failure
        self.holdReason = holdReason
        self.givenBack = givenBack
        self.trouble = trouble
        self.engine = engine
        self.otherEngine = otherEngine
        self.workers = workers
        self.readyInHigherTiers = readyInHigherTiers
        self.readyInOlderJobs = readyInOlderJobs
        self.readyInOtherProjects = readyInOtherProjects
        self.secondsPerSample = secondsPerSample
    }
}

extension JobFacts {
    /// The device time that is left, in seconds; nil where nothing is known of the pace.
    public var secondsLeft: Double? {
        secondsPerSample.map { $0 * Double(max(0, job.progress.samples - job.progress.samplesDone)) }
    }

    /// When it will be done with the workers it has, or could have; nil where nobody can say.
    public var expectedDuration: Duration? {
        let devices = max(workers.here, min(workers.suitable, job.progress.shards.open))
        guard let secondsLeft, devices > 0, job.progress.shards.open > 0 else { return nil }
        return .seconds(secondsLeft / Double(devices))
    }
}

/// How long a run still takes, judged by how fast its models were on its tasks before.
public struct RunOutlook: Sendable, Hashable, Encodable {
    /// Device time for the samples that are left in jobs whose pace is known, in seconds.
    public var deviceSecondsLeft: Double
    /// Samples that are left in jobs of which nothing is known yet.
    public var samplesOfUnknownPace: Int
    /// Tokens a second and device of the models and tasks that are left; nil where nothing is known.
    public var tokensPerSecond: Double?
    public var openShards: Int
    /// Workers that hold a shard of it, and workers that could.
    public var workersHere: Int
    public var workersSuitable: Int

    public init(
        deviceSecondsLeft: Double = 0, samplesOfUnknownPace: Int = 0, tokensPerSecond: Double? = nil,
        openShards: Int = 0, workersHere: Int = 0, workersSuitable: Int = 0
    ) {
        self.deviceSecondsLeft = deviceSecondsLeft
        self.samplesOfUnknownPace = samplesOfUnknownPace
        self.tokensPerSecond = tokensPerSecond
        self.openShards = openShards
        self.workersHere = workersHere
        self.workersSuitable = workersSuitable
    }
}

extension RunOutlook {
    /// Workers that it has, or could have: more than shards are of no use.
    public var workers: Int { max(workersHere, min(workersSuitable, openShards)) }

    /// Until it has ended with these workers; nil where nobody can say.
    public var expectedDuration: Duration? {
        guard workers > 0, openShards > 0, samplesOfUnknownPace == 0 else { return nil }
        return .seconds(deviceSecondsLeft / Double(workers))
    }
}

/// A worker's or a job's engine in words, from the JSON that workers say of theirs.
public struct EngineName: Sendable, Hashable, CustomStringConvertible {
    private let members: [String: String]

    /// - Returns: Nil for what is no such JSON.
    public init?(json: String) {
        guard let members = try? JSONDecoder().decode([String: String].self, from: Data(json.utf8)) else { return nil }
        self.members = members
    }

    /// Such as "llama.cpp b7001 on cpu-avx512".
    public var description: String {
        let names = [members["engine"], members["build"]].compactMap { $0 }.joined(separator: " ")
        return (names.isEmpty ? "an engine" : names) + (members["device_kind"].map { " on \($0)" } ?? "")
    }
}

extension EngineName {
    /// What people know best comes first.
    private static let order = [
        "engine", "build", "device_kind", "cpu_features", "gpu_features", "gpu_driver", "plan_version",
    ]

    /// The first thing in which another engine differs from this one; nil where nothing does.
    ///
    /// - Parameter owner: Whose the other engine is.
    func difference(from other: EngineName, of owner: String) -> String? {
        let rest = Set(members.keys).union(other.members.keys).subtracting(Self.order).sorted()
        guard let name = (Self.order + rest).first(where: { members[$0] != other.members[$0] }) else { return nil }
        let (own, others) = (members[name], other.members[name])
        if name.hasSuffix("_features"), let own, let others {
            let (mine, theirs) = (Self.features(own), Self.features(others))
            let missing = mine.subtracting(theirs).sorted().joined(separator: ", ")
            let additional = theirs.subtracting(mine).sorted().joined(separator: ", ")
            let parts = [
                missing.isEmpty ? nil : "lacks \(missing)", additional.isEmpty ? nil : "has \(additional) besides",
            ].compactMap { $0 }
            return "of \(name), \(owner) \(parts.joined(separator: " and "))"
        }
        return "\(name) is \(own ?? "not said") in the results and \(others ?? "not said") on \(owner)"
    }

    private static func features(_ list: String) -> Set<String> {
        Set(list.split(separator: ",").map(String.init))
    }
}
