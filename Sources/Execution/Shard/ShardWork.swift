internal import Evaluation
internal import Inference
internal import JobQueue

/// A shard's samples on their way from rows to scores.
struct ShardWork {
    let task: EvaluationTask
    private(set) var samples: [PreparedSample]
    private let isChat: Bool
    private let rules: TokenRules

    init(
        task: EvaluationTask, dataSet: DataSet, range: ShardRange, settings: JobSpecification.Settings
    ) throws(ExecutionError) {
        self.task = task
        self.isChat = settings.chat != nil
        self.rules = settings.tokens ?? TokenRules()
        do {
            let style = try settings.promptStyle()
            self.samples = try dataSet.documents(in: range.rowStart..<(range.rowStart + range.rowCount))
                .map { (document) throws(TaskError) in try task.prepare(document, style: style) }
        } catch {
            throw ExecutionError(.permanent, "\(error)")
        }
    }

    /// Leaves out what need not be computed, by its rows.
    mutating func leaveOut(_ rows: some Collection<Int>) {
        guard !rows.isEmpty else { return }
        let rows = Set(rows)
        self.samples.removeAll { rows.contains($0.row) }
    }

    /// The engine's requests: by sample, by request of the sample, by window.
    func tokenized(by engine: any Engine, overflow: OverflowPolicy) throws(ExecutionError) -> ShardRequests {
        var bySample: [[[EngineRequest]]] = []
        bySample.reserveCapacity(self.samples.count)
        for sample in self.samples {
            do {
                bySample.append(
                    try sample.requests.map { (request) throws(TaskError) in
                        try request.tokenized(
                            by: engine.tokenizer, maxLength: engine.maxLength, overflow: overflow,
                            isChat: self.isChat, rules: self.rules)
                    })
            } catch {
                throw ExecutionError(.permanent, "row \(sample.row) (sample \(sample.sampleID)): \(error)")
            }
        }
        return ShardRequests(bySample: bySample)
    }

    /// The programs that decide the scores, by sample; none unless the task runs code.
    func programs(
        _ requests: ShardRequests, _ responses: [EngineResponse]
    ) throws(ExecutionError) -> [[String]] {
        guard self.task.configuration.runsCode else { return self.samples.map { _ in [] } }
        return try self.map(requests, responses) { sample, requests, responses throws(TaskError) in
            try self.task.programs(sample, requests: requests, responses: responses)
        }
    }

    /// - Parameter verdicts: On the programs of each sample.
    func scored(
        _ requests: ShardRequests, _ responses: [EngineResponse], _ verdicts: [[ProgramVerdict]], mode: LogitsMode
    ) throws(ExecutionError) -> [SampleResult] {
        var rest = verdicts[...]
        return try self.map(requests, responses) { sample, requests, responses throws(TaskError) in
            try self.task.score(
                sample, requests: requests, responses: responses, logitsMode: mode, verdicts: rest.popFirst() ?? [])
        }
    }

    /// Hands each sample its requests and the engine's responses to them.
    private func map<Result>(
        _ requests: ShardRequests, _ responses: [EngineResponse],
        _ body: (PreparedSample, [[EngineRequest]], [[EngineResponse]]) throws(TaskError) -> Result
    ) throws(ExecutionError) -> [Result] {
        guard responses.count == requests.flat.count else {
            throw ExecutionError(
                .permanent, "the engine gave \(responses.count) responses to \(requests.flat.count) requests")
        }
        var next = responses.startIndex
        var results: [Result] = []
        results.reserveCapacity(self.samples.count)
        for (sample, requests) in zip(self.samples, requests.bySample) {
            let own = requests.map { windows in
                defer { next += windows.count }
                return Array(responses[next..<(next + windows.count)])
            }
            do throws(TaskError) {
                results.append(try body(sample, requests, own))
            } catch {
                throw ExecutionError(.permanent, "\(error)")
            }
        }
        return results
    }
}

/// Requests by sample, and the same in one row as the engine takes them.
struct ShardRequests: Sendable {
    let bySample: [[[EngineRequest]]]
    let flat: [EngineRequest]

    init(bySample: [[[EngineRequest]]]) {
        self.bySample = bySample
        self.flat = bySample.flatMap { $0.flatMap { $0 } }
    }
}

/// Turns finished requests into finished samples, for progress.
struct SampleCounter: Sendable {
    private let requestsPerSample: Double

    init(_ requests: ShardRequests) {
        self.requestsPerSample =
            requests.bySample.isEmpty ? 1 : max(Double(requests.flat.count) / Double(requests.bySample.count), 1)
    }

    func samples(finishedWith requests: Int) -> Int { Int(Double(requests) / self.requestsPerSample) }
}
