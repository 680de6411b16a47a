internal import Evaluation
internal import Inference
public import JobQueue
internal import Logging
internal import ResultStore
internal import WorkerLogic

/// Results of other jobs that are what a shard's would be, in part or in full: the queue's answer.
public typealias EqualResultFinder = @Sendable (ClaimedShard) async throws(QueueError) -> [EqualResult]

/// Samples that need not be computed, because other jobs have them.
struct ReusedSamples: Sendable {
    /// By the row of the data set.
    private(set) var samples: [Int: SampleResult] = [:]
    /// Jobs, and how many samples come from each.
    private(set) var sources: [String: Int] = [:]
    /// What computed them; `nil` where nobody was asked for it.
    var engine: EngineIdentity?

    /// So many jobs are named; the rest of a shard's samples is computed.
    private static let mostSources = 100

    /// Takes those of a result that are asked for and not there yet.
    mutating func take(_ shard: Shard, of job: String, in rows: Range<Int>) {
        guard self.sources[job] != nil || self.sources.count < Self.mostSources else { return }
        for sample in shard.samples where rows.contains(sample.row) && self.samples[sample.row] == nil {
            self.samples[sample.row] = sample
            self.sources[job, default: 0] += 1
        }
    }

    /// These and `computed`, in the order of rows.
    func merged(with computed: [SampleResult]) -> [SampleResult] {
        guard !self.samples.isEmpty else { return computed }
        return (Array(self.samples.values) + computed).sorted { $0.row < $1.row }
    }
}

extension ShardRunner {
    /// The samples of a shard that other jobs have already, where its job asks for them.
    ///
    /// What can't be read, or is not what its job is said to be, is computed: nothing depends on whether there is something.
    func reused(_ shard: ClaimedShard, _ job: JobSpecification) async throws(ExecutionError) -> ReusedSamples {
        var reused = ReusedSamples()
        guard job.settings.reuse == true, let find = self.equalResults else { return reused }
        let engine: EngineIdentity
        do throws(EngineError) {
            engine = try await self.engines.identity(for: job)
        } catch {
            throw ExecutionError(error, model: job.model)
        }
        // On GPUs numbers depend on more than the work.
        guard engine.settings["invariance"] == Invariance.strict.rawValue else { return reused }
        reused.engine = engine
        let header = try ShardHeader(shard, job: job, engine: engine)
        let rows = shard.rowStart..<(shard.rowStart + shard.rowCount)
        var missing = Set(rows)
        let found: [EqualResult]
        do throws(QueueError) {
            found = try await find(shard)
        } catch {
            self.logger.notice("equal results can't be asked for", metadata: ["error": "\(error)"])
            return reused
        }
        for result in found where !missing.isEmpty {
            let end = result.range.rowStart + result.range.rowCount
            guard (result.range.rowStart..<end).contains(where: missing.contains) else { continue }
            try Self.checkCancellation()
            do throws(StoreError) {
                let other = try await self.store.readShard(result.path, sha256: result.sha256)
                guard other.header.isEqualWork(header) else { continue }
                reused.take(other, of: result.job.name, in: rows)
                missing.subtract(other.samples.map(\.row))
            } catch {
                self.logger.warning(
                    "an equal result can't be read, and is computed again",
                    metadata: ["path": "\(result.path)", "error": "\(error)"])
            }
        }
        if !reused.samples.isEmpty {
            self.logger.info(
                "samples taken over from equal work",
                metadata: [
                    "shard": "\(shard.key)", "samples": "\(reused.samples.count) of \(shard.rowCount)",
                    "jobs": "\(reused.sources.keys.sorted().joined(separator: ", "))",
                ])
        }
        return reused
    }
}

extension ShardHeader {
    /// Whether a sample of one has the bits that it would have in the other, if it is in both.
    fileprivate func isEqualWork(_ other: ShardHeader) -> Bool {
        self.modelSHA256 == other.modelSHA256 && self.tokenizerSHA256 == other.tokenizerSHA256
            && self.datasetSHA256 == other.datasetSHA256 && self.taskHash == other.taskHash
            && self.engine == other.engine && self.engineBuild == other.engineBuild
            && self.deviceKind == other.deviceKind && self.settings != nil && self.settings == other.settings
            && self.logitsMode == other.logitsMode
    }
}
