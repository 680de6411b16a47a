public import FoundationEssentials

/// A run as the queue knows it.
public struct RunRecord: Sendable, Hashable, Encodable {
    public var id: RunID
    public var name: String
    public var project: String
    public var user: String
    public var priority: Priority
    public var jobCount: Int
    public var submittedAt: Date
    public var cancelledAt: Date?
    /// When its shards were moved out of the queue's way.
    public var archivedAt: Date?
    /// The first claim of a shard that is not waiting again.
    public var startedAt: Date?
    /// The end of the last shard; nil while there is something to do.
    public var finishedAt: Date?
    public var progress: WorkProgress

    public var state: WorkState { progress.state }

    public init(
        id: RunID, name: String, project: String, user: String, priority: Priority, jobCount: Int, submittedAt: Date,
        cancelledAt: Date?, archivedAt: Date? = nil, startedAt: Date?, finishedAt: Date?, progress: WorkProgress
    ) {
        self.id = id
        self.name = name
        self.project = project
        self.user = user
        self.priority = priority
        self.jobCount = jobCount
        self.submittedAt = submittedAt
        self.cancelledAt = cancelledAt
        self.archivedAt = archivedAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.progress = progress
    }
}

/// What keeps all of a job's shards back, whatever their own state.
public enum JobGate: String, Sendable, Hashable, CaseIterable, Encodable {
    case open
    /// Other jobs must end first.
    case waiting
    /// A person, or too many failures.
    case held
}

/// A job as the queue knows it.
public struct JobRecord: Sendable, Hashable, Encodable {
    public var id: JobID
    public var task: String
    public var model: String
    public var modelSHA256: String
    public var needLabels: [String]
    public var needGPUMegabytes: Int
    public var needDevice: String?
    public var maxAttempts: Int
    public var maxFailures: Int?
    public var priority: Priority
    public var gate: JobGate
    /// Why the gate is shut, or why the job was cancelled.
    public var reason: String?
    /// The first claim of a shard that is not waiting again.
    public var startedAt: Date?
    /// The end of the last shard; nil while there is something to do.
    public var finishedAt: Date?
    public var progress: WorkProgress
    /// Its results may come from several engines.
    public var isMixed = false
    /// The engine that its first result came from, as JSON; only where one job was asked for.
    public var engine: String?

    public var state: WorkState { progress.state }

    public init(
        id: JobID, task: String, model: String, modelSHA256: String, needLabels: [String], needGPUMegabytes: Int,
        needDevice: String?, maxAttempts: Int, maxFailures: Int?, priority: Priority, gate: JobGate, reason: String?,
        startedAt: Date?, finishedAt: Date?, progress: WorkProgress
    ) {
        self.id = id
        self.task = task
        self.model = model
        self.modelSHA256 = modelSHA256
        self.needLabels = needLabels
        self.needGPUMegabytes = needGPUMegabytes
        self.needDevice = needDevice
        self.maxAttempts = maxAttempts
        self.maxFailures = maxFailures
        self.priority = priority
        self.gate = gate
        self.reason = reason
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.progress = progress
    }
}

/// Where a job or a run stands, derived from its shards.
public enum WorkState: String, Sendable, Hashable, CaseIterable, Encodable {
    /// Nothing was claimed yet.
    case queued
    /// Nothing can be claimed now: it waits for other jobs, or for the time of the next attempt.
    case blocked
    /// Some shards are running or were, and some are still to do.
    case running
    case done
    /// Nothing is left to do, and some shards failed.
    case failed
    case cancelled
    /// Nothing is left to do but shards that wait for a person.
    case held

    /// True when nothing more happens without a person.
    public var isSettled: Bool { self != .queued && self != .running && self != .blocked }

    /// The state of work that has these shards.
    public init(_ counts: ShardCounts) {
        if counts.open > 0 {
            if counts.running == 0 && counts.ready == 0 {
                self = .blocked
            } else {
                self = counts.ready == counts.total ? .queued : .running
            }
        } else if counts.held > 0 {
            self = .held
        } else if counts.failed > 0 {
            self = .failed
        } else if counts.cancelled > 0 {
            self = .cancelled
        } else {
            self = .done
        }
    }
}

/// How far a job or a run is.
public struct WorkProgress: Sendable, Hashable, Encodable {
    public var shards: ShardCounts
    public var samples: Int
    /// Samples of committed shards, and those that running shards reported.
    public var samplesDone: Int
    public var tokensDone: Int

    public init(shards: ShardCounts, samples: Int, samplesDone: Int, tokensDone: Int) {
        self.shards = shards
        self.samples = samples
        self.samplesDone = samplesDone
        self.tokensDone = tokensDone
    }

    public var state: WorkState { WorkState(shards) }

    /// True when nothing is open and nothing is held.
    public var isOver: Bool { shards.open + shards.held == 0 }
}

/// A shard as the queue knows it.
public struct ShardRecord: Sendable, Hashable, Encodable {
    public var key: ShardKey
    public var range: ShardRange
    public var state: ShardState
    /// Why it is held, failed or cancelled.
    public var reason: String?
    public var epoch: Epoch
    public var failures: Int
    /// How often a worker died while it had this shard.
    public var losses: Int
    /// When a blocked shard may be tried again.
    public var notBefore: Date?
    /// Who has it, or had it last.
    public var worker: WorkerID?
    public var startedAt: Date?
    public var endedAt: Date?
    public var samplesDone: Int
    public var tokensDone: Int

    public init(
        key: ShardKey, range: ShardRange, state: ShardState, reason: String?, epoch: Epoch, failures: Int, losses: Int,
        notBefore: Date?, worker: WorkerID?, startedAt: Date?, endedAt: Date?, samplesDone: Int, tokensDone: Int
    ) {
        self.key = key
        self.range = range
        self.state = state
        self.reason = reason
        self.epoch = epoch
        self.failures = failures
        self.losses = losses
        self.notBefore = notBefore
        self.worker = worker
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.samplesDone = samplesDone
        self.tokensDone = tokensDone
    }
}

/// Where a shard stands.
public enum ShardState: String, Sendable, Hashable, CaseIterable, Encodable {
    /// Waits for its backoff to end.
    case blocked
    /// May be claimed.
    case ready
    case running
    case done
    case failed
    case cancelled
    /// Waits for a person.
    case held
}

/// Shards by state.
public struct ShardCounts: Sendable, Hashable, Encodable {
    public var blocked = 0
    public var ready = 0
    public var running = 0
    public var done = 0
    public var failed = 0
    public var cancelled = 0
    public var held = 0

    public init() {}

    public var total: Int { open + done + failed + cancelled + held }

    /// Shards that will still be worked on without anybody's help.
    public var open: Int { blocked + ready + running }

    public subscript(state: ShardState) -> Int {
        get { self[keyPath: Self.path(to: state)] }
        set { self[keyPath: Self.path(to: state)] = newValue }
    }

    public static func + (left: ShardCounts, right: ShardCounts) -> ShardCounts {
        var sum = left
        for state in ShardState.allCases {
            sum[state] += right[state]
        }
        return sum
    }

    private static func path(to state: ShardState) -> WritableKeyPath<ShardCounts, Int> {
        switch state {
        case .blocked: \.blocked
        case .ready: \.ready
        case .running: \.running
        case .done: \.done
        case .failed: \.failed
        case .cancelled: \.cancelled
        case .held: \.held
        }
    }
}

/// A committed result: the only thing that makes a published file count.
public struct ShardResult: Sendable, Hashable {
    public var key: ShardKey
    public var range: ShardRange
    public var epoch: Epoch
    public var incarnation: Incarnation
    public var publication: ShardPublication
    public var worker: WorkerID
    public var committedAt: Date

    public init(
        key: ShardKey, range: ShardRange, epoch: Epoch, incarnation: Incarnation, publication: ShardPublication,
        worker: WorkerID, committedAt: Date
    ) {
        self.key = key
        self.range = range
        self.epoch = epoch
        self.incarnation = incarnation
        self.publication = publication
        self.worker = worker
        self.committedAt = committedAt
    }
}

/// How an attempt ended.
public enum AttemptOutcome: String, Sendable, Hashable, CaseIterable, Encodable {
    case running
    case done
    case failed
    /// Its worker died.
    case lost
    /// Its worker gave it back.
    case released
    case cancelled
    /// Its result was taken out later; the error says why.
    case withdrawn
}

/// One claim of a shard, from the log that nothing is ever removed from.
///
/// A result that comes in after its worker was declared dead, and before anybody else claimed the shard, has two
/// entries with the same epoch: lost, then done.
public struct AttemptRecord: Sendable, Hashable, Encodable {
    public var key: ShardKey
    public var epoch: Epoch
    public var outcome: AttemptOutcome
    public var error: String?
    public var worker: WorkerID
    public var host: String
    public var device: String
    public var startedAt: Date
    public var endedAt: Date?
    /// Device time as the worker reported it; nil where it could not.
    public var seconds: Double?

    public init(
        key: ShardKey, epoch: Epoch, outcome: AttemptOutcome, error: String?, worker: WorkerID, host: String,
        device: String, startedAt: Date, endedAt: Date?, seconds: Double?
    ) {
        self.key = key
        self.epoch = epoch
        self.outcome = outcome
        self.error = error
        self.worker = worker
        self.host = host
        self.device = device
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.seconds = seconds
    }
}

/// Where a worker stands.
public enum WorkerState: String, Sendable, Hashable, CaseIterable, Encodable {
    case live
    /// Its lease ran out and its shards were given to others.
    case dead
    /// It said good-bye.
    case left
}

/// A worker as the queue knows it.
public struct WorkerRecord: Sendable, Hashable, Encodable {
    public var id: WorkerID
    public var incarnation: Incarnation
    public var host: String
    public var pid: Int
    public var device: String
    public var deviceKind: String
    public var labels: [String]
    public var gpuMegabytes: Int
    public var engine: String
    /// What its engine is, as JSON; nil where it does not say.
    public var identity: String?
    /// The sha256 of the models that it has loaded.
    public var warmModels: [String]
    public var state: WorkerState
    public var isDraining: Bool
    public var registeredAt: Date
    public var seenAt: Date
    public var leaseUntil: Date
    /// What is wrong with it, or why it left, in its own words.
    public var note: String?
    /// How many shards it holds.
    public var holding: Int

    public init(
        id: WorkerID, incarnation: Incarnation, host: String, pid: Int, device: String, deviceKind: String,
        labels: [String],
        gpuMegabytes: Int, engine: String, identity: String? = nil, warmModels: [String], state: WorkerState,
        isDraining: Bool,
        registeredAt: Date, seenAt: Date, leaseUntil: Date, note: String? = nil,
        holding: Int
    ) {
        self.id = id
        self.incarnation = incarnation
        self.host = host
        self.pid = pid
        self.device = device
        self.deviceKind = deviceKind
        self.labels = labels
        self.gpuMegabytes = gpuMegabytes
        self.engine = engine
        self.identity = identity
        self.warmModels = warmModels
        self.state = state
        self.isDraining = isDraining
        self.registeredAt = registeredAt
        self.seenAt = seenAt
        self.leaseUntil = leaseUntil
        self.note = note
        self.holding = holding
    }
}
