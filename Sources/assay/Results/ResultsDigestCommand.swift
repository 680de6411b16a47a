internal import ArgumentParser
internal import Console
internal import JobQueue
internal import Reporting
internal import ResultStore

struct ResultsDigestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "digest",
        abstract: "Print the logical digest of every finished job: equal digests, equal results.",
        discussion: """
            Example:  diff <(assay results digest k3f9) <(assay results digest m7x2)

            Digests count what a result depends on, as the engine and the size of shards. With --samples they are of the
            samples alone, which are read for it: their texts, tokens, log-probabilities and scores.
            """)

    @Argument(help: "A run or job, by any unique prefix.")
    var id: String

    @Flag(help: "Of the samples alone, however they were cut into shards and whatever computed them.")
    var samples = false

    @OptionGroup var options: GlobalOptions

    struct Row: Encodable {
        var task: String
        var model: String
        var digest: String
    }

    func run() async throws {
        let rows = try await Session.with(self.options) { session in
            var rows: [Row] = []
            for job in try await RunSelection(self.id, in: session.queue).jobs {
                let files = try await JobFiles(of: job, in: session.queue)
                guard files.isComplete else {
                    throw CommandFailure(
                        "job \(job.id) is \(job.state.rawValue); a digest is of a finished job",
                        hint: "wait for it with `assay watch \(job.id.run)`")
                }
                let digest = self.samples ? try await files.samplesDigest(in: session.store()) : files.digest
                rows.append(Row(task: job.task, model: job.model, digest: digest))
            }
            return rows
        }
        if self.options.json { return try Output.json(rows) }
        for row in rows { Output.line("\(row.digest)  \(row.task)  \(row.model)") }
    }
}
