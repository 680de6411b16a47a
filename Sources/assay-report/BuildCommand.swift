internal import ArgumentParser
internal import AssayRuntime
internal import Console
internal import JobQueue
internal import LMEval
internal import PostgresQueue
internal import Reporting

struct BuildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build",
        abstract: "Build the report of a finished run; the same results change nothing.",
        discussion: "Example:  assay-report build k3f9 --name nightly")

    @Argument(help: "A run, by any unique prefix.")
    var run: String

    @Option(help: "The report's name; the run's id by default.")
    var name: String?

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var name: String
        var version: Int
        var isNew: Bool
        var folder: String
        var results: [String]
    }

    func run() async throws {
        let name = try self.name.map { try ReportName($0) }
        let built = try await Session.with(self.options, label: "assay-report") { session in
            let run = try await session.queue.run(matching: self.run)
            return try await ReportBuilder(queue: session.queue, store: try await session.store()) {
                try $0.completed()
            }
            .build(run.id, name: name)
        }
        if self.options.json {
            return try Output.json(
                Answer(
                    name: "\(built.published.name)", version: built.published.version, isNew: built.published.isNew,
                    folder: built.absoluteFolder, results: built.resultFiles))
        }
        Output.line(built.summary(on: .standardOutput(environment: self.options.environment)))
    }
}
