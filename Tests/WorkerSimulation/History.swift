internal import FoundationEssentials
internal import JobQueue
internal import MemoryQueue
internal import WorkerLogic

/// One random history of workers, their queue, store and engines, all of which a seed decides.
///
/// The workers are real machines, the queue is the oracle that PostgreSQL is compared with; calls, steps, clocks and disks
/// are simulated. After each happening the contract is checked:
///
/// - a result is visible only if its file is there, and each shard has one result at most;
/// - nothing is committed, failed or computed under a claim of which the queue has said that it is lost;
/// - a worker computes and publishes one shard at a time, and holds nothing when it ends;
/// - once the faults have ended every shard comes to its end, and a waiting worker hears of what is submitted;
/// - rival projects get what their weights say, within a bound.
package struct History {
    private let seed: UInt64
    private var random: SeededGenerator
    private var conditions: Conditions
    private var agenda = Agenda()
    private var now = 0.0
    private var ledger = Ledger()
    private var store = Store()
    private var processes: [Process] = []
    private var isDatabaseAway = false
    /// How far the database's clock is ahead.
    private var clockOffset = 0.0
    private var isPeace = false
    private var isClosing = false
    private var runs: [RunID] = []
    private var lastStep = 0
    private var used: [String: Double] = [:]
    private var failures: [ShardKey: (count: Int, isPermanent: Bool)] = [:]
    /// Rows that every engine refuses.
    private var badShards: Set<ShardKey> = []
    private var trace: [String] = []
    private let isTracing: Bool
    private var broken: String?
    /// Events at the same moment, which must not go on for ever.
    private var crowd = (time: -1.0, count: 0)

    private static let origin = ContinuousClock.now
    /// So long after the last fault everything must have come to its end.
    private var patience: Double {
        switch self.conditions.kind {
        case .chaos: 4_000
        case .quiet: 100
        case .rivals: 40_000
        }
    }

    package init(seed: UInt64, kind: Conditions.Kind? = nil, isTracing: Bool = false) {
        self.seed = seed
        self.random = SeededGenerator(seed: seed)
        self.conditions = Conditions(&self.random, kind: kind)
        self.isTracing = isTracing
    }

    /// Runs the history to its end; the number of happenings.
    package mutating func run() throws(Violation) -> Int {
        self.begin()
        var count = 0
        while self.broken == nil, let happening = self.agenda.next() {
            count += 1
            self.now = max(self.now, happening.time)
            if self.crowd.time == self.now { self.crowd.count += 1 } else { self.crowd = (self.now, 0) }
            if self.crowd.count > 20_000 { self.fail("the worker goes round and round without any time passing") }
            self.take(happening.kind)
            if self.isPeace, !self.isClosing, count % 16 == 0, self.ledger.openShardCount(run: nil) == 0 {
                self.close()
            }
            if self.isClosing, self.processes.allSatisfy({ !$0.isAlive || $0.hasEnded }) { break }
            if self.isPeace, self.now > self.conditions.chaos + self.patience { self.fail(self.stuck) }
        }
        if self.broken == nil { self.checkEnd() }
        if let broken = self.broken { throw Violation(seed: self.seed, message: broken, trace: self.trace.suffix(80)) }
        return count
    }

    private var stuck: String {
        guard !self.isClosing else { return "a worker was asked to end and does not" }
        return "\(self.ledger.openShardCount(run: nil)) shards do not come to their end"
    }

    private mutating func fail(_ message: String) { self.broken = self.broken ?? message }

    private mutating func note(_ text: @autoclosure () -> String) {
        guard self.isTracing else { return }
        let millis = Int(self.now * 1000)
        self.trace.append("\(millis) ms: \(text())")
    }

    private func instant(_ time: Double) -> ContinuousClock.Instant {
        Self.origin + .microseconds(Int64((time * 1e6).rounded(.up)))
    }

    /// What the database's clock shows.
    private var date: Date { Date(timeIntervalSince1970: 1_800_000_000 + self.now + self.clockOffset) }

    private mutating func chance(_ probability: Double) -> Bool {
        probability > 0 && Double.random(in: 0..<1, using: &self.random) < probability
    }

    private mutating func draw(_ range: ClosedRange<Double>) -> Double { .random(in: range, using: &self.random) }

    // MARK: The plot

    private mutating func begin() {
        for worker in 0..<self.conditions.workers {
            self.processes.append(Process(self.machine()))
            self.agenda.add(self.draw(0...1), .start(worker: worker))
        }
        let end = self.conditions.chaos
        switch self.conditions.kind {
        case .rivals:
            for _ in 0..<2 { self.agenda.add(0, .submission) }
            self.agenda.add(0, .chores)
        case .quiet, .chaos:
            for _ in 0..<Int.random(in: 1...4, using: &self.random) { self.agenda.add(self.draw(0...end), .submission) }
        }
        self.agenda.add(end, .peace)
        guard self.conditions.kind == .chaos else { return }
        self.agenda.add(0, .chores)
        self.agenda.add(0, .poll)
        let plots: [(Happening.Kind, ClosedRange<Int>)] = [
            (.crash, 0...2), (.pause, 0...2), (.jump, 0...1), (.drain, 0...1), (.abandonment, 0...1),
            (.cancellation, 0...1), (.databaseGoes, 0...2), (.storeGoes, 0...1), (.storeFills, 0...1),
        ]
        for (kind, often) in plots where self.chance(0.5) {
            for _ in 0..<Int.random(in: often, using: &self.random) { self.agenda.add(self.draw(0...end), kind) }
        }
    }

    private mutating func machine() -> WorkerMachine {
        var options = WorkerOptions(leaseTTL: self.conditions.ttl)
        options.prefetches = self.chance(0.8)
        options.careInterval = 5...15
        if self.conditions.kind == .chaos {
            options.endsWhenDrained = self.chance(0.3)
            options.shardLimit = self.chance(0.1) ? Int.random(in: 1...3, using: &self.random) : nil
            options.storePatience = .milliseconds(Int.random(in: 500...20_000, using: &self.random))
            options.stallLimit = .seconds(30)
        }
        let description = WorkerDescription(host: "node", pid: 1, device: "cpu", engine: "simulated")
        return WorkerMachine(description, options, seed: self.random.next(), at: self.instant(self.now))
    }

    private mutating func take(_ kind: Happening.Kind) {
        switch kind {
        case .event(let worker, let life, let event): self.deliver(event, to: worker, life)
        case .wake(let worker, let life):
            if self.processes[worker].life == life {
                self.processes[worker].wakeAt = nil
                self.deliver(.tick, to: worker, life)
            }
        case .stepEnds(let worker, let life, let claim, let number, let error):
            self.endStep(worker, life, claim, number, error)
        case .arrival(let worker, let life, let call, let answersAt): self.arrive(worker, life, call, answersAt)
        case .submission: self.submit()
        case .cancellation:
            guard let run = self.runs.randomElement(using: &self.random) else { return }
            self.note("run \(run) is cancelled")
            _ = try? self.ledger.cancel(.run(run), now: self.date)
        case .drain:
            let id = WorkerID(Int64.random(in: 1...8, using: &self.random))
            _ = try? self.ledger.drain(id)
        case .crash:
            let worker = Int.random(in: self.processes.indices, using: &self.random)
            self.note("worker \(worker) crashes")
            self.die(worker)
        case .start(let worker): self.start(worker)
        case .abandonment:
            let worker = Int.random(in: self.processes.indices, using: &self.random)
            self.deliver(.abandonAsked, to: worker, self.processes[worker].life)
        case .pause:
            let worker = Int.random(in: self.processes.indices, using: &self.random)
            let until = self.now + self.draw(0.1...20)
            self.processes[worker].pausedUntil = until
            self.note("worker \(worker) stands still until \(until)")
        case .jump:
            let offset = self.clockOffset + self.draw(-100...100)
            self.clockOffset = offset
            self.note("the database's clock is \(offset) s ahead")
        case .chores:
            for chore in [Chore.workers, .gates, .charges, .promotion] { _ = self.ledger.run(chore, now: self.date) }
            // The workers' caretakers see to it.
            let pause = self.conditions.kind == .rivals ? 15 : self.draw(1...4)
            if !self.isClosing { self.agenda.add(self.now + pause, .chores) }
        case .poll:
            for worker in self.processes.indices { self.deliver(.submitted, to: worker, self.processes[worker].life) }
            if !self.isClosing { self.agenda.add(self.now + self.draw(2...10), .poll) }
        case .databaseGoes:
            self.note("the database goes away")
            self.isDatabaseAway = true
            self.agenda.add(self.now + self.draw(0.1...15), .databaseComes)
        case .databaseComes: self.isDatabaseAway = false
        case .storeGoes, .storeFills:
            let state: Store.State = if case .storeGoes = kind { .away } else { .full }
            self.store.state = state
            self.note("the store is \(state)")
            self.agenda.add(self.now + self.draw(0.1...30), .storeComes)
        case .storeComes: self.store.state = .fine
        case .peace:
            self.note("the faults end")
            self.isPeace = true
            self.isDatabaseAway = false
            self.store.state = .fine
        }
    }

    private mutating func submit() {
        guard !self.isClosing else { return }
        let shardCount = self.conditions.kind == .rivals ? 30 : Int.random(in: 1...4, using: &self.random)
        let rows = Int.random(in: 1...5, using: &self.random)
        let priority: Priority = [.normal, .normal, .high, .low].randomElement(using: &self.random) ?? .normal
        let run = RunSubmission(
            id: .random(using: &self.random), name: "history", project: "p\(self.runs.count % 2)", user: "someone",
            priority: self.conditions.kind == .rivals ? .normal : priority, specification: "{}",
            jobs: [
                JobSubmission(
                    ordinal: 0, task: "t", model: "m", modelSHA256: String(repeating: "a", count: 64),
                    specification: "{}", sampleCount: shardCount * rows,
                    shards: (0..<shardCount).map { ShardRange(rowStart: $0 * rows, rowCount: rows) })
            ])
        do {
            try self.ledger.submit(run, now: self.date)
        } catch {
            return self.fail("a run was refused: \(error)")
        }
        self.runs.append(run.id)
        self.note("run \(run.id) with \(shardCount) shards is submitted")
        if self.conditions.kind == .rivals, self.runs.count == 2 {
            self.ledger.projects["p1"]?.weight = Double(Int.random(in: 1...4, using: &self.random))
        }
        if self.conditions.kind == .chaos, self.chance(0.1), let job = self.ledger.jobs.last?.id {
            self.badShards.insert(ShardKey(job: job, index: 0))
        }
        for worker in self.processes.indices {
            if self.conditions.kind == .chaos, self.chance(self.conditions.fault) { continue }
            let life = self.processes[worker].life
            self.agenda.add(self.now + self.draw(0.0001...0.01), .event(worker: worker, life: life, .submitted))
        }
    }

    private mutating func start(_ worker: Int) {
        guard !self.isClosing,
            !self.processes[worker].isAlive || self.processes[worker].hasEnded
                || self.processes[worker].life == 0
        else { return }
        let life = self.processes[worker].life + 1
        self.processes[worker] = Process(self.machine())
        self.processes[worker].life = life
        self.note("worker \(worker) starts its life \(life)")
        self.deliver(.started, to: worker, life)
        // What was submitted before it listened is found by its first claim.
    }

    private mutating func die(_ worker: Int) {
        self.processes[worker].isAlive = false
        self.agenda.add(self.now + self.draw(0.1...8), .start(worker: worker))
    }

    /// All work has come to its end: the workers are asked to end as well.
    private mutating func close() {
        self.isClosing = true
        self.note("nothing is left; the workers are asked to end")
        for worker in self.processes.indices { self.deliver(.drainAsked, to: worker, self.processes[worker].life) }
    }

    // MARK: A worker

    private mutating func deliver(_ event: WorkerEvent, to worker: Int, _ life: Int) {
        let process = self.processes[worker]
        guard process.life == life, process.isAlive, !process.hasEnded, life > 0 else { return }
        guard process.pausedUntil <= self.now else {
            return self.agenda.add(process.pausedUntil, .event(worker: worker, life: life, event))
        }
        guard self.hear(event, worker) else { return }
        let actions = self.processes[worker].machine.handle(event, at: self.instant(self.now))
        if case .tick = event, actions.isEmpty {} else { self.note("worker \(worker) hears \(event.story)") }
        for action in actions { self.perform(action, worker) }
        guard self.processes[worker].life == life, let wake = self.processes[worker].machine.nextWake else { return }
        let at = (wake - Self.origin).inSeconds
        if let planned = self.processes[worker].wakeAt, planned <= at { return }
        self.processes[worker].wakeAt = at
        self.agenda.add(max(at, self.now), .wake(worker: worker, life: life))
    }

    /// Notes what the worker learns; false for an answer to a call that has one.
    private mutating func hear(_ event: WorkerEvent, _ worker: Int) -> Bool {
        switch event {
        case .failed(let id, _):
            self.processes[worker].hasMissed = true
            return self.processes[worker].calls.removeValue(forKey: id) != nil
        case .answered(let id, let answer):
            guard let question = self.processes[worker].calls.removeValue(forKey: id) else { return false }
            switch (question, answer) {
            case (_, .registered): self.processes[worker].lease = nil
            case (_, .claimed(let shard?)): self.processes[worker].shards[Claim(shard)] = shard
            case (.heartbeat(let lease, let holding, _), .renewed(let reply)):
                guard self.processes[worker].lease == lease else { return true }
                let told = holding.filter { reply.lost.contains($0.key) }
                for (claim, shard) in self.processes[worker].shards where shard.incarnation == lease.incarnation {
                    if told.contains(where: { $0.key == claim.key && $0.epoch == claim.epoch }) {
                        self.processes[worker].lost.insert(claim)
                    }
                }
            case (_, .superseded(let shards)): self.processes[worker].lost.formUnion(shards.map(Claim.init))
            default: break
            }
        default: break
        }
        return true
    }

    private mutating func perform(_ action: WorkerAction, _ worker: Int) {
        self.note("worker \(worker): \(action.story)")
        switch action {
        case .call(let call): self.call(call, worker)
        case .abort(let id):
            guard self.processes[worker].calls[id] != nil else { return }
            let event = WorkerEvent.failed(id, QueueError(.cancelled, "stopped"))
            self.agenda.add(
                self.now + 0.001, .event(worker: worker, life: self.processes[worker].life, event))
        case .prepare(let shard): self.beginStep(.preparing, Claim(shard), worker)
        case .compute(let claim): self.beginStep(.computing, claim, worker)
        case .publish(let claim): self.beginStep(.publishing, claim, worker)
        case .stop(let claim): self.stop(claim, worker)
        case .forget(let claim):
            if self.processes[worker].steps[claim] != nil {
                self.fail("worker \(worker) forgets \(claim.key) while a step of it runs")
            }
            self.processes[worker].shards[claim] = nil
        case .log, .left: break
        case .stalled:
            self.processes[worker].hasStalled = true
            self.die(worker)
        case .end(let summary, let failure):
            self.processes[worker].hasEnded = true
            let process = self.processes[worker]
            if let failure { self.fail("worker \(worker) ends with an error: \(failure)") }
            if !process.shards.isEmpty || !process.steps.isEmpty {
                self.fail("worker \(worker) ends with shards in hand")
            }
            if summary.committed > process.commits || (summary.committed < process.commits && !process.hasMissed) {
                self.fail("worker \(worker) says \(summary.committed) of \(process.commits) commits")
            }
            self.agenda.add(self.now + self.draw(0.1...8), .start(worker: worker))
        }
    }

    // MARK: Steps of a shard

    private mutating func beginStep(_ step: Process.Step, _ claim: Claim, _ worker: Int) {
        let process = self.processes[worker]
        guard let shard = process.shards[claim] else {
            return self.fail("worker \(worker) works on \(claim.key), which it does not have")
        }
        if process.steps[claim] != nil { self.fail("worker \(worker) does two steps of \(claim.key) at once") }
        if step != .preparing, process.steps.values.contains(where: { $0.step == step }) {
            self.fail("worker \(worker) is \(step) two shards at once")
        }
        if step == .computing {
            if !process.prepared.contains(claim) { self.fail("\(claim.key) is computed and was not prepared") }
            if process.lost.contains(claim) { self.fail("\(claim.key) is computed after it was lost") }
            self.processes[worker].begun.insert(claim)
        }
        if step == .publishing, !process.computed.contains(claim) {
            self.fail("\(claim.key) is published and was not computed")
        }
        self.lastStep += 1
        self.processes[worker].steps[claim] = (step, self.lastStep, false)
        var time: Double
        switch step {
        case .preparing: time = self.draw(0.001...0.05)
        case .computing:
            time = self.conditions.kind == .rivals ? self.draw(100...300) : self.draw(0.01...3)
            if self.conditions.kind == .chaos, !self.isPeace, self.chance(0.02) { time = self.draw(3...20) }
        case .publishing: time = self.draw(0.001...0.1)
        }
        var error: ExecutionError?
        if self.conditions.kind == .chaos {
            if step == .computing, self.badShards.contains(claim.key) {
                error = ExecutionError(.permanent, "a bad row")
            }
            if !self.isPeace, self.chance(self.conditions.failure) { error = self.failure(of: step) }
            // A device that hangs, which nothing can stop.
            if !self.isPeace, self.chance(0.003) { time = 1e9 }
        }
        if step == .computing {
            let life = self.processes[worker].life
            for part in [0.3, 0.75] where self.chance(0.7) {
                let event = WorkerEvent.progressed(claim, samples: Int(part * Double(shard.rowCount) + 0.5), tokens: 1)
                self.agenda.add(self.now + time * part, .event(worker: worker, life: life, event))
            }
        }
        self.endStep(of: claim, worker, in: time, error)
    }

    private mutating func failure(of step: Process.Step) -> ExecutionError {
        switch (step, Int.random(in: 0..<10, using: &self.random)) {
        case (_, 0): ExecutionError(.permanent, "a bad row")
        case (_, 1), (_, 2): ExecutionError(.nodeFault, "no model", lacking: .model(sha256: "a", path: "m"))
        case (.preparing, 3): ExecutionError(.storeRefused, "permission denied")
        case (.preparing, 4), (.publishing, 4): ExecutionError(.storeUnavailable, "stale file handle")
        default: ExecutionError(.transient, "no memory")
        }
    }

    private mutating func endStep(of claim: Claim, _ worker: Int, in time: Double, _ error: ExecutionError?) {
        guard let step = self.processes[worker].steps[claim] else { return }
        self.agenda.add(
            self.now + time,
            .stepEnds(worker: worker, life: self.processes[worker].life, claim, number: step.number, error))
    }

    private mutating func stop(_ claim: Claim, _ worker: Int) {
        guard let step = self.processes[worker].steps[claim], !step.isStopped else { return }
        self.processes[worker].steps[claim]?.isStopped = true
        // Sometimes the step ends by itself before it sees that it was stopped.
        if self.chance(0.9) {
            self.endStep(of: claim, worker, in: self.draw(0.0001...0.2), ExecutionError(.cancelled, "stopped"))
        }
    }

    private mutating func endStep(_ worker: Int, _ life: Int, _ claim: Claim, _ number: Int, _ error: ExecutionError?) {
        let process = self.processes[worker]
        guard process.life == life, process.isAlive, !process.hasEnded, let step = process.steps[claim],
            step.number == number
        else { return }
        guard process.pausedUntil <= self.now else {
            return self.agenda.add(
                process.pausedUntil, .stepEnds(worker: worker, life: life, claim, number: number, error))
        }
        self.processes[worker].steps[claim] = nil
        switch step.step {
        case .preparing:
            let error = error ?? (self.store.state == .away ? ExecutionError(.storeUnavailable, "no store") : nil)
            if error == nil { self.processes[worker].prepared.insert(claim) }
            self.deliver(.prepared(claim, error), to: worker, life)
        case .computing:
            if error == nil { self.processes[worker].computed.insert(claim) }
            self.deliver(.computed(claim, error), to: worker, life)
        case .publishing:
            guard let shard = process.shards[claim] else { return }
            var error = error
            if self.store.state == .away { error = ExecutionError(.storeUnavailable, "no store") }
            if self.store.state == .full { error = ExecutionError(.storeFull, "the disk is full") }
            if let error { return self.deliver(.published(claim, .failure(error)), to: worker, life) }
            let path = "runs/\(shard.key)-\(shard.epoch)-\(shard.incarnation)-\(number)"
            self.store.files[path] = shard.rowCount
            let publication = ShardPublication(
                path: path, bytes: 1, sha256: String(repeating: "b", count: 64), digest: "d",
                samples: shard.rowCount, tokens: 1, seconds: 0)
            self.deliver(.published(claim, .success(publication)), to: worker, life)
        }
    }

    // MARK: The database

    private mutating func call(_ call: QueueCall, _ worker: Int) {
        let process = self.processes[worker]
        self.processes[worker].calls[call.id] = call.question
        switch call.question {
        case .claim(let lease, _), .heartbeat(let lease, _, _): self.processes[worker].lease = lease
        case .commit(let shard, _):
            if process.lost.contains(Claim(shard)) { self.fail("\(shard.key) is committed after it was lost") }
        case .fail(let shard, _):
            if call.lane == .work, process.lost.contains(Claim(shard)) {
                self.fail("\(shard.key) is failed after it was lost")
            }
        default: break
        }
        let arrival = self.now + self.draw(0.0001...0.005)
        var answer: Double? = arrival + self.draw(0.0001...0.005)
        var arrives: [Double] = [arrival]
        let isFaulty = self.conditions.kind == .chaos && !self.isPeace && self.chance(self.conditions.fault)
        if isFaulty {
            switch Int.random(in: 0..<5, using: &self.random) {
            case 0: (arrives, answer) = ([], nil)
            case 1: answer = nil
            case 2: arrives.append(arrival + self.draw(0.001...30))
            case 3: (arrives, answer) = ([arrival + self.draw(0.5...40)], nil)
            default: (arrives, answer) = ([arrival], arrival + self.draw(0.5...10))
            }
        }
        let life = process.life
        for (index, time) in arrives.enumerated() {
            self.agenda.add(
                time, .arrival(worker: worker, life: life, call, answersAt: index == 0 ? answer : nil))
        }
        // The first of the two counts.
        let limit = min(call.limit?.inSeconds ?? .infinity, answer == nil ? self.draw(0.2...10) : .infinity)
        guard limit < .infinity else { return }
        let event = WorkerEvent.failed(call.id, QueueError(.unavailable, "no answer"))
        self.agenda.add(self.now + limit, .event(worker: worker, life: life, event))
    }

    private mutating func arrive(_ worker: Int, _ life: Int, _ call: QueueCall, _ answersAt: Double?) {
        var event: WorkerEvent
        if self.isDatabaseAway {
            event = .failed(call.id, QueueError(.unavailable, "no database"))
        } else {
            do throws(QueueError) {
                event = .answered(call.id, try self.execute(call.question, worker, life))
            } catch {
                event = .failed(call.id, error)
            }
        }
        guard let answersAt else { return }
        self.agenda.add(max(self.now, answersAt), .event(worker: worker, life: life, event))
    }

    private mutating func execute(
        _ question: QueueCall.Question, _ worker: Int, _ life: Int
    ) throws(QueueError) -> QueueAnswer {
        switch question {
        case .register(let description, let ttl):
            let bits = (self.random.next(), self.random.next())
            let incarnation = withUnsafeBytes(of: bits) { Incarnation(UUID(uuid: $0.load(as: uuid_t.self))) }
            return .registered(
                try self.ledger.register(description, ttl: ttl, incarnation: incarnation, now: self.date))
        case .claim(let lease, let request):
            let claimed = try self.ledger.claim(lease, request, now: self.date)
            if self.conditions.kind == .rivals { self.checkShares() }
            return .claimed(claimed.first)
        case .begin(let shard): return .begun(!self.ledger.begin([shard]).isEmpty)
        case .heartbeat(let lease, let holding, let note):
            return .renewed(try self.ledger.heartbeat(lease, holding: holding, note: note, now: self.date))
        case .supersededClaims(let shards): return .superseded(shards.filter { self.ledger.isSuperseded($0) })
        case .commit(let shard, let publication): return .committed(try self.commit(shard, publication, worker, life))
        case .fail(let shard, let failure):
            let jitter = self.draw(0...1)
            let outcome = self.ledger.fail(shard, failure, jitter: jitter, now: self.date)
            if outcome != .fenced {
                let known = self.failures[shard.key] ?? (0, false)
                self.failures[shard.key] = (known.count + 1, known.isPermanent || failure.isPermanent)
            }
            return .recorded(outcome)
        case .release(let shard, let note):
            _ = self.ledger.release([shard], note: note, now: self.date)
            return .done
        case .deregister(let lease, let note):
            self.ledger.deregister(lease, note: note, now: self.date)
            return .done
        case .openShardCount(let run): return .open(self.ledger.openShardCount(run: run))
        case .doDueChores:
            // The worst moment: the worker has found nothing, and is about to wait.
            if self.conditions.kind == .quiet, self.runs.count < 8, self.chance(0.3) {
                self.agenda.add(self.now + self.draw(0...0.008), .submission)
            }
            let changed = [Chore.workers, .gates, .charges, .promotion].map {
                self.ledger.run($0, now: self.date).changed
            }
            return .didChores(changed.contains { $0 > 0 })
        }
    }

    private mutating func commit(
        _ shard: ClaimedShard, _ publication: ShardPublication, _ worker: Int, _ life: Int
    ) throws(QueueError) -> CommitOutcome {
        let before = try self.ledger.results(of: shard.job).first { $0.key == shard.key }
        let outcome = try self.ledger.commit([ShardCommit(shard, publication)], now: self.date).first ?? .fenced
        guard outcome == .committed else { return outcome }
        if before != nil { self.fail("\(shard.key) has two results") }
        if self.store.files[publication.path] != shard.rowCount {
            self.fail("\(shard.key) is visible without its file")
        }
        if self.processes[worker].life == life { self.processes[worker].commits += 1 }
        self.used["p\((self.runs.firstIndex(of: shard.run) ?? 0) % 2)", default: 0] += publication.seconds
        return outcome
    }

    // MARK: The contract at the end

    private mutating func checkShares() {
        guard self.ledger.jobs.count == 2,
            self.ledger.jobs.allSatisfy({ job in job.shards.contains { $0.state == .ready } })
        else { return }
        let shares = ["p0", "p1"].map { (self.used[$0] ?? 0) / (self.ledger.projects[$0]?.weight ?? 1) }
        // What runs counts 600 s until it ends; what has ended is charged by the next chore.
        let bound = Double(self.conditions.workers) * (600 + 2 * 300)
        if abs(shares[0] - shares[1]) > bound {
            self.fail("the rivals have used \(shares) s by weight, which is more than \(bound) s apart")
        }
    }

    private mutating func checkEnd() {
        if !self.isClosing { return self.fail("the history stands still: \(self.stuck)") }
        for job in self.ledger.jobs {
            for (index, shard) in job.shards.enumerated() {
                let key = ShardKey(job: job.id, index: index)
                switch shard.state {
                case .done:
                    guard let result = shard.result else { return self.fail("\(key) is done and has no result") }
                    let samples = self.store.files[result.publication.path]
                    if samples != shard.range.rowCount || result.publication.samples != shard.range.rowCount {
                        self.fail("\(key) has a result of \(samples ?? 0) samples instead of \(shard.range.rowCount)")
                    }
                case .failed:
                    let failure = self.failures[key] ?? (0, false)
                    if !failure.isPermanent, failure.count < job.submission.maxAttempts {
                        self.fail("\(key) was given up after \(failure.count) attempts")
                    }
                case .held: if shard.losses < 3 { self.fail("\(key) is held without a reason") }
                case .cancelled: if !job.isCancelled { self.fail("\(key) is cancelled, its run is not") }
                case .blocked, .ready, .running: self.fail("\(key) is still \(shard.state)")
                }
            }
        }
    }
}
