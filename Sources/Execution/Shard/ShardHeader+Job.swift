internal import Evaluation
internal import FoundationEssentials
internal import Inference
internal import JobQueue
internal import ResultStore

extension ShardHeader {
    /// The header of a shard's file: what the work is, never who did it or when.
    init(_ shard: ClaimedShard, job: JobSpecification, engine: EngineIdentity) throws(ExecutionError) {
        self.init(
            runID: shard.run.description, jobID: shard.jobName, shardIndex: shard.index, rowStart: shard.rowStart,
            rowCount: shard.rowCount, modelSHA256: job.model.sha256, tokenizerSHA256: job.model.tokenizerSHA256,
            datasetSHA256: job.dataSet.sha256, taskHash: job.task.hash, engine: engine.engine,
            engineBuild: engine.engineBuild, deviceKind: engine.deviceKind,
            settings: try Self.settings(job, engine), logitsMode: job.settings.logits,
            provenance: try Self.provenance(job))
    }

    private static func settings(
        _ job: JobSpecification, _ engine: EngineIdentity
    ) throws(ExecutionError) -> ResultSettings? {
        guard !engine.settings.isEmpty else { return nil }
        do {
            return ResultSettings(engine: engine.settingsJSON, promptsHash: try job.settings.promptsHash())
        } catch {
            throw ExecutionError(.permanent, "the job's settings can't be written as JSON: \(error)")
        }
    }

    /// The job's specification without the place of the model's file, which differs from machine to machine.
    private static func provenance(_ job: JobSpecification) throws(ExecutionError) -> String {
        var job = job
        job.model.path = ""
        do {
            return try job.json()
        } catch {
            throw ExecutionError(.permanent, "the job's specification can't be written as JSON: \(error)")
        }
    }
}
