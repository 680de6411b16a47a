import Execution
import JobQueue
import Synchronization
import UVEventLoop
import WorkerLogic

enum Step: Hashable, Sendable {
    case prepare, compute, publish
}

/// Which steps of which shards have begun, and how many of a kind ran at once.
final class Steps: Sendable {
    private struct Point: Hashable {
        var step: Step
        var index: Int
    }

    private struct State {
        var reached: Set<Point> = []
        var waiters: [Point: [PendingResult<Void>]] = [:]
        var running: [Step: Int] = [:]
        var peaks: [Step: Int] = [:]
        var begun: [Step: Int] = [:]
    }

    private let state = Mutex(State())

    /// The most steps of each kind that ran at once.
    var peaks: [Step: Int] { self.state.withLock { $0.peaks } }
    var begun: [Step: Int] { self.state.withLock { $0.begun } }

    func hasReached(_ step: Step, _ index: Int) -> Bool {
        self.state.withLock { $0.reached.contains(Point(step: step, index: index)) }
    }

    /// Waits until a step has begun, or the task is cancelled.
    func reached(_ step: Step, _ index: Int) async {
        let point = Point(step: step, index: index)
        let pending = PendingResult<Void>()
        let isReached = self.state.withLock { state in
            if !state.reached.contains(point) { state.waiters[point, default: []].append(pending) }
            return state.reached.contains(point)
        }
        if !isReached { try? await pending.value {} }
    }

    func begin(_ step: Step, _ index: Int) {
        let point = Point(step: step, index: index)
        let waiters = self.state.withLock { state in
            state.reached.insert(point)
            state.begun[step, default: 0] += 1
            state.running[step, default: 0] += 1
            state.peaks[step] = max(state.peaks[step] ?? 0, state.running[step] ?? 0)
            return state.waiters.removeValue(forKey: point) ?? []
        }
        for waiter in waiters { waiter.finish(.success(())) }
    }

    func end(_ step: Step) { self.state.withLock { $0.running[step, default: 0] -= 1 } }
}

/// Tells the test of every step, and does in it what the test says.
final class SteppedProcessor: ShardProcessor {
    typealias Script = @Sendable (Step, _ index: Int) async throws(ExecutionError) -> Void

    private let steps: Steps
    private let script: Script
    /// When computing begins, says that it is nearly done, so that the next shard may be claimed.
    fileprivate let isNearEnd: Bool

    init(_ steps: Steps, isNearEnd: Bool = true, _ script: @escaping Script) {
        self.steps = steps
        self.isNearEnd = isNearEnd
        self.script = script
    }

    func prepare(_ shard: ClaimedShard) async throws(ExecutionError) -> any PreparedShard {
        try await self.run(.prepare, shard)
        return SteppedShard(shard: shard, processor: self)
    }

    fileprivate func run(_ step: Step, _ shard: ClaimedShard) async throws(ExecutionError) {
        self.steps.begin(step, shard.index)
        defer { self.steps.end(step) }
        try await self.script(step, shard.index)
        if Task.isCancelled { throw ExecutionError(.cancelled, "stopped") }
    }
}

private struct SteppedShard: PreparedShard, ComputedShard {
    let shard: ClaimedShard
    let processor: SteppedProcessor

    func compute(
        progress: @escaping @Sendable (_ samples: Int, _ tokens: Int) -> Void
    ) async throws(ExecutionError) -> any ComputedShard {
        if self.processor.isNearEnd { progress(self.shard.rowCount, 0) }
        try await self.processor.run(.compute, self.shard)
        return self
    }

    func publish(sign: @escaping @Sendable () -> Void) async throws(ExecutionError) -> ShardPublication {
        try await self.processor.run(.publish, self.shard)
        return self.shard.publication
    }
}
