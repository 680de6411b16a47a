internal import ArgumentParser
internal import Console
internal import JobQueue

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
