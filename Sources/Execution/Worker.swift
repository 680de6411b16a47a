public import JobQueue
public import Logging
internal import Synchronization
public import UVEventLoop
public import WorkerLogic

/// Claims shards, has them processed, and commits the results, until told to stop.
///
/// What is done and when is decided by ``WorkerMachine``; the actor performs it and tells the machine what came of it. It
/// lives on the heartbeat's loop, which GPU work can't delay: nothing here waits, computes or reads files.
public actor Worker {
    private nonisolated let loop: EventLoop
    private let queue: any WorkQueue
    private let heartbeatQueue: any WorkQueue
    private let caretaker: Caretaker
    private let processor: any ShardProcessor
    private let onStall: @Sendable (_ reason: String) -> Void
    private nonisolated let isDrainAsked = Atomic(false)
    private nonisolated let progress = ProgressBoard()
    private let clock = ContinuousClock()
    private let lines: WorkerLog

    private var machine: WorkerMachine
    private var calls: [CallID: Task<Void, Never>] = [:]
    private var steps: [Claim: Task<Void, Never>] = [:]
    private var prepared: [Claim: any PreparedShard] = [:]
    private var computed: [Claim: any ComputedShard] = [:]
    private var alarm: (at: ContinuousClock.Instant, task: Task<Void, Never>)?
    private var ended: CheckedContinuation<(WorkerSummary, ExecutionError?), Never>?
    private var end: (WorkerSummary, ExecutionError?)?
    private var leaving: [CheckedContinuation<Void, Never>] = []

    public nonisolated var unownedExecutor: UnownedSerialExecutor { self.loop.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - heartbeatQueue: The same queue through a connection that lives on `heartbeatLoop`.
    ///   - onStall: Called when work hangs and the worker has left the queue: ends the process, since a thread that hangs
    ///     can't be ended.
    public init(
        description: WorkerDescription, options: WorkerOptions, queue: any WorkQueue, heartbeatQueue: any WorkQueue,
        heartbeatLoop: EventLoop, processor: any ShardProcessor, logger: Logger,
        onStall: @escaping @Sendable (_ reason: String) -> Void
    ) {
        self.loop = heartbeatLoop
        self.queue = queue
        self.heartbeatQueue = heartbeatQueue
        self.caretaker = Caretaker(queue: queue, loop: heartbeatLoop, interval: options.careInterval, logger: logger)
        self.processor = processor
        self.onStall = onStall
        self.lines = WorkerLog(logger)
        self.machine = WorkerMachine(description, options, seed: .random(in: 0 ... .max), at: self.clock.now)
    }

    /// Finishes the shard in hand and ends; safe to call from anywhere, any number of times.
    public nonisolated func drain() {
        self.isDrainAsked.store(true, ordering: .releasing)
        Task { await self.take(.drainAsked) }
    }

    /// Works until drained or cancelled, or until it turns out that nothing can be done on this node; cancelling abandons
    /// the shard in hand and gives it back.
    public func run() async throws(ExecutionError) -> WorkerSummary {
        let (queue, caretaker, lines) = (self.queue, self.caretaker, self.lines)
        let listener = Task.detached {
            for await _ in await queue.submissions() { await self.take(.submitted) }
        }
        let care = Task.detached { await caretaker.run() }
        let writer = Task.detached { await lines.write() }
        if self.isDrainAsked.load(ordering: .acquiring) { self.take(.drainAsked) }
        self.take(.started)
        let (summary, failure) = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if let end = self.end { continuation.resume(returning: end) } else { self.ended = continuation }
            }
        } onCancel: {
            Task { await self.take(.abandonAsked) }
        }
        self.alarm?.task.cancel()
        listener.cancel()
        care.cancel()
        lines.finish()
        await writer.value
        if let failure { throw failure }
        return summary
    }

    /// Takes the worker out of the queue, so that others get its shards, whatever hangs in it.
    ///
    /// For the moment before the process is ended; takes a few seconds at most.
    public func leaveAtOnce() async {
        await withCheckedContinuation { continuation in
            self.leaving.append(continuation)
            self.take(.leaveAsked)
        }
    }

    // MARK: Events

    private func take(_ event: WorkerEvent) {
        var actions: [WorkerAction] = []
        if self.isDrainAsked.load(ordering: .acquiring) {
            actions = self.machine.handle(.drainAsked, at: self.clock.now)
        }
        actions += self.machine.handle(event, at: self.clock.now)
        for action in actions { self.perform(action) }
        self.setAlarm()
    }

    /// Has the machine wake in time; an alarm that rings early does no harm.
    private func setAlarm() {
        guard let wake = self.machine.nextWake else {
            self.alarm?.task.cancel()
            self.alarm = nil
            return
        }
        if let alarm = self.alarm, alarm.at <= wake { return }
        self.alarm?.task.cancel()
        let (loop, pause) = (self.loop, wake - self.clock.now)
        self.alarm = (
            wake,
            Task {
                guard (try? await loop.sleep(for: max(.zero, pause))) != nil else { return }
                self.ring()
            }
        )
    }

    private func ring() {
        self.alarm = nil
        self.take(.tick)
    }

    private func takeProgress() {
        for (claim, sign) in self.progress.collect() {
            switch sign {
            case .samples(let samples, let tokens): self.take(.progressed(claim, samples: samples, tokens: tokens))
            case .moved: self.take(.moved(claim))
            }
        }
    }

    /// Notes how far a shard is; from any thread.
    private nonisolated func note(_ sign: ProgressBoard.Sign, of claim: Claim) {
        if self.progress.note(sign, of: claim) { Task { await self.takeProgress() } }
    }

    // MARK: Actions

    private func perform(_ action: WorkerAction) {
        switch action {
        case .call(let call): self.call(call)
        case .abort(let id): self.calls[id]?.cancel()
        case .prepare(let shard):
            let (processor, claim) = (self.processor, Claim(shard))
            self.steps[claim] = Task.detached {
                let result = await Result.of { () async throws(ExecutionError) in try await processor.prepare(shard) }
                await self.prepared(claim, result)
            }
        case .compute(let claim):
            guard let prepared = self.prepared.removeValue(forKey: claim) else { return }
            self.steps[claim] = Task.detached {
                let result = await Result.of { () async throws(ExecutionError) in
                    try await prepared.compute { samples, tokens in
                        self.note(.samples(samples, tokens: tokens), of: claim)
                    }
                }
                await self.computed(claim, result)
            }
        case .publish(let claim):
            guard let computed = self.computed[claim] else { return }
            self.steps[claim] = Task.detached {
                let result = await Result.of { () async throws(ExecutionError) in
                    try await computed.publish { self.note(.moved, of: claim) }
                }
                await self.published(claim, result)
            }
        case .stop(let claim): self.steps[claim]?.cancel()
        case .forget(let claim):
            self.steps[claim] = nil
            self.prepared[claim] = nil
            self.computed[claim] = nil
        case .log(let line): self.lines.add(line)
        case .left:
            for continuation in self.leaving { continuation.resume() }
            self.leaving = []
        case .stalled(let reason):
            let onStall = self.onStall
            self.lines.then { onStall(reason) }
        case .end(let summary, let failure):
            self.end = (summary, failure)
            self.ended.take()?.resume(returning: (summary, failure))
        }
    }

    private func prepared(_ claim: Claim, _ result: Result<any PreparedShard, ExecutionError>) {
        switch result {
        case .success(let prepared):
            self.prepared[claim] = prepared
            self.take(.prepared(claim, nil))
        case .failure(let error): self.take(.prepared(claim, error))
        }
    }

    private func computed(_ claim: Claim, _ result: Result<any ComputedShard, ExecutionError>) {
        self.takeProgress()
        switch result {
        case .success(let computed):
            self.computed[claim] = computed
            self.take(.computed(claim, nil))
        case .failure(let error): self.take(.computed(claim, error))
        }
    }

    private func published(_ claim: Claim, _ result: Result<ShardPublication, ExecutionError>) {
        self.take(.published(claim, result))
    }

    // MARK: Calls

    private func call(_ call: QueueCall) {
        switch call.lane {
        case .heartbeat:
            // On this loop: the heartbeat needs nothing that work could hold up.
            let queue = self.heartbeatQueue
            self.calls[call.id] = Task {
                self.finish(
                    call.id,
                    await self.within(call.limit) { () async throws(QueueError) in
                        try await Self.answer(call.question, queue)
                    })
            }
        case .work:
            let (queue, caretaker) = (self.queue, self.caretaker)
            let isLimited = call.limit != nil
            self.calls[call.id] = Task.detached {
                let body = { @Sendable () async throws(QueueError) -> QueueAnswer in
                    if case .doDueChores = call.question { return .didChores(await caretaker.doDueChores()) }
                    return try await Self.answer(call.question, queue)
                }
                if isLimited {
                    await self.finish(call.id, self.within(call.limit, body))
                } else {
                    await self.finish(call.id, Result.of(body))
                }
            }
        }
    }

    private func finish(_ id: CallID, _ result: Result<QueueAnswer, QueueError>) {
        self.calls[id] = nil
        switch result {
        case .success(let answer): self.take(.answered(id, answer))
        case .failure(let error): self.take(.failed(id, error))
        }
    }

    private static func answer(
        _ question: QueueCall.Question, _ queue: any WorkQueue
    ) async throws(QueueError) -> QueueAnswer {
        switch question {
        case .register(let description, let ttl): .registered(try await queue.register(description, ttl: ttl))
        case .claim(let lease, let request): .claimed(try await queue.claim(lease, request).first)
        case .begin(let shard): .begun(try await !queue.begin([shard]).isEmpty)
        case .heartbeat(let lease, let holding, let note):
            .renewed(try await queue.heartbeat(lease, holding: holding, note: note))
        case .supersededClaims(let shards): .superseded(try await queue.supersededClaims(among: shards))
        case .commit(let shard, let publication): .committed(try await queue.commit(shard, publication))
        case .fail(let shard, let failure): .recorded(try await queue.fail(shard, failure))
        case .release(let shard, let note):
            try await Self.done { () async throws(QueueError) in _ = try await queue.release([shard], note: note) }
        case .deregister(let lease, let note):
            try await Self.done { () async throws(QueueError) in try await queue.deregister(lease, note: note) }
        case .openShardCount(let run): .open(try await queue.openShardCount(run: run))
        case .doDueChores: .didChores(false)
        }
    }

    private static func done(_ body: () async throws(QueueError) -> Void) async throws(QueueError) -> QueueAnswer {
        try await body()
        return .done
    }

    /// Waits for the queue's answer, but not for ever: a call that hangs is left to itself.
    private func within(
        _ limit: Duration?, _ body: @escaping @Sendable () async throws(QueueError) -> QueueAnswer
    ) async -> Result<QueueAnswer, QueueError> {
        guard let limit else { return await Result.of(body) }
        let loop = self.loop
        let answer = PendingResult<QueueAnswer>()
        let call = Task {
            switch await Result.of(body) {
            case .success(let value): answer.finish(.success(value))
            case .failure(let error): answer.finish(.failure(error))
            }
        }
        let alarm = Task {
            guard (try? await loop.sleep(for: limit)) != nil else { return }
            answer.finish(.failure(QueueError(.unavailable, "the queue did not answer within \(limit.rounded)")))
        }
        defer {
            call.cancel()
            alarm.cancel()
        }
        do {
            return .success(try await answer.value {})
        } catch {
            return .failure(error as? QueueError ?? QueueError(.cancelled, "stopped", underlying: error))
        }
    }
}

extension Result where Success: Sendable {
    /// The result of a body, whose error keeps its type across a task.
    static func of(_ body: () async throws(Failure) -> Success) async -> Self {
        do {
            return .success(try await body())
        } catch {
            return .failure(error)
        }
    }
}

/// What steps say of themselves, from any thread, until the worker looks.
private final class ProgressBoard: Sendable {
    enum Sign: Sendable {
        case samples(Int, tokens: Int)
        case moved
    }

    private let signs = Mutex<[Claim: Sign]>([:])

    /// True when nobody has been asked to look yet.
    func note(_ sign: Sign, of claim: Claim) -> Bool {
        self.signs.withLock { signs in
            defer { signs[claim] = sign }
            return signs.isEmpty
        }
    }

    func collect() -> [Claim: Sign] {
        self.signs.withLock { signs in
            defer { signs = [:] }
            return signs
        }
    }
}

/// Writes lines in order, away from the worker's loop: a terminal that takes nothing must not hold up a heartbeat.
private struct WorkerLog: Sendable {
    private enum Entry: Sendable {
        case line(WorkerLine)
        case action(@Sendable () -> Void)
    }

    private let logger: Logger
    private let entries: AsyncStream<Entry>
    private let input: AsyncStream<Entry>.Continuation

    init(_ logger: Logger) {
        self.logger = logger
        (self.entries, self.input) = AsyncStream.makeStream()
    }

    func add(_ line: WorkerLine) { self.input.yield(.line(line)) }
    /// Does something once all lines before it are written.
    func then(_ action: @escaping @Sendable () -> Void) { self.input.yield(.action(action)) }
    func finish() { self.input.finish() }

    func write() async {
        for await entry in self.entries {
            switch entry {
            case .action(let action): action()
            case .line(let line):
                var metadata = Logger.Metadata()
                if let shard = line.shard {
                    metadata = [
                        "worker": "\(shard.worker)", "shard": "\(shard.key)", "attempt": "\(shard.attempt)",
                    ]
                }
                for (key, value) in line.metadata { metadata[key] = "\(value)" }
                self.logger.log(level: line.level, "\(line.message)", metadata: metadata)
            }
        }
    }
}
