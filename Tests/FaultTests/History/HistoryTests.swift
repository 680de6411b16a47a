import FaultTesting
import Foundation
import JobQueue
import Postgres
import PostgresQueue
import PostgresTesting
import ProcessTesting
import Synchronization
import Testing
import UVEventLoop

extension FaultSuite {
    /// Every answer of the queue is compared with what a sequential model of the contract allows, while everything breaks.
    @Suite struct HistoryTests {
        /// ASSAY_SOAK_MINUTES makes it longer, up to what one test may take.
        static let minutes = ProcessInfo.processInfo.environment["ASSAY_SOAK_MINUTES"].flatMap { Int($0) }

        @Test func everyAnswerIsOneThatTheContractAllows() async throws {
            let end = ContinuousClock.now + .seconds(60 * min(Self.minutes ?? 0, 12))
            var round = 0
            repeat {
                round += 1
                try await FaultBench.with("history, round \(round)") { bench in
                    let scene = try await HistoryScene(bench, round: round, shim: HistoryScene.prepare(bench))
                    try await scene.play(for: .seconds(Self.minutes == nil ? 30 : 60))
                    try await scene.finishAndJudge()
                }
            } while .now < end
        }

        /// A queue that is broken on purpose does not pass.
        @Test func theCheckerSeesWhatIsBroken() async throws {
            try await FaultBench.with("broken queues") { bench in
                let shim = try await HistoryScene.prepare(bench)
                for (number, broken) in BrokenFunction.all.enumerated() {
                    // Chance may have it that nobody steps on the mistake.
                    var violation: String?
                    for attempt in 1...20 where violation == nil {
                        violation = try await broken.whileBroken(in: bench) {
                            let scene = HistoryScene(bench, round: -(10 * number + attempt), shim: shim)
                            try await scene.play(for: .seconds(4))
                            return try await scene.abandonAndJudge()
                        }
                    }
                    #expect(violation != nil, "\(broken.what): nothing was noticed, seed \(Seed.value)")
                    print("fault tests: \(broken.what): refused, seed \(Seed.value)")
                }
            }
        }
    }
}

/// A function of the queue with one mistake.
private struct BrokenFunction {
    var what: String
    var function: String
    var right: String
    var wrong: String

    static let all = [
        BrokenFunction(
            what: "commits that look at no claim", function: "commit_shards",
            right: "s.epoch = i.epoch AND s.incarnation = i.incarnation AND", wrong: ""),
        BrokenFunction(
            what: "claims that share a number",
            function: "claim_shards(bigint,uuid,integer,text,integer,boolean,bigint[],text[])",
            right: "epoch = s.epoch + 1", wrong: "epoch = greatest(s.epoch, 1)"),
        BrokenFunction(
            what: "shards taken from the living", function: "reap_workers", right: "w.state <> 'live'", wrong: "true"),
        BrokenFunction(
            what: "failures that count for nothing", function: "fail_shard", right: "failures = s.failures + 1",
            wrong: "failures = s.failures"),
    ]

    func whileBroken<Value>(in bench: FaultBench, _ body: () async throws -> Value) async throws -> Value {
        let find = function.contains("(") ? "$1::text::regprocedure" : "$1::text::regproc"
        let text = try await bench.rows("SELECT pg_get_functiondef(\(find)) AS text", function).only()
            .decode("text", as: String.self)
        try #require(text.contains(right), "\(function) reads otherwise by now: \(right)")
        try await bench.rows(text.replacing(right, with: wrong))
        let value = try await body()
        try await bench.rows(text)
        return value
    }
}

/// Workers, people, chores and faults, all at once on one queue.
private final class HistoryScene: Sendable {
    static let workers = 20

    private let bench: FaultBench
    private let round: Int
    private let recorder = HistoryRecorder()
    private let isOver = Atomic(false)
    private let calm: HistoryCaller
    private let shim: [String: String]
    private var seed: String { "seed \(Seed.value), round \(round)" }

    /// Gives the server a clock that can be set.
    static func prepare(_ bench: FaultBench) async throws -> [String: String] {
        let shim = try await bench.shim(["FAULT_CLOCK": "\(bench.bench.folder)/clock"])
        try await bench.controlServer("restart", shim)
        return shim
    }

    /// - Parameter shim: What the server has been prepared with.
    init(_ bench: FaultBench, round: Int, shim: [String: String]) {
        self.bench = bench
        self.round = round
        self.shim = shim
        self.calm = HistoryCaller(undisturbed: bench, recorder)
    }

    private func generator(_ purpose: String) -> SplitMix { Seed.generator("history \(round) \(purpose)") }

    func play(for time: Duration) async throws {
        try "0".write(toFile: clock, atomically: true, encoding: .utf8)
        var callers: [HistoryCaller] = []
        for number in 0..<Self.workers {
            callers.append(try await HistoryCaller("history-\(number)", bench, recorder))
        }
        let people = [
            try await HistoryCaller("history-people", bench, recorder),
            try await HistoryCaller("history-chores", bench, recorder),
            try await HistoryCaller("history-reader", bench, recorder),
        ]
        let finished = try await withThrowingTaskGroup(of: HistoryWorker?.self, returning: [HistoryWorker].self) {
            group in
            for (number, caller) in callers.enumerated() {
                group.addTask {
                    var worker = HistoryWorker(caller, on: self.bench.loop, random: self.generator("worker \(number)"))
                    try await worker.run { self.isOver.load(ordering: .relaxed) }
                    return worker
                }
            }
            for task in [
                { try await self.submit(people[0]) }, { try await self.operate(people[0]) },
                { try await self.doChores(people[1]) }, { try await self.read(people[2]) },
                { try await self.crash() }, { try await self.disturbSessions() },
            ] as [@Sendable () async throws -> Void] {
                group.addTask {
                    try await task()
                    return nil
                }
            }
            group.addTask {
                try await self.bench.loop.sleep(for: time)
                self.isOver.store(true, ordering: .relaxed)
                return nil
            }
            return try await group.reduce(into: []) { if let worker = $1 { $0.append(worker) } }
        }
        for var worker in finished { try await worker.leave() }
        for caller in callers + people { await caller.close() }
    }

    /// Has what is left done by undisturbed workers, and compares all of it.
    func finishAndJudge() async throws {
        try await finish()
        try await judge()
        await calm.close()
    }

    /// Drops what is left.
    ///
    /// - Returns: The first history of a shard that the contract does not allow.
    func abandonAndJudge() async throws -> String? {
        for run in Set(recorder.jobs.map(\.id.run)) { try await self.calm.queue.cancel(.run(run)) }
        let refused = try await judgeHistories(limit: 1)
        await calm.close()
        return refused.first
    }

    /// Does something again and again, so many milliseconds apart, until the scene is over.
    private func untilOver(
        _ pause: ClosedRange<Int>, _ purpose: String, _ step: (inout SplitMix) async throws -> Void
    ) async throws {
        var random = generator(purpose)
        while !isOver.load(ordering: .relaxed) {
            try await step(&random)
            var left = Int.random(in: pause, using: &random)
            while left > 0, !isOver.load(ordering: .relaxed) {
                try await bench.loop.sleep(for: .milliseconds(min(left, 100)))
                left -= 100
            }
        }
    }

    // MARK: People

    private func submit(_ people: HistoryCaller) async throws {
        try await untilOver(20...100, "submissions") { random in
            guard let open = try? await self.calm.queue.openShardCount(run: nil), open < 30 else { return }
            let run = RunID.random(using: &random)
            let jobs = (0..<2).map { ordinal in
                JobSubmission(
                    ordinal: ordinal, task: "task", model: "model", modelSHA256: String(repeating: "a", count: 64),
                    specification: "{}", sampleCount: 40,
                    shards: (0..<10).map { ShardRange(rowStart: $0 * 4, rowCount: 4) }, maxAttempts: 2 + ordinal)
            }
            let submission = RunSubmission(id: run, name: "history", user: "ada", specification: "{}", jobs: jobs)
            // The same submission again, as long as nobody knows whether it came through.
            var isStored = false
            while !isStored {
                let isBreaking = Int.random(in: 0..<4, using: &random) == 0
                let place = isBreaking ? StallingProxy.Break.allCases.randomElement(using: &random) : nil
                switch try await people.ask(breaking: place, { try await $0.submit(submission) }) {
                case .given: isStored = true
                case .unknown: break
                case .refused(let error):
                    Issue.record("a submission was refused: \(error)")
                    return
                }
            }
            let stored = try await patiently { try await self.calm.queue.jobs(of: run) }
            #expect(stored.count == jobs.count, "\(self.seed)")
            recorder.add(
                zip(stored, jobs).map {
                    HistoryRecorder.Job(id: $0.id, shards: $1.shards.count, maxAttempts: $1.maxAttempts)
                })
        }
    }

    /// Asks again as long as the server is away.
    private func patiently<Value>(_ look: () async throws -> Value) async throws -> Value {
        while true {
            do {
                return try await look()
            } catch let error as QueueError where error.isTransient {
                try await bench.loop.sleep(for: .milliseconds(50))
            }
        }
    }

    private func operate(_ people: HistoryCaller) async throws {
        try await untilOver(30...150, "people") { random in
            guard let job = self.recorder.jobs.randomElement(using: &random) else { return }
            let isRun = Int.random(in: 0..<5, using: &random) == 0
            let jobs = isRun ? self.recorder.jobs.filter { $0.id.run == job.id.run } : [job]
            let target: WorkTarget = isRun ? .run(job.id.run) : .job(job.id)
            let onlyFailed = Bool.random(using: &random)
            let place =
                Int.random(in: 0..<10, using: &random) == 0
                ? StallingProxy.Break.allCases.randomElement(using: &random) : nil
            let operation: ShardCall.Operation?
            let answer: HistoryCaller.Answer<Int>
            switch Int.random(in: 0..<12, using: &random) {
            case 0:
                operation = .cancel
                answer = try await people.ask(breaking: place) { try await $0.cancel(target) }
            case 1..<3:
                operation = .hold
                answer = try await people.ask(breaking: place) { try await $0.hold(target, reason: "history") }
            case 3..<6:
                operation = .unhold
                answer = try await people.ask(breaking: place) { try await $0.release(target) }
            case 6..<9:
                operation = .retry(onlyFailed: onlyFailed)
                answer = try await people.ask(breaking: place) { try await $0.retry(target, onlyFailed: onlyFailed) }
            case 9:
                operation = nil
                let priority = Priority.allCases.randomElement(using: &random) ?? .normal
                answer = try await people.ask(breaking: place) { try await $0.setPriority(priority, of: target) }
            default: return try await self.withdraw(from: job, people, breaking: place, &random)
            }
            let span: HistoryRecorder.Span
            switch answer {
            case .given(_, let known): span = known
            case .unknown(let unknown): span = unknown
            case .refused(let error):
                Issue.record("a person was refused: \(error)")
                return
            }
            if let operation { self.recorder.note(span, nil, jobs.flatMap(\.keys).map { ($0, operation) }) }
        }
    }

    private func withdraw(
        from job: HistoryRecorder.Job, _ people: HistoryCaller,
        breaking place: StallingProxy.Break?, _ random: inout SplitMix
    ) async throws {
        let results = try await patiently { try await self.calm.queue.results(of: job.id) }
        let chosen = results.shuffled(using: &random).prefix(2)
        guard !chosen.isEmpty else { return }
        let withdrawals = chosen.map { ResultWithdrawal($0, reason: "its file is damaged") }
        let answer = try await people.ask(breaking: place) {
            try await $0.withdraw(withdrawals, of: job.id, user: "ada", again: true)
        }
        func operation(_ result: ShardResult, isTaken: Bool?) -> (ShardKey, ShardCall.Operation) {
            let life = self.recorder.life(result.incarnation)
            return (result.key, .withdraw(epoch: result.epoch.rawValue, worker: life, isTaken: isTaken))
        }
        switch answer {
        case .given(let taken, let span):
            recorder.note(span, nil, chosen.map { operation($0, isTaken: taken.contains($0.key.index)) })
        case .unknown(let span): recorder.note(span, nil, chosen.map { operation($0, isTaken: nil) })
        case .refused(let error): Issue.record("taking a result out was refused: \(error)")
        }
    }

    private func doChores(_ caller: HistoryCaller) async throws {
        try await untilOver(20...60, "chores") { random in
            let place =
                Int.random(in: 0..<10, using: &random) == 0
                ? StallingProxy.Break.allCases.randomElement(using: &random) : nil
            // The chore that declares workers dead, and the one that ends backoffs, most often.
            let chore = ([.workers, .workers, .promotion] + Chore.allCases).randomElement(using: &random) ?? .workers
            if case .refused(let error) = try await caller.ask(
                breaking: place, { try await $0.run(chore, isForced: true) })
            {
                Issue.record("chore \(chore.rawValue) was refused: \(error)")
            }
        }
    }

    private func read(_ caller: HistoryCaller) async throws {
        try await untilOver(10...50, "reader") { random in
            guard let job = self.recorder.jobs.randomElement(using: &random) else { return }
            try await self.read(job, caller)
        }
    }

    private func read(_ job: HistoryRecorder.Job, _ caller: HistoryCaller) async throws {
        if case .given(let shards, let span) = try await caller.ask({ try await $0.shards(of: job.id) }) {
            #expect(shards.map(\.key) == job.keys, "\(seed)")
            recorder.note(
                span, nil,
                shards.map { shard in
                    let state = Model.State(rawValue: shard.state.rawValue) ?? .blocked
                    return (
                        shard.key,
                        .read(.init(state: state, epoch: shard.epoch.rawValue, failures: shard.failures))
                    )
                })
        }
        if case .given(let results, let span) = try await caller.ask({ try await $0.results(of: job.id) }) {
            recorder.note(
                span, nil,
                job.keys.map { key in
                    let result = results.first { $0.key == key }.map {
                        Model.Result(
                            epoch: $0.epoch.rawValue, worker: self.recorder.life($0.incarnation),
                            digest: $0.publication.digest)
                    }
                    return (key, .result(result))
                })
        }
    }

    // MARK: Faults of the server

    private var clock: String { "\(bench.bench.folder)/clock" }

    /// The server dies, or its clock is set, every few seconds.
    private func crash() async throws {
        try await untilOver(1500...4000, "server") { random in
            if Bool.random(using: &random) {
                try self.setClock([-3600, -60, 0, 60, 3600].randomElement(using: &random) ?? 0)
            } else {
                // pg_ctl takes a server that started in the past for another one.
                try self.setClock(0)
                let start = self.recorder.tick()
                try await self.bench.controlServer("restart", self.shim)
                self.recorder.noteCrash(.init(start: start, end: self.recorder.tick(), isAnswered: true))
            }
        }
    }

    private func setClock(_ seconds: Int) throws {
        let before = (try? String(contentsOfFile: clock, encoding: .utf8)) ?? "0"
        guard before != "\(seconds)" else { return }
        try "\(seconds)".write(toFile: clock, atomically: true, encoding: .utf8)
        recorder.note(fault: "clock of the server set")
    }

    /// Sessions that are ended or cancelled, rows that somebody else has locked, and deadlocks.
    private func disturbSessions() async throws {
        try await untilOver(50...250, "sessions") { random in
            do {
                switch Int.random(in: 0..<6, using: &random) {
                case 0:
                    _ = try await self.bench.rows(
                        """
                        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE application_name LIKE 'history-%' AND state = 'active' LIMIT 1
                        """)
                case 1:
                    _ = try await self.bench.rows(
                        """
                        SELECT pg_cancel_backend(pid) FROM pg_stat_activity
                        WHERE application_name LIKE 'history-%' AND state = 'active' LIMIT 1
                        """)
                default: try await self.lockShards(&random)
                }
            } catch is PostgresError {
                // The server went down, or this was the deadlock's victim.
            }
        }
    }

    /// Locks the shards of a job that are being computed, and does something to the sessions that come to wait for that.
    private func lockShards(_ random: inout SplitMix) async throws {
        let jobs = try await bench.rows("SELECT DISTINCT job_id FROM shard WHERE state = 'running' ORDER BY job_id")
        guard let row = Array(jobs).randomElement(using: &random) else { return }
        let job = try row.decode("job_id", as: Int64.self)
        let plan = Int.random(in: 0..<4, using: &random)
        try await bench.pool.withTransaction(retry: .never) { connection in
            func run(_ sql: String, _ parameters: (any PostgresEncodable)?...) async throws -> PostgresRows {
                try await connection.query(PostgresStatement(name: "lock", sql: sql), parameters)
            }
            // So that somebody else is the victim.
            _ = try await run("SET LOCAL deadlock_timeout = '20s'")
            _ = try await run(
                "SELECT 1 FROM shard WHERE job_id = $1::int8 AND state = 'running' FOR UPDATE SKIP LOCKED", job)
            let waiting = try await self.bench.soon(within: .milliseconds(800)) {
                let rows = try await run(
                    """
                    SELECT pid, query ~ '(release_shards|fail_shard|deregister_worker)\\(' AS has_job
                    FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))
                    """)
                return rows.isEmpty ? nil : Array(rows)
            }
            guard let waiting else { return }
            let victim = try waiting[0].decode("pid", as: Int.self)
            if try waiting[0].decode("has_job", as: Bool.self), plan < 2 {
                // It has the job and waits for a shard; from now on both wait in a circle.
                _ = try await run("SELECT 1 FROM job WHERE job_id = $1::int8 FOR UPDATE", job)
                self.recorder.note(fault: "deadlock")
            } else if plan == 0 {
                _ = try await run("SELECT pg_cancel_backend($1::int4)", victim)
            } else if plan == 1 {
                _ = try await run("SELECT pg_terminate_backend($1::int4)", victim)
            } else if plan == 2 {
                // Longer than a statement may take.
                try await self.bench.loop.sleep(for: .milliseconds(2300))
            }
        }
    }

    // MARK: The end

    /// Has undisturbed workers do all that is left.
    private func finish() async throws {
        let bench = self.bench
        try await bench.eventually("everything is done, \(seed)", within: .seconds(180)) {
            let left = try await bench.rows(
                """
                SELECT DISTINCT j.run_id FROM job j JOIN shard s USING (job_id)
                WHERE s.state IN ('failed', 'cancelled', 'held') OR j.is_cancelled OR j.gate = 'held'
                """
            ).map { try RunID($0.decode("run_id", as: String.self)) }
            for run in left {
                if case .given(_, let span) = try await self.calm.ask({
                    try await $0.retry(.run(run), onlyFailed: false)
                }) {
                    let keys = self.recorder.jobs.filter { $0.id.run == run }.flatMap(\.keys)
                    self.recorder.note(span, nil, keys.map { ($0, .retry(onlyFailed: false)) })
                }
            }
            // Nobody waits for a backoff.
            _ = try await bench.rows(
                """
                UPDATE shard SET not_before = CASE WHEN state = 'blocked' THEN clock_timestamp() END,
                    avoid_worker = NULL, avoid_until = NULL
                WHERE state = 'blocked' OR avoid_worker IS NOT NULL
                """)
            _ = try await self.calm.ask { try await $0.reap() }
            try await self.work()
            let open = try await self.calm.queue.openShardCount(run: nil)
            return try await bench.count("shard WHERE state <> 'done'") == 0 && open == 0
        }
    }

    private func work() async throws {
        let description = WorkerDescription(host: "history", pid: 2, device: "cpu", engine: "history 1")
        let lease = try await patiently { try await self.calm.queue.register(description, ttl: .seconds(3600)) }
        var known: Set<ShardKey> = []
        while true {
            guard
                case .given(let claimed, let span) = try await self.calm.ask({
                    try await $0.claim(lease, ClaimRequest(limit: 10))
                }), !claimed.isEmpty
            else { break }
            recorder.noteSign(of: lease.incarnation, span)
            recorder.note(
                span, lease.incarnation,
                claimed.map {
                    ($0.key, .claim(epoch: $0.epoch.rawValue, attempt: $0.attempt, isPrefetch: false))
                })
            known.formUnion(claimed.map(\.key))
            let results = claimed.map { ShardCommit($0, HistoryWorker.publication($0)) }
            guard case .given(let outcomes, let after) = try await self.calm.ask({ try await $0.commit(results) })
            else {
                break
            }
            recorder.note(
                after, lease.incarnation,
                zip(claimed, outcomes).map {
                    (
                        $0.key,
                        .commit(
                            epoch: $0.epoch.rawValue, digest: HistoryWorker.digest($0.key),
                            ShardCall.CommitAnswer(rawValue: $1.rawValue))
                    )
                })
            for (claim, outcome) in zip(claimed, outcomes) where outcome == .committed {
                recorder.note(accepted: .init(key: claim.key, epoch: claim.epoch, incarnation: claim.incarnation))
            }
        }
        if case .given(_, let span) = try await self.calm.ask({ try await $0.deregister(lease) }) {
            recorder.note(span, lease.incarnation, known.map { ($0, .leave) })
        }
    }

    /// Compares what is there with what was said, and every answer with the model.
    private func judge() async throws {
        var outcome = Certificate.Outcome()
        var there: Set<HistoryRecorder.Accepted> = []
        var withdrawn = 0
        var results: [JobID: [ShardResult]] = [:]
        for job in recorder.jobs {
            try await read(job, calm)
            let rows = try await self.calm.queue.results(of: job.id)
            results[job.id] = rows
            there.formUnion(
                rows.map { .init(key: $0.key, epoch: $0.epoch, incarnation: $0.incarnation) })
            outcome.lost += Set(job.keys).subtracting(rows.map(\.key)).count
            outcome.doubled += rows.count - Set(rows.map(\.key)).count
            for row in rows {
                outcome.digests += 1
                let isRight = row.publication.digest == HistoryWorker.digest(row.key) && row.publication.samples == 4
                if !isRight { outcome.wrong += 1 }
            }
        }
        let old = try await bench.rows(
            "SELECT job_id, shard_no, epoch, incarnation FROM withdrawn_result")
        let ids = Dictionary(recorder.jobs.map { ($0.id.number, $0.id) }, uniquingKeysWith: { first, _ in first })
        for row in old {
            guard let job = ids[try row.decode("job_id", as: Int64.self)] else { continue }
            withdrawn += 1
            there.insert(
                .init(
                    key: ShardKey(job: job, index: try row.decode("shard_no")), epoch: Epoch(try row.decode("epoch")),
                    incarnation: Incarnation(try row.decode("incarnation"))))
        }
        let accepted = recorder.accepted
        outcome.lost += accepted.subtracting(there).count
        let refused = try await judgeHistories()
        for violation in refused.prefix(3) { Issue.record("\(violation)") }
        outcome.wrong += refused.count
        try await compareArchive(results)
        print(
            "fault tests: history of \(recorder.summary); \(accepted.count) results accepted, \(withdrawn) taken out; "
                + "\(refused.count) shards' histories refused, \(seed)")
        Certificate.record(recorder.faults, outcome)
        #expect(outcome.lost == 0 && outcome.doubled == 0 && outcome.wrong == 0, "\(outcome), \(seed)")
        #expect(recorder.faults.values.reduce(0, +) >= 100, "too few faults prove nothing: \(recorder.faults)")
    }

    /// - Returns: The histories of shards that the contract does not allow.
    private func judgeHistories(limit: Int = .max) async throws -> [String] {
        let lives = try await bench.rows("SELECT worker_id, incarnation FROM worker")
        let incarnations = Dictionary(
            try lives.map { (try $0.decode("worker_id", as: Int64.self), Incarnation(try $0.decode("incarnation"))) },
            uniquingKeysWith: { first, _ in first })
        var refused: [String] = []
        var most = 0
        for job in recorder.jobs {
            let log = Dictionary(grouping: try await self.calm.queue.attempts(of: job.id), by: \.key)
            for key in job.keys {
                let history = recorder.history(
                    of: key, log: (log[key] ?? []).map { ($0.epoch.rawValue, incarnations[$0.worker.number]) })
                let (found, points) = history.search()
                guard let violation = found else {
                    most = max(most, points)
                    continue
                }
                refused.append("shard \(key.job.name)/\(key.index), \(seed): \(violation)")
                if refused.count == limit { return refused }
            }
        }
        print("fault tests: the longest search for an order took \(most) points")
        return refused
    }

    /// What is archived, and brought back, is what was there.
    private func compareArchive(_ results: [JobID: [ShardResult]]) async throws {
        let queue = self.calm.queue
        // What ended in the future is not old enough.
        try "7200".write(toFile: clock, atomically: true, encoding: .utf8)
        try await queue.reap()
        let archived = try await queue.archive(olderThan: .zero, limit: 1000)
        #expect(archived == Set(results.keys.map(\.run)).count, "\(seed)")
        while try await bench.count("run WHERE NOT is_moved") > 0 { try await queue.run(.archive, isForced: true) }
        #expect(try await bench.count("shard_result") == 0)
        for isRestored in [false, true] {
            if isRestored { for run in Set(results.keys.map(\.run)) { #expect(try await queue.restore(run)) } }
            for (job, before) in results { #expect(try await queue.results(of: job) == before, "\(seed)") }
        }
    }
}
