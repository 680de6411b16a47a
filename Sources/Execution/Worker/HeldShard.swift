internal import JobQueue
internal import Logging

/// A worker's time in the queue, under one lease after the other.
struct Tenure: Sendable {
    let board: LeaseBoard
    let keeper: LeaseKeeper
    let logger: Logger

    /// Whose lines name the shard, the attempt and the worker.
    func logger(for shard: ClaimedShard) -> Logger {
        var logger = self.logger
        logger[metadataKey: "worker"] = "\(shard.worker)"
        logger[metadataKey: "shard"] = "\(shard.key)"
        logger[metadataKey: "attempt"] = "\(shard.attempt)"
        return logger
    }
}

/// A claimed shard that is being prepared, or is ready to be computed.
struct HeldShard: Sendable {
    let shard: ClaimedShard
    let preparation: Task<Result<any PreparedShard, ExecutionError>, Never>
}

/// The outcome of a shard on the device.
struct Computation: Sendable {
    let result: Result<any ComputedShard, ExecutionError>
    /// Time on the device.
    let duration: Duration
}

extension Result where Failure == ExecutionError, Success: Sendable {
    /// The result of a body, whose error keeps its type across a task.
    static func of(_ body: () async throws(ExecutionError) -> Success) async -> Self {
        do {
            return .success(try await body())
        } catch {
            return .failure(error)
        }
    }
}
