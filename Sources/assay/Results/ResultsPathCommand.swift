internal import ArgumentParser
internal import Console
internal import JobQueue
internal import Reporting
internal import ResultStore

struct ResultsPathCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "path",
        abstract: "Print the HDF5 file of every finished job, for h5py.",
        discussion: """
            Fails if any of a job's files is missing or has another size than was published; with --verify also if
            anything in them is other than published.
            Example:  python3 -c 'import h5py,sys; ...' $(assay results path k3f9.1)
            """)

    @Argument(help: "A run or job, by any unique prefix.")
    var id: String

    @Flag(help: "Read every file again and compare it with what was published.")
    var verify = false

    @OptionGroup var options: GlobalOptions

    struct Row: Encodable {
        var job: String
        var task: String
        var path: String
        var sha256: String
    }

    func run() async throws {
        let rows = try await Session.with(self.options) { session in
            let store = try await session.store()
            var rows: [Row] = []
            for job in try await RunSelection(self.id, in: session.queue).jobs {
                let files = try await JobFiles(of: job, in: session.queue)
                guard files.isComplete else {
                    throw CommandFailure(
                        "job \(job.id) is \(job.state.rawValue): \(files.shards.count) of "
                            + "\(job.progress.shards.total) shards are published",
                        hint: "wait for it with `assay watch \(job.id.run)`, or see why with `assay show \(job.id)`")
                }
                let file = try await files.build(in: store)
                if self.verify {
                    let issues = try await store.verifyJobFile(file, shards: files.shards)
                    guard issues.isEmpty else {
                        throw CommandFailure(
                            issues.map { "\($0.path): \($0.message)" }.joined(separator: "\n"),
                            hint: "have what is damaged computed again with `assay results repair \(job.id)`")
                    }
                }
                rows.append(
                    Row(
                        job: job.id.name, task: job.task, path: try store.absolutePath(file.path),
                        sha256: file.sha256))
            }
            return rows
        }
        if self.options.json { return try Output.json(rows) }
        for row in rows { Output.line("\(row.path)") }
    }
}
