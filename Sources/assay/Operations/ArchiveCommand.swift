internal import ArgumentParser
internal import Console
internal import JobQueue

struct ArchiveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive",
        abstract: "Move the shards of runs that ended long ago out of the tables that claims work in.",
        discussion: """
            Nothing is lost: runs, results and attempts are read as before; only retrying is over. Workers do this by
            themselves for runs that ended 30 days ago. Example:  assay archive --older-than-days 7
            """)

    @Option(help: "Only runs that ended at least so many days ago.")
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
