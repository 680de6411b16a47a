/// One call to the queue as far as it concerns one shard.
///
/// Times are places in one order of all beginnings and ends of calls.
struct ShardCall: Sendable, Hashable, CustomStringConvertible {
    /// What was asked and what was answered; nil where no answer came.
    enum Operation: Sendable, Hashable {
        case claim(epoch: Int, attempt: Int, isPrefetch: Bool)
        case begin(epoch: Int, isMine: Bool?)
        /// The shard was in the list of what the worker holds.
        case heartbeat(epoch: Int, News?)
        /// The shard was not in that list; the reply says that it went back.
        case orphaned
        case commit(epoch: Int, digest: String, CommitAnswer?)
        case fail(epoch: Int, isPermanent: Bool, FailAnswer?)
        case release(epoch: Int, isReleased: Bool?)
        /// The worker gives back all it has and is gone.
        case leave
        case superseded(epoch: Int, Bool)
        case cancel
        case hold
        case unhold
        case retry(onlyFailed: Bool)
        /// A committed result is taken out, so that it is computed again.
        case withdraw(epoch: Int, worker: Int, isTaken: Bool?)
        /// The server dies without warning and recovers.
        case crash
        case read(View)
        /// What a look at the results shows of this shard.
        case result(Model.Result?)
    }

    enum News: Sendable, Hashable { case kept, lost, cancelled }
    enum CommitAnswer: String, Sendable, Hashable { case committed, already, fenced, unlike }
    enum FailAnswer: String, Sendable, Hashable { case retry, failed, cancelled, fenced }

    /// A shard as people see it.
    struct View: Sendable, Hashable {
        var state: Model.State
        var epoch: Int
        var failures: Int
    }

    /// The life of a worker; nil for people.
    var worker: Int?
    var operation: Operation
    var start: Int
    /// Nil when the caller never learned what came of it.
    var end: Int?
    /// Up to when a call without an answer may still take effect.
    var deadline = Int.max

    var description: String {
        "\(start)…\(end.map(String.init) ?? "?") \(worker.map { "worker \($0)" } ?? "person") \(operation)"
    }
}

/// A shard as the contract has it: what each call may answer, and what it changes.
struct Model: Sendable, Hashable {
    enum State: String, Sendable, Hashable { case blocked, ready, running, done, failed, cancelled, held }

    /// Whose the newest claim is.
    enum Holder: Sendable, Hashable {
        case nobody
        case worker(Int)
        /// A worker's whose call for it was never answered.
        case ghost
    }

    struct Result: Sendable, Hashable {
        var epoch: Int
        var worker: Int
        var digest: String
    }

    struct Claim: Sendable, Hashable {
        var epoch: Int
        var worker: Int
    }

    var state = State.ready
    var epoch = 0
    var holder = Holder.nobody
    /// Nil where nobody knows.
    var isBegun: Bool? = true
    var failures = 0
    /// At most.
    var losses = 0
    var result: Result?
    var isCancelled = false
    var isHeld = false
    /// Claims that began before the gate was known to be shut may still come.
    var shutAt = 0
    var maxAttempts = 3
    /// What a crash may bring back, the newest last: claims are not waited for until they are on the disk.
    var undo: [Model] = []
    /// Claims that a crash has undone.
    var undone: Set<Claim> = []

    func holds(_ worker: Int?, _ epoch: Int) -> Bool {
        guard let worker else { return false }
        return self.epoch == epoch && holder == .worker(worker)
    }

    private func isRunning(for worker: Int?, _ epoch: Int) -> Bool { state == .running && holds(worker, epoch) }

    private func accepts(_ worker: Int?, _ epoch: Int) -> Bool {
        (holds(worker, epoch) && [.running, .ready, .held].contains(state)) || isUndone(worker, epoch)
    }

    /// A claim that a crash undid, of a shard that nobody else has now: it counts as if it stood.
    private func isUndone(_ worker: Int?, _ epoch: Int) -> Bool {
        guard let worker, self.epoch < epoch, state == .ready || state == .blocked else { return false }
        return undone.contains(Claim(epoch: epoch, worker: worker))
    }

    /// As people see it.
    var view: ShardCall.View {
        var shown = state
        if isCancelled, [.blocked, .ready, .held].contains(state) {
            shown = .cancelled
        } else if isHeld, [.blocked, .ready].contains(state) {
            shown = .held
        }
        return ShardCall.View(state: shown, epoch: epoch, failures: failures)
    }

    // MARK: Changes

    /// A change that a crash can undo.
    private func softly(_ change: (inout Model) -> Void) -> Model {
        var next = self
        var before = self
        before.undo = []
        next.undo.append(before)
        change(&next)
        return next
    }

    /// A change that is on the disk, with all before it, before anybody can see it.
    private func durably(_ change: (inout Model) -> Void) -> Model {
        var next = self
        next.undo = []
        change(&next)
        return next
    }

    /// Not computed, and to be had by others.
    private mutating func goBack() { state = isCancelled ? .cancelled : .ready }

    /// The claim that follows, if there may be one.
    private func claimed(by holder: Holder, isPrefetch: Bool?, start: Int) -> Model? {
        guard (!isCancelled && !isHeld) || start < shutAt else { return nil }
        // An idle worker takes over what another one has fetched and not begun.
        let isFree = state == .ready || (state == .running && isBegun != true && self.holder != holder)
        guard isFree else { return nil }
        return softly {
            $0.state = .running
            $0.epoch += 1
            $0.holder = holder
            $0.isBegun = isPrefetch.map { !$0 }
        }
    }

    /// Every state after the call that agrees with its answer; none if the contract does not allow that answer.
    func after(_ call: ShardCall) -> [Model] {
        let worker = call.worker
        switch call.operation {
        case .claim(let epoch, let attempt, let isPrefetch):
            guard let worker, epoch == self.epoch + 1, attempt == failures + 1 else { return [] }
            return claimed(by: .worker(worker), isPrefetch: isPrefetch, start: call.start).map { [$0] } ?? []
        case .begin(let epoch, let isMine):
            let holds = isRunning(for: worker, epoch)
            guard isMine != false else { return holds ? [] : [self] }
            return holds ? [softly { $0.isBegun = true }] : []
        case .heartbeat(let epoch, let news):
            if news != .lost, !isCancelled, isUndone(worker, epoch), let worker {
                return [
                    softly {
                        $0.state = .running
                        $0.epoch = epoch
                        $0.holder = .worker(worker)
                        $0.isBegun = true
                    }
                ]
            }
            let isKnown = holds(worker, epoch) && [.running, .done].contains(state)
            let expected: ShardCall.News =
                !isKnown ? .lost : state == .running && isCancelled ? .cancelled : .kept
            return news == nil || news == expected ? [self] : []
        case .orphaned:
            let isHis = holder == .ghost || worker.map { holder == .worker($0) } == true
            guard state == .running, isHis else { return [] }
            return [softly { $0.goBack() }]
        case .commit(let epoch, let digest, let answer):
            guard let worker else { return [] }
            let result = Result(epoch: epoch, worker: worker, digest: digest)
            switch answer {
            case .already: return self.result == result ? [self] : []
            case .fenced: return accepts(worker, epoch) || self.result == result ? [] : [self]
            // The job's results come from another engine; nothing else stands against this one.
            case .unlike: return accepts(worker, epoch) ? [self] : []
            case .committed, nil:
                guard self.result == nil, accepts(worker, epoch) else { return [] }
                return [
                    durably {
                        $0.state = .done
                        $0.epoch = epoch
                        $0.holder = .worker(worker)
                        $0.result = result
                    }
                ]
            }
        case .fail(let epoch, let isPermanent, let answer):
            let holds = isRunning(for: worker, epoch)
            if answer == .fenced { return holds ? [] : [self] }
            guard holds else { return [] }
            let isLast = isPermanent || failures + 1 >= maxAttempts
            // Failures of one worker alone count half where there are others.
            let mayRetry = !isPermanent && failures + 1 < 2 * maxAttempts
            let allowed: [ShardCall.FailAnswer] =
                isCancelled ? [.cancelled] : (isLast ? [.failed] : []) + (mayRetry ? [.retry] : [])
            return allowed.filter { answer == nil || answer == $0 }.map { verdict in
                durably {
                    $0.failures += 1
                    $0.state = verdict == .retry ? .blocked : verdict == .failed ? .failed : .cancelled
                }
            }
        case .release(let epoch, let isReleased):
            let holds = isRunning(for: worker, epoch)
            guard isReleased != false else { return holds ? [] : [self] }
            return holds ? [durably { $0.goBack() }] : []
        case .leave:
            guard state == .running, let worker, holder == .worker(worker) else { return [self] }
            return [durably { $0.goBack() }]
        case .superseded(let epoch, let isSuperseded):
            let isAlive = accepts(worker, epoch) || (state == .done && holds(worker, epoch))
            return isAlive != isSuperseded ? [self] : []
        case .cancel:
            guard !isCancelled else { return [self] }
            return [
                durably {
                    $0.isCancelled = true
                    $0.isHeld = false
                    $0.shutAt = call.end ?? call.deadline
                    if [.blocked, .ready, .held].contains($0.state) { $0.state = .cancelled }
                }
            ]
        case .hold:
            guard !isCancelled, !isHeld else { return [self] }
            return [
                durably {
                    $0.isHeld = true
                    $0.shutAt = call.end ?? call.deadline
                }
            ]
        case .unhold:
            return [
                durably {
                    $0.isHeld = false
                    if $0.state == .held, !$0.isCancelled {
                        $0.state = .ready
                        $0.losses = 0
                    }
                }
            ]
        case .retry(let onlyFailed):
            return [
                durably {
                    if !onlyFailed { $0.isCancelled = false }
                    $0.isHeld = false
                    guard !$0.isCancelled,
                        $0.state == .failed || (!onlyFailed && [.cancelled, .held].contains($0.state))
                    else { return }
                    $0.state = .ready
                    $0.failures = 0
                    $0.losses = 0
                }
            ]
        case .withdraw(let epoch, let worker, let isTaken):
            let isThere = result.map { $0.epoch == epoch && $0.worker == worker } ?? false
            guard isTaken != false else { return isThere ? [] : [self] }
            guard isThere else { return [] }
            return [
                durably {
                    $0.result = nil
                    $0.holder = .nobody
                    $0.failures = 0
                    $0.losses = 0
                    $0.goBack()
                }
            ]
        case .crash:
            // Whatever is undone goes with all that came after it.
            var outcomes = [durably { _ in }]
            var lost: Set<Claim> = []
            var newer = self
            for older in undo.reversed() {
                if case .worker(let worker) = newer.holder, newer.epoch > older.epoch {
                    lost.insert(Claim(epoch: newer.epoch, worker: worker))
                }
                var outcome = older
                outcome.undone.formUnion(lost)
                outcomes.append(outcome)
                newer = older
            }
            return outcomes
        case .read(let view): return view == self.view ? [self] : []
        case .result(let result): return result == self.result ? [self] : []
        }
    }

    /// What happens without a call that says so: backoffs end, dead workers' shards go back, calls without an answer claim.
    ///
    /// - Returns: Each state with the time before which it can't have come about.
    func byItself(_ history: ShardHistory, from floor: Int) -> [(model: Model, since: Int)] {
        var next: [(model: Model, since: Int)] = []
        if state == .blocked { next.append((softly { $0.state = .ready }, floor)) }
        if state == .running {
            var since: Int?
            switch holder {
            case .nobody: break
            case .ghost:
                since = floor
                // The worker does not know of the claim, says so, and it goes back; or it leaves.
                next.append((softly { $0.goBack() }, floor))
            case .worker(let worker):
                // A worker whose lease was renewed was not dead before that.
                since = max(floor, history.lastSigns[worker, default: 0])
            }
            if let since {
                let losses = isBegun == false ? losses : losses + 1
                let back = durably {
                    $0.goBack()
                    $0.losses = losses
                }
                next.append((back, since))
                if !isCancelled, isBegun != false, losses >= 3 {
                    let held = durably {
                        $0.state = .held
                        $0.losses = losses
                    }
                    next.append((held, since))
                }
            }
        }
        guard epoch < history.lastEpoch, history.mayBeGhost(epoch + 1, after: floor) else { return next }
        if let call = history.unansweredClaims.first(where: { $0.deadline >= floor }),
            let claimed = claimed(by: .ghost, isPrefetch: nil, start: call.start)
        {
            next.append((claimed, max(floor, call.start)))
        }
        return next
    }
}

/// All that is known of one shard.
struct ShardHistory: Sendable {
    /// When a call without an answer can have taken effect.
    struct Window: Sendable {
        var start: Int
        var deadline: Int
    }

    let calls: [ShardCall]
    let maxAttempts: Int
    /// When the last call began that proved a worker's lease, by worker.
    var lastSigns: [Int: Int] = [:]
    /// Claims whose answers got lost, in the order of their beginnings: they may have taken this shard.
    var unansweredClaims: [Window] = []
    /// Epochs that such a claim may have issued by what the database's log says at the end; nil for any.
    var ghostEpochs: Set<Int>?
    /// When the last crash began: what came before may be in no log.
    var lastCrash = -1

    /// The greatest that anybody was told of.
    private(set) var lastEpoch = 0

    init(calls: [ShardCall], maxAttempts: Int = 3) {
        self.calls = calls.sorted { ($0.start, $0.end ?? .max) < ($1.start, $1.end ?? .max) }
        self.maxAttempts = maxAttempts
        lastEpoch =
            calls.map { call in
                switch call.operation {
                case .claim(let epoch, _, _): epoch
                case .read(let view): view.epoch
                case .result(let result): result?.epoch ?? 0
                default: 0
                }
            }.max() ?? 0
    }

    func mayBeGhost(_ epoch: Int, after floor: Int) -> Bool {
        floor <= lastCrash || ghostEpochs.map { $0.contains(epoch) } ?? true
    }

    /// Looks for an order of the calls that explains every answer: each call takes effect at one instant between its
    /// beginning and its end, those without an answer at one or never.
    ///
    /// - Returns: Nil when there is one; else how far the best try came.
    func violation() -> String? { search().violation }

    /// The same, with the number of points that were looked at.
    func search() -> (violation: String?, points: Int) { Search(history: self).run() }
}

/// After Wing and Gong, with the memory of Lowe: no point of the search is looked at twice.
private struct Search {
    struct Point: Hashable {
        /// Calls that have taken effect, one bit each.
        var taken: [UInt64]
        var left: Int
        var model: Model
        /// Nothing from here on took effect before this time.
        var floor: Int

        func has(_ index: Int) -> Bool { taken[index >> 6] & (1 << UInt64(index & 63)) != 0 }
        mutating func take(_ index: Int) { taken[index >> 6] |= 1 << UInt64(index & 63) }
    }

    /// Right histories take a few hundred points.
    static let limit = 50_000
    let history: ShardHistory

    func run() -> (violation: String?, points: Int) {
        let calls = history.calls
        var model = Model()
        model.maxAttempts = history.maxAttempts
        let start = Point(
            taken: Array(repeating: 0, count: calls.count / 64 + 1), left: calls.count { $0.end != nil }, model: model,
            floor: 0)
        var stack = [start]
        var seen: Set<Point> = [start]
        var best = start
        func push(_ point: Point) { if seen.insert(point).inserted { stack.append(point) } }
        while let point = stack.popLast() {
            if point.left == 0 { return (nil, seen.count) }
            if point.left < best.left { best = point }
            if seen.count > Self.limit {
                return ("no order found among \(seen.count) points\n" + report(best), seen.count)
            }
            let open = self.open(point)
            let firstEnd = open.first.flatMap { calls[$0].end } ?? .max
            // An answer that changes nothing and is right now may as well be given now.
            if let index = open.first(where: { isLook(calls[$0]) && point.model.after(calls[$0]) == [point.model] }) {
                push(self.point(point, taking: index, point.model))
                continue
            }
            // The last one pushed is tried first: calls with an answer, by their ends.
            for (model, since) in point.model.byItself(history, from: point.floor) where since <= firstEnd {
                var next = point
                next.model = model
                next.floor = since
                push(next)
            }
            for index in open.reversed() {
                for model in point.model.after(calls[index]) {
                    // Without an answer, what changes nothing need not have happened.
                    if calls[index].end == nil, model == point.model { continue }
                    push(self.point(point, taking: index, model))
                }
            }
        }
        return (report(best), seen.count)
    }

    private func point(_ point: Point, taking index: Int, _ model: Model) -> Point {
        var next = point
        next.take(index)
        if history.calls[index].end != nil { next.left -= 1 }
        next.model = model
        next.floor = max(point.floor, history.calls[index].start)
        return next
    }

    /// The calls that may take effect next: nothing that is still to come had ended before they began.
    ///
    /// Those that end first come first, those without an answer last.
    private func open(_ point: Point) -> [Int] {
        let calls = history.calls
        var firstEnd = Int.max
        var open: [Int] = []
        for index in calls.indices where !point.has(index) {
            if calls[index].start > firstEnd { break }
            firstEnd = min(firstEnd, calls[index].end ?? .max)
            open.append(index)
        }
        return open.filter {
            calls[$0].start <= firstEnd && (calls[$0].end ?? calls[$0].deadline) >= point.floor
        }.sorted { (calls[$0].end ?? .max, $0) < (calls[$1].end ?? .max, $1) }
    }

    /// Answers that say that nothing was changed.
    private func isLook(_ call: ShardCall) -> Bool {
        switch call.operation {
        case .heartbeat, .superseded, .read, .result, .begin(_, false), .commit(_, _, .already), .commit(_, _, .fenced),
            .commit(_, _, .unlike), .fail(_, _, .fenced), .release(_, false), .withdraw(_, _, false):
            call.end != nil
        default: false
        }
    }

    private func report(_ point: Point) -> String {
        var model = point.model
        let undo = model.undo.count
        model.undo = []
        let open = open(point)
        let lines = history.calls.indices.map { index in
            "\(point.has(index) ? "  " : open.contains(index) ? "> " : ". ")\(history.calls[index])"
        }
        return
            "nothing explains one of the calls marked > after those above it; then the shard was \(model), with \(undo) "
            + "changes not on the disk\n" + lines.joined(separator: "\n")
    }
}
