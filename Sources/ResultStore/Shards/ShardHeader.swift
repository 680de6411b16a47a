public import Evaluation

/// What a shard's file says about itself: the identity of the work and where the shard stands in its job.
///
/// Hashes are lowercase hexadecimal SHA-256. There are no host names, times or attempts in it; they stand in the database.
public struct ShardHeader: Sendable, Hashable {
    /// The run's short identifier, and the name of its folder.
    public var runID: String
    /// The job's identifier, such as "k3f9m2ab.1", and the name of its folder.
    public var jobID: String
    /// The shard's number in its job, from 0.
    public var shardIndex: Int
    /// The first sample of the shard, counted over the job's samples.
    public var rowStart: Int
    /// The number of samples.
    public var rowCount: Int
    public var modelSHA256: String
    public var tokenizerSHA256: String
    public var datasetSHA256: String
    public var taskHash: String
    /// The engine's name, such as "llama.cpp".
    public var engine: String
    public var engineBuild: String
    /// Such as "cpu" or "cuda".
    public var deviceKind: String
    /// What else the numbers depend on; `nil` in files that were published before it was kept.
    public var settings: ResultSettings?
    public var logitsMode: LogitsMode
    /// The configuration as canonical JSON text; descriptive, and no part of the logical digest.
    public var provenance: String
    /// The jobs that samples were taken over from, and how many from each; descriptive, and no part of the logical digest.
    public var reusedFrom: [String: Int] = [:]
    /// What a reader has to know; set when the shard is published.
    public internal(set) var schemaVersion: Int

    public init(
        runID: String, jobID: String, shardIndex: Int, rowStart: Int, rowCount: Int, modelSHA256: String,
        tokenizerSHA256: String, datasetSHA256: String, taskHash: String, engine: String, engineBuild: String,
        deviceKind: String, settings: ResultSettings? = nil, logitsMode: LogitsMode, provenance: String
    ) {
        self.settings = settings
        self.schemaVersion = settings == nil ? 1 : 3
        self.runID = runID
        self.jobID = jobID
        self.shardIndex = shardIndex
        self.rowStart = rowStart
        self.rowCount = rowCount
        self.modelSHA256 = modelSHA256
        self.tokenizerSHA256 = tokenizerSHA256
        self.datasetSHA256 = datasetSHA256
        self.taskHash = taskHash
        self.engine = engine
        self.engineBuild = engineBuild
        self.deviceKind = deviceKind
        self.logitsMode = logitsMode
        self.provenance = provenance
    }
}

/// How the engine computed, and how prompts were written.
public struct ResultSettings: Sendable, Hashable {
    /// A JSON object with sorted keys: every setting of the engine that numbers may depend on, with what was chosen by itself.
    public var engine: String
    /// The SHA-256 of how rows become prompts, and prompts tokens, as far as the task does not say it; hexadecimal.
    public var promptsHash: String

    public init(engine: String, promptsHash: String) {
        self.engine = engine
        self.promptsHash = promptsHash
    }
}
