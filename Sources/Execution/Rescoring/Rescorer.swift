internal import Evaluation
internal import Inference
public import JobQueue
public import ResultStore

/// Scores the answers of finished jobs anew, without an engine: what a worker runs instead of a model.
public actor Rescorer: ShardProcessor {
    nonisolated let store: Store
    /// By the new job's name.
    private let sources: [String: (job: RescoredJob, pair: TaskPair)]

    public init(store: Store, sources: [String: (job: RescoredJob, pair: TaskPair)]) {
        self.store = store
        self.sources = sources
    }

    public func prepare(_ shard: ClaimedShard) async throws(ExecutionError) -> any PreparedShard {
        guard let source = self.sources[shard.jobName], source.job.results.indices.contains(shard.index) else {
            throw ExecutionError(.permanent, "nothing is known of what job \(shard.jobName) is scored from")
        }
        let result = source.job.results[shard.index]
        guard result.range == shard.range else {
            throw ExecutionError(.permanent, "shard \(shard.index) of job \(source.job.name) has other rows")
        }
        let specification: JobSpecification
        let stored: Shard
        do {
            specification = try JobSpecification(json: shard.specification)
        } catch {
            throw ExecutionError(.permanent, "\(error)")
        }
        do {
            stored = try await self.store.readShard(result.publication.path, sha256: result.publication.sha256)
        } catch {
            // No other process has what this one knows: a result that is not there fails the shard.
            let reason = ExecutionError(reading: error)
            throw reason.code == .nodeFault ? ExecutionError(.permanent, reason.message) : reason
        }
        return RescoredShard(
            store: self.store, shard: shard, job: specification, pair: source.pair, stored: stored)
    }
}

/// A shard on its way from old scores to new ones.
private struct RescoredShard: PreparedShard, ComputedShard {
    let store: Store
    let shard: ClaimedShard
    let job: JobSpecification
    let pair: TaskPair
    let stored: Shard

    func compute(
        progress: @escaping @Sendable (_ samples: Int, _ tokens: Int) -> Void
    ) async throws(ExecutionError) -> any ComputedShard { self }

    func publish(sign: @escaping @Sendable () -> Void) async throws(ExecutionError) -> ShardPublication {
        var samples: [SampleResult] = []
        do {
            for stored in self.stored.samples {
                samples.append(try self.pair.scored.rescore(try self.pair.sample(row: stored.row), stored))
                sign()
            }
        } catch {
            throw ExecutionError(.permanent, "\(error)")
        }
        let before = self.stored.header
        let engine = EngineIdentity(
            engine: before.engine, engineBuild: before.engineBuild, deviceKind: before.deviceKind, modelName: "")
        var header = try ShardHeader(self.shard, job: self.job, engine: engine)
        header.settings = before.settings
        return try await self.store.publish(samples, of: self.shard, header: header)
    }
}
