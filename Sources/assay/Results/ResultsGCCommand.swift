internal import ArgumentParser
internal import Console
internal import JobQueue
internal import ResultStore

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
