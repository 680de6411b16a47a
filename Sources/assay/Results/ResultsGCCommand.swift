internal import ArgumentParser
internal import Console
internal import JobQueue
internal import ResultStore

struct ResultsGCCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract: "Remove files that no result names and none ever will: what dead workers left in the store.",
        discussion: """
            Safe while workers publish: a file goes only if the queue says that its claim can never commit a result any
            more. Files of runs that this database does not know are kept; the store may be shared.
            Example:  assay results gc --dry-run
            """)

    @Flag(help: "Show what would be removed, and remove nothing.")
    var dryRun = false

    @Option(help: "Keep files younger than this: a number with s, m, h or d.")
    var olderThan = Age(seconds: 3600)

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var dryRun: Bool
        var count: Int
        var bytes: Int
        var files: [GarbageFile]
    }

    func run() async throws {
        let files = try await Session.with(self.options) { session in
            let queue = session.queue
            // Not opened for writing: that needs room on the disk, and a full disk is when this command is wanted.
            return try await session.store(.read).collectGarbage(
                olderThan: self.olderThan.duration, dryRun: self.dryRun
            ) { try await queue.deadFiles(among: $0) }
        }
        let answer = Answer(
            dryRun: self.dryRun, count: files.count, bytes: files.reduce(0) { $0 + $1.bytes }, files: files)
        if self.options.json { return try Output.json(answer) }
        if self.dryRun {
            for file in files { Output.line("\(file.path)  \(Format.bytes(Int64(file.bytes)))") }
        }
        let what = "\(answer.count) \(answer.count == 1 ? "file" : "files") (\(Format.bytes(Int64(answer.bytes))))"
        Output.line(self.dryRun ? "would remove \(what)" : "removed \(what)")
    }
}

extension RunRegistry {
    /// Those of `files` whose claims can never commit a result any more.
    fileprivate func deadFiles(among files: Set<ShardFileName>) async throws(QueueError) -> Set<ShardFileName> {
        var byClaim: [ClaimReference: ShardFileName] = [:]
        for file in files {
            let claim = ClaimReference(
                jobName: file.job, shard: file.shard, epoch: file.epoch, incarnation: Incarnation(file.incarnation))
            // A job lies in its run's folder; anywhere else it was put by somebody else.
            if let claim, claim.run.text == file.run { byClaim[claim] = file }
        }
        let dead = try await self.deadClaims(among: Array(byClaim.keys))
        return Set(dead.compactMap { byClaim[$0] })
    }
}
