/// One job of a run: one model, one task, one set of settings.
public struct JobSubmission: Sendable, Hashable, Codable {
    /// The place in the run; the jobs of a run are numbered from 0 without gaps.
    public var ordinal: Int
    public var task: String
    /// The model's name, for people.
    public var model: String
    /// 64 lower-case hexadecimal digits; what a worker compares with the models that it has loaded.
    public var modelSHA256: String
    /// All that a worker needs to know, as JSON; opaque to the queue, stored once per content.
    public var specification: String
    /// The number of samples; the shards cover exactly these rows.
    public var sampleCount: Int
    /// In order, without gaps, from row 0.
    public var shards: [ShardRange]
    /// A worker must carry all of these labels.
    public var needLabels: [String]
    public var needGPUMegabytes: Int
    /// The kind of device that it must run on, for example "cuda"; nil for any.
    public var needDevice: String?
    /// Failures after which a shard is given up; a lost worker does not count as one.
    public var maxAttempts: Int
    /// More given-up shards than this hold the job; nil for no limit.
    public var maxFailures: Int?
    /// What must end before anything of this job is claimed.
    public var after: [JobDependency]
    /// True lets its results come from several engines.
    public var mixed: Bool?
    /// A sha256 over all that its samples depend on but the engine; nil where nobody says.
    public var work: String?

    public init(
        ordinal: Int, task: String, model: String, modelSHA256: String, specification: String, sampleCount: Int,
        shards: [ShardRange], needLabels: [String] = [], needGPUMegabytes: Int = 0, needDevice: String? = nil,
        maxAttempts: Int = 3, maxFailures: Int? = nil, after: [JobDependency] = [], mixed: Bool? = nil,
        work: String? = nil
    ) {
        self.ordinal = ordinal
        self.task = task
        self.model = model
        self.modelSHA256 = modelSHA256
        self.specification = specification
        self.sampleCount = sampleCount
        self.shards = shards
        self.needLabels = needLabels
        self.needGPUMegabytes = needGPUMegabytes
        self.needDevice = needDevice
        self.maxAttempts = maxAttempts
        self.maxFailures = maxFailures
        self.after = after
        self.mixed = mixed
        self.work = work
    }
}

/// A contiguous range of a job's samples.
public struct ShardRange: Sendable, Hashable, Codable {
    public var rowStart: Int
    public var rowCount: Int

    public init(rowStart: Int, rowCount: Int) {
        self.rowStart = rowStart
        self.rowCount = rowCount
    }
}
