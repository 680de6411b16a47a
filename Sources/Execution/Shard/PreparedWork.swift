internal import Evaluation
internal import Inference
internal import JobQueue
internal import ResultStore

/// A shard whose prompts are written, and its requests too if its engine was there.
struct PreparedWork: PreparedShard {
    let runner: ShardRunner
    let shard: ClaimedShard
    let job: JobSpecification
    let work: ShardWork
    let reused: ReusedSamples
    var requests: ShardRequests?

    func compute(
        progress: @escaping @Sendable (_ samples: Int, _ tokens: Int) -> Void
    ) async throws(ExecutionError) -> any ComputedShard {
        try ShardRunner.checkCancellation()
        if self.work.samples.isEmpty, let engine = self.reused.engine {
            // Nothing is left to compute: no model is loaded for it.
            progress(self.shard.rowCount, 0)
            return ComputedWork(
                runner: self.runner, shard: self.shard, job: self.job, work: self.work, reused: self.reused,
                requests: ShardRequests(bySample: []), responses: [], engine: engine)
        }
        let engine = try await self.runner.engines.engine(for: self.job) { progress(0, 0) }
        let requests: ShardRequests
        if let made = self.requests {
            requests = made
        } else {
            requests = try await self.runner.requests(of: self.work, self.job, for: engine)
        }
        do {
            let counter = SampleCounter(requests)
            let there = self.reused.samples.count
            let responses = try await engine.run(requests.flat) { done in
                progress(there + counter.samples(finishedWith: done.requestsDone), done.computedTokens)
            }
            return ComputedWork(
                runner: self.runner, shard: self.shard, job: self.job, work: self.work, reused: self.reused,
                requests: requests, responses: responses, engine: engine.identity)
        } catch {
            throw ExecutionError(engineError: error, in: self.work, requests)
        }
    }
}

extension ExecutionError {
    /// Names the row of the request at fault, where one is: nobody knows requests by their numbers.
    fileprivate init(engineError error: EngineError, in work: ShardWork, _ requests: ShardRequests) {
        self.init(engineError: error)
        guard var rest = error.requestIndex else { return }
        for (sample, requests) in zip(work.samples, requests.bySample) {
            let count = requests.reduce(0) { $0 + $1.count }
            guard rest >= count else {
                self.message = "row \(sample.row) (sample \(sample.sampleID)), request \(rest): \(error.message)"
                return
            }
            rest -= count
        }
    }
}

/// A shard's responses; it does not hold the engine, so that another model can take its place.
struct ComputedWork: ComputedShard {
    let runner: ShardRunner
    let shard: ClaimedShard
    let job: JobSpecification
    let work: ShardWork
    let reused: ReusedSamples
    let requests: ShardRequests
    let responses: [EngineResponse]
    let engine: EngineIdentity
    /// Programs are run once, however often publishing is tried.
    let verdicts = KeptVerdicts()

    func publish(sign: @escaping @Sendable () -> Void) async throws(ExecutionError) -> ShardPublication {
        let programs = try await self.runner.programs(of: self)
        let verdicts = try await self.verdicts.value { () async throws(ExecutionError) in
            try await self.runner.verdicts(on: programs, sign: sign)
        }
        sign()
        let samples = try await self.runner.samples(of: self, verdicts)
        sign()
        try ShardRunner.checkCancellation()
        var engine = self.engine
        // The judge is part of what the result depends on, in shards without programs, too: a job has one engine.
        if self.work.task.configuration.runsCode, let name = self.runner.programs?.name {
            engine.engineBuild += "; \(name)"
        }
        var header = try ShardHeader(self.shard, job: self.job, engine: engine)
        header.reusedFrom = self.reused.sources
        return try await self.runner.store.publish(
            self.reused.merged(with: samples), of: self.shard, header: header, computed: samples)
    }
}

extension Store {
    /// Writes a shard's samples; what goes wrong is the store's fault or the samples', as the code says.
    ///
    /// - Parameter computed: Those whose tokens count as work; all if not given.
    func publish(
        _ samples: [SampleResult], of shard: ClaimedShard, header: ShardHeader, computed: [SampleResult]? = nil
    ) async throws(ExecutionError) -> ShardPublication {
        do {
            let file = try await self.publishShard(
                header, samples: samples, epoch: shard.epoch.rawValue, incarnation: shard.incarnation.uuid)
            return ShardPublication(
                path: file.path, bytes: Int64(file.bytes), sha256: file.sha256, digest: file.digest,
                samples: samples.count,
                tokens: (computed ?? samples).reduce(0) { $0 + $1.promptTokens + $1.generatedTokens }, seconds: 0)
        } catch {
            throw ExecutionError(writing: error)
        }
    }
}

extension ExecutionError {
    /// What it means that a result can't be published.
    init(writing error: StoreError) {
        let code: Code =
            switch error.code {
            case .invalidInput: .permanent
            case .noSpace: .storeFull
            case .unavailableStore, .inputOutput: .storeUnavailable
            case .unusableStore: .storeRefused
            default: .transient
            }
        self.init(code, "\(error)")
    }

    /// What it means that a data set, or another file of the store, can't be read.
    init(reading error: StoreError, lacking: ExecutionError.Thing? = nil) {
        let code: Code =
            switch error.code {
            case .noSpace, .unavailableStore, .inputOutput: .storeUnavailable
            case .unusableStore: .storeRefused
            // Another node may see the file, or see it whole.
            case .missing, .corrupt, .malformed: .nodeFault
            default: .transient
            }
        self.init(code, "\(error)", lacking: code == .nodeFault ? lacking : nil)
    }
}
