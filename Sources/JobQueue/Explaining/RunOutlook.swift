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
