internal import ArgumentParser
internal import Console
internal import JobQueue

struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List runs, the newest first.", discussion: "Example:  assay list --limit 5")

    @Option(help: "How many.")
    var limit = 20

    @Option(help: "Only this project's.")
    var project: String?

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        guard (1...10_000).contains(self.limit) else { throw ValidationError("--limit is from 1 to 10000") }
    }

    func run() async throws {
        let runs = try await Session.with(self.options) {
            try await $0.queue.runs(limit: self.limit, project: self.project)
        }
        if self.options.json { return try Output.json(runs) }
        guard !runs.isEmpty else { return Output.note("no runs yet; start one with `assay run jobs/demo.yaml`") }
        var table = Table("run", "name", "project", "state", ">jobs", ">samples", ">done", "submitted", "user")
        for run in runs {
            table.add(
                "\(run.id)", run.name, run.project, run.state.rawValue, "\(run.jobCount)", "\(run.progress.samples)",
                "\(Format.percent(run.progress.samplesDone, of: run.progress.samples)) %",
                Format.time(run.submittedAt), run.user)
        }
        Output.line(table.rendered(on: .standardOutput(environment: self.options.environment)))
    }
}
