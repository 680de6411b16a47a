internal import ArgumentParser
internal import Console
internal import Reporting
internal import Statistics
internal import TerminalText

struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a report's scores, those of groups last, after checking its files.",
        discussion: "Example:  assay-report show k3f9m2ab --version 1")

    @Argument(help: "The report's name.")
    var name: String

    @Option(help: "The version; the newest by default.")
    var version: Int?

    @OptionGroup var options: GlobalOptions

    struct Row: Encodable {
        /// `nil` for a group's score.
        var task: String?
        var group: String?
        /// How many tasks the group's score is made of.
        var tasks: Int?
        var model: String
        var metric: String
        var filter: String?
        var n: Int
        var value: Double?
        var standardError: Double?
        var lower: Double?
        var upper: Double?
    }

    func run() async throws {
        let library = try await self.options.library()
        let name = try ReportName(self.name)
        let version = try self.version ?? library.newestVersion(of: name)
        let scores = try library.scores(of: name, version: version)
        if self.options.json {
            return try Output.json(
                scores.map {
                    Row(
                        task: $0.groupTasks == nil ? $0.task : nil, group: $0.groupTasks == nil ? nil : $0.task,
                        tasks: $0.groupTasks, model: $0.model, metric: $0.metric, filter: $0.filter, n: $0.n,
                        value: $0.value,
                        standardError: $0.standardError, lower: $0.interval?.lower, upper: $0.interval?.upper)
                })
        }
        Output.line(ScoreTable.render(scores, on: .standardOutput(environment: self.options.environment)))
        Output.line()
        Output.line("\(library.path(of: name, version: version))/report.html")
    }
}
