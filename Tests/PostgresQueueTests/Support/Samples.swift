import JobQueue

let hexadecimalA = String(repeating: "a", count: 64)
let hexadecimalB = String(repeating: "b", count: 64)

func job(
    _ ordinal: Int = 0, shards: Int = 3, rows: Int = 10, model: String = hexadecimalA, specification: String = "{}",
    needLabels: [String] = [], needGPUMegabytes: Int = 0, needDevice: String? = nil, maxAttempts: Int = 3,
    maxFailures: Int? = nil, after: [JobDependency] = [], mixed: Bool? = nil
) -> JobSubmission {
    JobSubmission(
        ordinal: ordinal, task: "task\(ordinal)", model: "model", modelSHA256: model, specification: specification,
        sampleCount: shards * rows, shards: (0..<shards).map { ShardRange(rowStart: $0 * rows, rowCount: rows) },
        needLabels: needLabels, needGPUMegabytes: needGPUMegabytes, needDevice: needDevice,
        maxAttempts: maxAttempts, maxFailures: maxFailures, after: after, mixed: mixed)
}

func submission(
    _ id: String = "k3f9x2a0", project: String = "default", priority: Priority = .normal,
    _ jobs: [JobSubmission] = [job()]
) throws -> RunSubmission {
    RunSubmission(
        id: try RunID(id), name: "run \(id)", project: project, user: "ada", priority: priority,
        specification: #"{"file": "demo.yaml"}"#, jobs: jobs)
}

func submission(_ jobs: [JobSubmission]) throws -> RunSubmission {
    try submission("k3f9x2a0", jobs)
}

func worker(
    labels: [String] = [], gpuMegabytes: Int = 0, deviceKind: String = "cpu", warmModels: [String] = [],
    identity: String? = nil
) -> WorkerDescription {
    WorkerDescription(
        host: "node1", pid: 4711, device: deviceKind, deviceKind: deviceKind, labels: labels,
        gpuMegabytes: gpuMegabytes, engine: "test 1",
        warmModels: warmModels, identity: identity)
}

func publication(of shard: ClaimedShard, seconds: Double = 1.5, sha256: String = hexadecimalB) -> ShardPublication {
    ShardPublication(
        path: "runs/\(shard.run)/\(shard.jobName)/"
            + "\(shard.jobName).shard-\(shard.index).e\(shard.epoch).\(shard.incarnation).h5",
        bytes: 1000, sha256: sha256, digest: "digest-\(shard.index)", samples: shard.rowCount, tokens: 70,
        seconds: seconds)
}

func failure(_ message: String = "out of memory", isPermanent: Bool = false) -> ShardFailure {
    ShardFailure(message: message, isPermanent: isPermanent, seconds: 0.5)
}

extension FailureOutcome {
    /// The longest time until the retry that it promises; nil for any other outcome.
    var wait: Duration? {
        if case .retry(let wait) = self { wait } else { nil }
    }
}

extension JobQueue {
    /// The only job of a run.
    func onlyJob(of run: String = "k3f9x2a0") async throws -> JobRecord {
        try await job(matching: "\(run).0")
    }
}
