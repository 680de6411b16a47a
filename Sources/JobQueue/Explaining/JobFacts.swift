public import FoundationEssentials

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
