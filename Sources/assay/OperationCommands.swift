internal import ArgumentParser
internal import AssayRuntime
internal import Console
internal import JobQueue
internal import PostgresQueue
internal import TerminalText

/// What a command that changes a run or a job answers.
struct WorkChange: Encodable {
    var id: String
    var changed: Int
    var run: RunRecord
    /// Jobs that other engines may finish from now on; nil where nobody asked for that.
    var mixed: Int?

    /// Finds what is meant, changes it, and looks at the run again.
    static func perform(
        _ id: String, _ options: GlobalOptions,
        _ change: (Session, WorkTarget) async throws -> Int
    ) async throws -> WorkChange {
        try await Session.with(options) { session in
            let work = try await session.queue.work(matching: id)
            let changed = try await change(session, work)
            let name =
                switch work {
                case .run(let run): run.text
                case .job(let job): job.name
                }
            return WorkChange(
                id: name, changed: changed, run: try await session.queue.run(matching: work.run.text))
        }
    }

    /// - Parameter sentence: What happened, for people.
    func show(_ options: GlobalOptions, _ sentence: String) throws {
        if options.json { return try Output.json(self) }
        Output.line("\(self.id): \(sentence); the run is \(self.run.state.rawValue)")
    }
}

/// "1 shard", "3 shards".
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

struct CancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel what a run or job has not finished; what is published stays.",
        discussion: "Running shards stop at their worker's next heartbeat. Example:  assay cancel k3f9, or k3f9.1")

    @Argument(help: "A run or job, by any unique prefix.")
    var id: String

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let change = try await WorkChange.perform(self.id, self.options) { try await $0.queue.cancel($1) }
        try change.show(
            self.options,
            "cancelled \(counted(change.changed, "shard")), \(change.run.progress.samplesDone) samples are done")
    }
}

struct HoldCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold",
        abstract: "Keep what is not running from being claimed, until it is released.",
        discussion: "Running shards are finished. Example:  assay hold k3f9.1 --reason 'the data looks odd'")

    @Argument(help: "A run or job, by any unique prefix.")
    var id: String

    @Option(help: "The reason; `assay explain` shows it.")
    var reason: String?

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let change = try await WorkChange.perform(self.id, self.options) { session, work in
            try await session.queue.hold(work, reason: self.reason ?? "held by \(session.userName)")
        }
        try change.show(self.options, "held \(counted(change.changed, "job"))")
    }
}

struct ReleaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Let what is held be claimed again: jobs held by people, and shards held as suspected poison.",
        discussion: "Dependencies still count. Example:  assay release k3f9")

    @Argument(help: "A run or job, by any unique prefix.")
    var id: String

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let change = try await WorkChange.perform(self.id, self.options) { try await $0.queue.release($1) }
        try change.show(self.options, "released \(counted(change.changed, "job or shard"))")
    }
}

struct RetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Have everything that ended without a result tried again.",
        discussion: """
            Failed, cancelled and held shards become ready, with their attempts counted from the beginning. Results stay:
            a shard that is done would only be computed to the same bytes.

            All results of a job come from one engine: the same build of llama.cpp on the same kind of processor. With
            --any-engine, jobs that are not finished may be finished by any other, for example after an upgrade of all
            workers; reports say so.
            Example:  assay retry --failed k3f9
            """)

    @Argument(help: "A run or job, by any unique prefix.")
    var id: String

    @Flag(help: "Only failed shards, not cancelled or held ones.")
    var failed = false

    @Flag(help: "Let other engines finish jobs that one engine has begun.")
    var anyEngine = false

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        var mixed: Int?
        var change = try await WorkChange.perform(self.id, self.options) { session, work in
            if self.anyEngine { mixed = try await session.queue.mixEngines(of: work) }
            return try await session.queue.retry(work, onlyFailed: self.failed)
        }
        change.mixed = mixed
        var sentence = "\(counted(change.changed, "shard")) to be tried again"
        switch mixed {
        case nil: break
        case 0: sentence += ", no job that is not finished needs another engine"
        case let count?: sentence += ", \(counted(count, "job")) may be finished by other engines"
        }
        try change.show(self.options, sentence)
    }
}

struct PriorityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "priority",
        abstract: "Move a run or job to another tier.",
        discussion: "What runs is finished; it counts from the next claim on. Example:  assay priority k3f9 urgent")

    @Argument(help: "A run or job, by any unique prefix.")
    var id: String

    @Argument(help: "low, normal, high or urgent.")
    var tier: String

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let priority = try Priority(name: self.tier)
        let change = try await WorkChange.perform(self.id, self.options) {
            try await $0.queue.setPriority(priority, of: $1)
        }
        try change.show(self.options, "moved \(counted(change.changed, "job")) to \(priority.name)")
    }
}

struct ArchiveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive",
        abstract: "Move the shards of runs that ended long ago out of the tables that claims work in.",
        discussion: """
            Nothing is lost: runs, results and attempts are read as before; only retrying is over. Workers do this by
            themselves for runs that ended 30 days ago. Example:  assay archive --older-than-days 7
            """)

    @Option(help: "Only runs that ended at least this many days ago.")
    var olderThanDays = 30.0

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var archived: Int
    }

    func validate() throws {
        guard self.olderThanDays >= 0, self.olderThanDays.isFinite else {
            throw ValidationError("--older-than-days is a number that is not negative")
        }
    }

    func run() async throws {
        let count = try await Session.with(self.options) { session in
            // Device time is charged first: what is not charged yet stays.
            _ = try await session.queue.reap()
            var count = 0
            while true {
                let moved = try await session.queue.archive(olderThan: .seconds(self.olderThanDays * 86_400), limit: 20)
                guard moved > 0 else { return count }
                count += moved
            }
        }
        if self.options.json { return try Output.json(Answer(archived: count)) }
        Output.line("\(counted(count, "run")) archived")
    }
}
