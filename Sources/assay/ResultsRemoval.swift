internal import ArgumentParser
internal import AssayRuntime
internal import Console
internal import JobQueue
internal import Maintenance
internal import PostgresQueue
internal import ResultStore
internal import TerminalText

struct ResultsRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Remove the results of a run that is over, rows and files.",
        discussion: """
            What was removed is kept on record, but the files are gone. The run stays in the list as cancelled; `assay retry`
            has it computed again. A run that a report names is kept, unless --force is given.
            Example:  assay results rm k3f9
            """)

    @Argument(help: "A run or job, by any unique prefix.")
    var id: String

    @Flag(help: "Don't ask.")
    var yes = false

    @Flag(help: "Also if reports name the run; they stay as they are.")
    var force = false

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let answer = try await Session.with(self.options) { session in
            let removal = try await self.removal(session)
            try await Confirmation.obtain(
                "\(Format.counted(removal.count, "result")) (\(Format.bytes(removal.bytes))) of \(self.id) will be removed for good",
                isGiven: self.yes)
            return try await removal.perform(user: session.userName, queue: session.queue)
        }
        if self.options.json { return try Output.json(answer) }
        Output.line(
            "removed \(Format.counted(answer.results, "result")): \(Format.counted(answer.files, "file")), "
                + "\(Format.bytes(Int64(answer.bytes)))")
    }

    private func removal(_ session: Session) async throws -> ResultRemoval {
        do {
            let store = try await session.store()
            return try await ResultRemoval(
                try await RunSelection(self.id, in: session.queue), queue: session.queue, store: store,
                evenIfReported: self.force)
        } catch let error as UpkeepError {
            switch error.code {
            case .notOver:
                throw UserError(
                    error.message, hint: "wait until it is over, or cancel it with `assay cancel \(self.id)`")
            case .reported:
                throw UserError(
                    error.message,
                    hint: "reports keep their numbers, but not their samples; if that is meant, give --force")
            }
        }
    }
}

struct ResultsGCCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract: "Remove files that no result names and none ever will: what dead workers left in the store.",
        discussion: """
            Safe while workers publish: a file goes only if the database proves that its claim can never commit a result any
            more. Files of claims that the database does not know are kept, and counted: after a restore from a backup the
            store knows more than the database.
            Example:  assay results gc --dry-run
            """)

    @Flag(help: "Show what would be removed, and remove nothing.")
    var dryRun = false

    @Option(help: "Keep files younger than this: a number with s, m, h or d.")
    var olderThan = Age(seconds: 3600)

    @Flag(help: "Also remove data sets that no run, no schedule and no registered name needs.")
    var dataSets = false

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var dryRun: Bool
        var count: Int
        var bytes: Int
        var files: [GarbageFile]
        /// Files that may be garbage, but of which that can't be proved: by the reason, how many.
        var kept: [String: Int]
    }

    func run() async throws {
        let (garbage, dataSets) = try await Session.with(self.options) { session in
            let queue = session.queue
            // Not opened for writing: that needs room on the disk, and a full disk is when this command is wanted.
            let store = try await session.store(.read)
            let garbage = try await GarbageJudge(queue).collect(
                in: store, olderThan: self.olderThan.duration, dryRun: self.dryRun)
            guard self.dataSets else { return (garbage, [GarbageFile]()) }
            let unused = try await store.collectDataSets(olderThan: self.olderThan.duration, dryRun: self.dryRun) {
                try await queue.namedHashes()
            }
            return (garbage, unused)
        }
        let files = garbage.files + dataSets
        let reasons = garbage.kept
        let answer = Answer(
            dryRun: self.dryRun, count: files.count, bytes: files.reduce(0) { $0 + $1.bytes }, files: files,
            kept: Dictionary(uniqueKeysWithValues: reasons.map { ($0.key.rawValue, $0.value) }))
        if self.options.json { return try Output.json(answer) }
        if self.dryRun {
            for file in files { Output.line("\(file.path)  \(Format.bytes(Int64(file.bytes)))") }
        }
        let what = "\(answer.count) \(answer.count == 1 ? "file" : "files") (\(Format.bytes(Int64(answer.bytes))))"
        Output.line(self.dryRun ? "would remove \(what)" : "removed \(what)")
        for (verdict, count) in reasons.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            Output.note("kept \(Format.counted(count, "file")) \(verdict.reason)")
        }
    }
}

extension ClaimVerdict {
    /// Why a file of such a claim stays, after "kept 3 files ".
    fileprivate var reason: String {
        switch self {
        case .alive, .dead: "whose claims are known"
        case .newer: "of claims that are newer than anything this database knows; it was restored from a copy, perhaps"
        case .stranger: "of workers that this database does not know"
        case .unknown: "of shards that this database does not know"
        }
    }
}

/// A length of time as a user types it: "90s", "15m", "1h", "2d".
struct Age: ExpressibleByArgument {
    let seconds: Int

    init(seconds: Int) { self.seconds = seconds }

    init?(argument: String) {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = argument.last.flatMap({ units[$0] }), let number = Int(argument.dropLast()),
            (0...36_500).contains(number / (86_400 / unit)), number >= 0
        else { return nil }
        self.seconds = number * unit
    }

    var duration: Duration { .seconds(self.seconds) }

    var defaultValueDescription: String {
        self.seconds > 0 && self.seconds.isMultiple(of: 3600) ? "\(self.seconds / 3600)h" : "\(self.seconds)s"
    }
}
