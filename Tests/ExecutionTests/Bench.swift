import Execution
import Foundation
import JobQueue
import Logging
import MemoryQueue
import Synchronization
import Testing
import UVEventLoop
import WorkerLogic

/// A queue in memory with one job, and what a worker needs besides.
struct Bench: Sendable {
    let queue: InMemoryJobQueue
    let clock: ManualClock
    let loop: EventLoop
    let run: RunID

    static let modelSHA256 = String(repeating: "a", count: 64)
    static let description = WorkerDescription(host: "test", pid: 1, device: "cpu", engine: "scripted")

    init(shards: Int) async throws {
        let clock = ManualClock(secondsSince1970: 0)
        self.clock = clock
        self.loop = try EventLoop(name: "worker-test")
        self.queue = InMemoryJobQueue(pollInterval: .milliseconds(1), jitter: { 0 }, now: { clock.now })
        let submission = Self.submission(shards: shards)
        self.run = submission.id
        _ = try await self.queue.submit(submission)
    }

    static func submission(shards: Int, priority: Priority = .normal) -> RunSubmission {
        RunSubmission(
            name: "test", user: "tester", priority: priority, specification: "{}",
            jobs: [
                JobSubmission(
                    ordinal: 0, task: "t", model: "m", modelSHA256: Self.modelSHA256,
                    specification: "{}", sampleCount: shards,
                    shards: (0..<shards).map { ShardRange(rowStart: $0, rowCount: 1) })
            ])
    }

    func worker(
        _ processor: any ShardProcessor, description: WorkerDescription = Self.description,
        queue: (any WorkQueue)? = nil, heartbeatQueue: (any WorkQueue)? = nil,
        leaseTTL: Duration = WorkerLease.defaultTTL, shardLimit: Int? = nil, prefetches: Bool = true,
        storePatience: Duration = .seconds(1800), stallLimit: Duration = .seconds(900), endsWhenDrained: Bool = true,
        careInterval: ClosedRange<Double> = 5...15,
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
        onStall: @escaping @Sendable (String) -> Void = { Issue.record("the worker hangs: \($0)") }
    ) -> Worker {
        let queue = queue ?? self.queue
        return Worker(
            description: description,
            options: WorkerOptions(
                endsWhenDrained: endsWhenDrained, shardLimit: shardLimit, leaseTTL: leaseTTL, prefetches: prefetches,
                storePatience: storePatience, stallLimit: stallLimit, careInterval: careInterval),
            queue: queue, heartbeatQueue: heartbeatQueue ?? queue, heartbeatLoop: self.loop, processor: processor,
            logger: logger, onStall: onStall)
    }

    func end() async { await self.loop.shutDown() }

    func shards() async throws -> [ShardRecord] {
        try await self.queue.shards(of: try await self.queue.jobs(of: self.run)[0].id)
    }

    func attempts() async throws -> [AttemptRecord] {
        try await self.queue.attempts(of: try await self.queue.jobs(of: self.run)[0].id)
    }

    func committedShards() async throws -> [Int] {
        try await self.queue.results(of: try await self.queue.jobs(of: self.run)[0].id).map(\.key.index)
    }
}

/// Does with each shard what the test says, and remembers the order.
final class ScriptedProcessor: ShardProcessor {
    typealias Script = @Sendable (ClaimedShard) async -> Result<ShardPublication, ExecutionError>

    private let script: Script
    private let indices = Mutex<[Int]>([])

    init(_ script: @escaping Script) { self.script = script }

    /// Computes until the task is cancelled, as an engine between two decodes, and then does what the script says.
    static func untilCancelled(then script: @escaping Script) -> ScriptedProcessor {
        ScriptedProcessor { shard in
            for await _ in AsyncStream<Void>.makeStream().stream {}
            return await script(shard)
        }
    }

    var processed: [Int] { self.indices.withLock { $0 } }

    func prepare(_ shard: ClaimedShard) async throws(ExecutionError) -> any PreparedShard {
        ScriptedShard(shard: shard, processor: self)
    }

    func process(_ shard: ClaimedShard) async -> Result<ShardPublication, ExecutionError> {
        self.indices.withLock { $0.append(shard.index) }
        return await self.script(shard)
    }
}

private struct ScriptedShard: PreparedShard, ComputedShard {
    let shard: ClaimedShard
    let processor: ScriptedProcessor
    var publication: ShardPublication?

    func compute(
        progress: @escaping @Sendable (_ samples: Int, _ tokens: Int) -> Void
    ) async throws(ExecutionError) -> any ComputedShard {
        // Nearly done, so that the next shard may be claimed.
        progress(self.shard.rowCount, 0)
        var copy = self
        copy.publication = try await self.processor.process(self.shard).get()
        return copy
    }

    func publish(sign: @escaping @Sendable () -> Void) async throws(ExecutionError) -> ShardPublication {
        guard let publication = self.publication else { throw ExecutionError(.permanent, "not computed") }
        return publication
    }
}

extension ShardProcessor where Self == ScriptedProcessor {
    static var publishing: ScriptedProcessor { ScriptedProcessor { .success($0.publication) } }
}

extension ClaimedShard {
    var publication: ShardPublication {
        ShardPublication(
            path: "runs/\(self.key)/e\(self.epoch)", bytes: 1, sha256: String(repeating: "b", count: 64),
            digest: String(repeating: "c", count: 64), samples: self.rowCount, tokens: 1, seconds: 0)
    }
}
