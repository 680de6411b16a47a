internal import JobQueue
internal import MemoryQueue
internal import WorkerLogic

/// A contract that a history has broken.
package struct Violation: Error, CustomStringConvertible {
    package let seed: UInt64
    package let message: String
    package let trace: [String]

    package var description: String {
        "seed \(self.seed): \(self.message)" + self.trace.map { "\n    \($0)" }.joined()
    }
}

/// What a kind of history has in it.
package struct Conditions: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        /// Everything goes wrong that can: crashes, delays, lost and late answers, clocks that jump, full disks.
        case chaos
        /// Nothing goes wrong and nobody polls: only what is submitted wakes a worker.
        case quiet
        /// Two projects of different weights compete for long.
        case rivals
    }

    var kind: Kind
    var workers: Int
    var ttl: Duration
    /// Faults end after so many seconds.
    var chaos: Double
    /// Of a call.
    var fault: Double
    /// Of a step of a shard.
    var failure: Double

    init(_ random: inout SeededGenerator, kind: Kind?) {
        let draw = Int.random(in: 0..<200, using: &random)
        self.kind = kind ?? (draw < 1 ? .rivals : draw < 50 ? .quiet : .chaos)
        self.workers = Int.random(in: 1...3, using: &random)
        self.ttl = .milliseconds(Int.random(in: 2_000...12_000, using: &random))
        self.chaos = Double.random(in: 5...40, using: &random)
        self.fault = [0, 0.02, 0.1, 0.3].randomElement(using: &random) ?? 0
        self.failure = [0, 0.05, 0.3].randomElement(using: &random) ?? 0
        guard self.kind != .chaos else { return }
        (self.fault, self.failure, self.ttl) = (0, 0, .seconds(600))
    }
}

/// What happens next, and when, in seconds.
struct Happening {
    enum Kind {
        case event(worker: Int, life: Int, WorkerEvent)
        case wake(worker: Int, life: Int)
        case stepEnds(worker: Int, life: Int, Claim, number: Int, ExecutionError?)
        /// A call reaches the database.
        case arrival(worker: Int, life: Int, QueueCall, answersAt: Double?)
        case submission, cancellation, drain, crash, start(worker: Int)
        case abandonment, pause, jump, chores, poll
        case databaseGoes, databaseComes, storeGoes, storeFills, storeComes
        case peace
    }

    let time: Double
    let kind: Kind
}

/// A heap of happenings; those of the same moment in the order in which they were set.
struct Agenda {
    private struct Entry {
        let time: Double
        let number: Int
        let slot: Int

        static func < (one: Entry, other: Entry) -> Bool { (one.time, one.number) < (other.time, other.number) }
    }

    private var heap: [Entry] = []
    private var kinds: [Happening.Kind?] = []
    private var free: [Int] = []
    private var last = 0

    mutating func add(_ time: Double, _ kind: Happening.Kind) {
        self.last += 1
        let slot = self.free.popLast() ?? self.kinds.count
        if slot == self.kinds.count { self.kinds.append(kind) } else { self.kinds[slot] = kind }
        self.heap.append(Entry(time: time, number: self.last, slot: slot))
        var child = self.heap.count - 1
        while child > 0, self.heap[child] < self.heap[(child - 1) / 2] {
            self.heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func next() -> Happening? {
        guard let first = self.heap.first else { return nil }
        self.heap[0] = self.heap[self.heap.count - 1]
        self.heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in (2 * parent + 1)...(2 * parent + 2) where child < self.heap.count {
                if self.heap[child] < self.heap[least] { least = child }
            }
            guard least != parent else { break }
            self.heap.swapAt(least, parent)
            parent = least
        }
        guard let kind = self.kinds[first.slot].take() else { return nil }
        self.free.append(first.slot)
        return Happening(time: first.time, kind: kind)
    }
}

/// The shared file system: what is published, and whether it takes and gives anything.
struct Store {
    enum State { case fine, away, full }
    var state = State.fine
    /// The samples of each file.
    var files: [String: Int] = [:]
}

/// A worker's process, one life after the other, and what it was told.
final class Process {
    enum Step { case preparing, computing, publishing }

    var machine: WorkerMachine
    var life = 0
    var isAlive = true
    var hasEnded = false
    /// Calls without an answer.
    var calls: [CallID: QueueCall.Question] = [:]
    var steps: [Claim: (step: Step, number: Int, isStopped: Bool)] = [:]
    var shards: [Claim: ClaimedShard] = [:]
    var prepared: Set<Claim> = []
    var computed: Set<Claim> = []
    var begun: Set<Claim> = []
    /// What the queue has said of a claim: it can't be committed any more.
    var lost: Set<Claim> = []
    var lease: WorkerLease?
    var pausedUntil = 0.0
    var wakeAt: Double?
    var commits = 0
    /// Some answers never came: the summary may know less than the queue.
    var hasMissed = false
    var hasStalled = false

    init(_ machine: WorkerMachine) { self.machine = machine }
}

// How a history is told.

extension QueueCall.Question {
    var story: String {
        switch self {
        case .register: "register"
        case .claim(_, let request):
            "claim" + (request.isPrefetch ? " ahead" : request.above.map { " above \($0)" } ?? "")
        case .begin(let shard): "begin \(Claim(shard))"
        case .heartbeat(let lease, let holding, _):
            "heartbeat of \(lease.worker) with " + holding.map { "\($0.key) e\($0.epoch)" }.joined(separator: ", ")
        case .supersededClaims(let shards): "ask for \(shards.map { Claim($0) })"
        case .commit(let shard, _): "commit \(Claim(shard))"
        case .fail(let shard, let failure): "fail \(Claim(shard)): \(failure.message)"
        case .release(let shard, _): "release \(Claim(shard))"
        case .deregister(let lease, _): "deregister \(lease.worker)"
        case .openShardCount: "count open shards"
        case .doDueChores: "do chores"
        }
    }
}

extension QueueAnswer {
    var story: String {
        switch self {
        case .registered(let lease): "registered as \(lease.worker)"
        case .claimed(let shard): shard.map { "claimed \(Claim($0))" } ?? "nothing to claim"
        case .renewed(let reply):
            "renewed; lost \(reply.lost), cancelled \(reply.cancelled), orphaned \(reply.orphaned)"
                + (reply.isDrainRequested ? ", drain" : "")
        case .superseded(let shards): "superseded: \(shards.map { Claim($0) })"
        case .begun, .committed, .recorded, .open, .didChores, .done: "\(self)"
        }
    }
}

extension WorkerEvent {
    var story: String {
        switch self {
        case .answered(let id, let answer): "answer \(id.number): \(answer.story)"
        case .failed(let id, let error): "failure of \(id.number): \(error.code)"
        case .prepared(let claim, let error): "\(claim) is prepared" + (error.map { ", not: \($0)" } ?? "")
        case .computed(let claim, let error): "\(claim) is computed" + (error.map { ", not: \($0)" } ?? "")
        case .published(let claim, .success): "\(claim) is published"
        case .published(let claim, .failure(let error)): "\(claim) is not published: \(error)"
        default: "\(self)"
        }
    }
}

extension WorkerAction {
    var story: String {
        switch self {
        case .call(let call): "call \(call.id.number) (\(call.lane)): \(call.question.story)"
        case .prepare(let shard): "prepare \(Claim(shard))"
        case .log(let line): "say: \(line.message) \(line.metadata["error"] ?? "")"
        default: "\(self)"
        }
    }
}
